"""When a page tried to connect, and by which transport."""

from dataclasses import dataclass
from itertools import pairwise

from playwright.async_api import Page

# Times are those of the page's own clock, which a test may drive.
RECORD_ATTEMPTS = """
(() => {
  window.attempts = [];
  const begin = (url) => {
    const {pathname, searchParams} = new URL(url, location.href);
    // With a session id it is not an attempt, and without a token the look for websockets.
    if (!pathname.startsWith("/_event") || searchParams.has("sid")) return null;
    if (!searchParams.has("token")) return null;
    const attempt = {at: Date.now(), endedAt: null, transport: searchParams.get("transport")};
    window.attempts.push(attempt);
    return attempt;
  };
  // By the first event that says so, which is the one that the page goes by.
  const ends = (attempt) => () => (attempt.endedAt ??= Date.now());
  const NativeSocket = window.WebSocket;
  window.WebSocket = class extends NativeSocket {
    constructor(url, ...rest) {
      super(url, ...rest);
      const attempt = begin(url);
      if (!attempt) return;
      for (const name of ["error", "close"]) this.addEventListener(name, ends(attempt));
    }
  };
  const {open} = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    const attempt = begin(url);
    if (attempt) {
      this.addEventListener("readystatechange", () => this.readyState === 4 && ends(attempt)());
    }
    return open.call(this, method, url, ...rest);
  };
})();
"""


@dataclass(frozen=True)
class Attempt:
    """One attempt; the times are seconds on the page's clock."""

    at: float
    ended_at: float | None
    transport: str


async def attempts(page: Page) -> list[Attempt]:
    """Every attempt since the page was loaded. The page needs the script above."""
    found = await page.evaluate("() => window.attempts")
    return [
        Attempt(
            one["at"] / 1000,
            None if one["endedAt"] is None else one["endedAt"] / 1000,
            one["transport"],
        )
        for one in found
    ]


def pauses(found: list[Attempt]) -> list[float]:
    """How long each attempt but the first came after the end of the one before, in seconds."""
    return [
        after.at - before.ended_at
        for before, after in pairwise(found)
        if before.ended_at is not None
    ]
