"""When each message came to the screen, on the clock of the test."""

import time
from typing import Self

from playwright.async_api import Page

CLOCK_TRIES = 5
# A row counts when the frame that paints it begins, so by at most one frame too late.
_WATCH = """
() => {
  const seen = new Map();
  let most = 0;
  const now = () => performance.timeOrigin + performance.now();
  new MutationObserver(() => {
    const rows = [...document.querySelectorAll("[data-testid=message] .message-body")];
    most = Math.max(most, rows.length);
    const fresh = rows.map((row) => row.textContent).filter((text) => !seen.has(text));
    for (const text of fresh) seen.set(text, null);
    if (fresh.length > 0) {
      requestAnimationFrame(() => {
        for (const text of fresh) seen.set(text, now());
      });
    }
  }).observe(document.body, {childList: true, subtree: true, characterData: true});
  window.arrivals = {
    now,
    most: () => most,
    times: async () => {
      await new Promise(requestAnimationFrame);
      return Object.fromEntries(seen);
    },
  };
}
"""


class Arrivals:
    """Watches the open conversation of a page."""

    def __init__(self, page: Page, ahead: float) -> None:
        self.page = page
        self._ahead = ahead

    @classmethod
    async def watch(cls, page: Page) -> Self:
        """Watch from now on."""
        await page.evaluate(_WATCH)
        return cls(page, await _clock_difference(page))

    async def times(self) -> dict[str, float]:
        """Text → when it was first on the screen, in seconds since 1970."""
        seen: dict[str, float] = await self.page.evaluate("() => window.arrivals.times()")
        return {text: at / 1000 - self._ahead for text, at in seen.items()}

    async def most_at_once(self) -> int:
        """The highest number of messages that were on the screen together."""
        most: int = await self.page.evaluate("() => window.arrivals.most()")
        return most


async def _clock_difference(page: Page) -> float:
    """By how many seconds the page's clock is ahead of ours: the quickest of some tries."""
    tries = []
    for _ in range(CLOCK_TRIES):
        before = time.time()
        theirs = await page.evaluate("() => window.arrivals.now()") / 1000
        after = time.time()
        tries.append((after - before, theirs - (before + after) / 2))
    return min(tries)[1]
