"""How long a page takes from what a person does to the next picture (Interaction to Next Paint).

Chromium's own Event Timing, in a window on a virtual display: without windows, the clock of
presentation makes every key of a text field look slow.
"""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Locator, Page, ViewportSize, async_playwright, expect
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from tests.browser.chromium import LAUNCH_ARGUMENTS
from tests.load.measurements.figures import percentile
from tests.load.servers.front_end import FrontEnd
from tests.load.servers.product import Product
from tests.support.browser import pages

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
WINDOW: ViewportSize = {"width": 1440, "height": 900}
THROTTLES = (1, 4)
CONVERSATIONS = 1_200
GOOD_MS = 200
# Events are reported in steps of 8 ms, and none below 16 ms.
SHORTEST_MS = 16
PATIENCE_MS = 30_000
# Between two interactions, as people make them and so that one is never part of another.
PAUSE_SECONDS = 0.25
SETTLE_SECONDS = 1.0
TEXT = "Podemos remarcar para quinta"
SEARCHES = ("paciente 11", "119000", "mensagem", "zzz")
# By what the interface offers; what a screen has not is left out of the table.
MENUS = (
    "[data-testid=status]",
    "[data-testid=assignee]",
    "[data-testid=account-menu], .conversation-list-header button[aria-haspopup=menu]",
    "button[data-testid=filter-status]",
)

RECORD = """
() => {
  window.interactions = new Map();
  const keep = (entries) => {
    for (const { interactionId, duration, name } of entries) {
      if (!interactionId) continue;
      const known = window.interactions.get(interactionId);
      if (!known || known.duration < duration) {
        window.interactions.set(interactionId, { duration, name });
      }
    }
  };
  new PerformanceObserver((list) => keep(list.getEntries()))
    .observe({ type: "event", durationThreshold: 16, buffered: false });
  window.takeInteractions = () => {
    const found = [...window.interactions.values()].map(({ duration }) => duration);
    window.interactions.clear();
    return found;
  };
}
"""

Act = Callable[[], Awaitable[int]]
"""Does something on the page; how many interactions that were."""


class Desk:
    """One page, and what a person does on it."""

    def __init__(self, page: Page, rounds: int) -> None:
        self.page = page
        self._rounds = rounds

    def acts(self) -> dict[str, Act]:
        """What is measured, by its name in the table."""
        return {
            "switching": self._switch,
            "typing": self._type,
            "sending": self._send,
            "filters": self._filter,
            "search": self._search,
            "menus": self._menus,
        }

    async def measured(self, act: Act) -> list[float]:
        """Milliseconds of each interaction; those too short to be reported count as 16."""
        await asyncio.sleep(SETTLE_SECONDS)
        await self.page.evaluate("() => takeInteractions()")
        made = await act()
        await asyncio.sleep(SETTLE_SECONDS)
        found: list[float] = await self.page.evaluate("() => takeInteractions()")
        return sorted([*found, *[float(SHORTEST_MS)] * max(0, made - len(found))])

    async def _switch(self) -> int:
        rows = pages.rows(self.page)
        count = min(await rows.count(), 12)
        for number in range(self._rounds * 4):
            await self._click(rows.nth(number % count))
            await expect(pages.messages(self.page).first).to_be_visible()
        return self._rounds * 4

    async def _type(self) -> int:
        composer = pages.composer(self.page)
        await composer.focus()
        for letter in TEXT:
            await self.page.keyboard.press("Space" if letter == " " else letter)
            await asyncio.sleep(PAUSE_SECONDS / 2)
        return len(TEXT)

    async def _send(self) -> int:
        # What was typed before goes first, and what is typed here is not what is measured.
        for number in range(self._rounds * 2):
            if number:
                await pages.composer(self.page).fill(f"{TEXT} {number}")
                await asyncio.sleep(PAUSE_SECONDS)
            await self.page.keyboard.press("Enter")
            await asyncio.sleep(PAUSE_SECONDS * 2)
        return self._rounds * 2

    async def _filter(self) -> int:
        found = self.page.locator("button[data-testid^=filter-]:visible")
        names = await found.evaluate_all("all => all.map((one) => one.dataset.testid)")
        plain = [name for name in names if name not in ("filter-status", "filter-count")]
        made = 0
        for name in plain * self._rounds:
            await self._click(self.page.get_by_test_id(name))
            made += 1
        if "filter-unread" in plain and self._rounds % 2:
            await self._click(self.page.get_by_test_id("filter-unread"))
            made += 1
        if "filter-all" in plain:
            await self._click(self.page.get_by_test_id("filter-all"))
            made += 1
        return made

    async def _search(self) -> int:
        box = self.page.locator("[data-testid=search], input[type=search]").first
        made = 0
        for text in SEARCHES[: self._rounds + 1]:
            await box.focus()
            for letter in text:
                await self.page.keyboard.press("Space" if letter == " " else letter)
                await asyncio.sleep(PAUSE_SECONDS)
            await box.fill("")
            await asyncio.sleep(PAUSE_SECONDS)
            made += len(text)
        return made

    async def _menus(self) -> int:
        made = 0
        for wanted in MENUS * self._rounds:
            button = self.page.locator(f"{wanted} >> visible=true").first
            if not await button.count():
                continue
            await self._click(button)
            await expect(self.page.get_by_role("menu").first).to_be_visible()
            await asyncio.sleep(PAUSE_SECONDS)
            await self.page.keyboard.press("Escape")
            await expect(self.page.get_by_role("menu")).to_have_count(0)
            await asyncio.sleep(PAUSE_SECONDS)
            made += 2
        return made

    async def _click(self, what: Locator) -> None:
        await what.click()
        await asyncio.sleep(PAUSE_SECONDS)


async def main(folder: Path, conversations: int, rounds: int) -> dict[str, dict[str, Any]]:
    """p50 and p98 of each act, by throttle."""
    FrontEnd.built()
    product = await Product.filled(
        folder, clinics=1, people=1, conversations=conversations, profile=None
    )
    await product.start()
    try:
        cookie = (await product.sign_in())[0][0]
        with virtual_display() as display:
            return await _on_screen(product.host, cookie, display, rounds)
    finally:
        product.process.stop()


async def _on_screen(
    host: str, cookie: str, display: str, rounds: int
) -> dict[str, dict[str, Any]]:
    chromium = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if chromium is None:
        raise SystemExit(f"none of {', '.join(CHROMIUMS)} is on PATH")
    expect.set_options(timeout=PATIENCE_MS)
    figures: dict[str, dict[str, Any]] = {}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium,
            headless=False,
            args=LAUNCH_ARGUMENTS,
            env={**os.environ, "DISPLAY": display},
        )
        for throttle in THROTTLES:
            context = await browser.new_context(
                base_url=f"http://{host}", viewport=WINDOW, locale="pt-BR"
            )
            context.set_default_timeout(PATIENCE_MS)
            await context.add_cookies(
                [{"name": COOKIE_NAME, "value": cookie, "url": f"http://{host}"}]
            )
            page = await context.new_page()
            await page.goto("/")
            await pages.live(page)
            await pages.menus_loaded(page)
            await page.evaluate(RECORD)
            session = await context.new_cdp_session(page)
            await session.send("Emulation.setCPUThrottlingRate", {"rate": throttle})
            desk = Desk(page, rounds)
            for name, act in desk.acts().items():
                times = await desk.measured(act)
                figures.setdefault(name, {})[f"{throttle}x"] = {
                    "count": len(times),
                    "p50": round(percentile(times, 0.5)),
                    "p98": round(percentile(times, 0.98)),
                }
            await context.close()
        await browser.close()
    return figures


def show(figures: dict[str, dict[str, Any]]) -> bool:
    """Print the table, ready for the README; whether everything at 4x is good."""
    console = Console(width=100)
    table = Table(title="p50 / p98 in ms (interactions)", box=MARKDOWN)
    table.add_column("interaction")
    for throttle in THROTTLES:
        table.add_column(f"{throttle}x", justify="right")
    for name, by_throttle in figures.items():
        cells = (by_throttle[f"{throttle}x"] for throttle in THROTTLES)
        table.add_row(name, *(f"{c['p50']} / {c['p98']} ({c['count']})" for c in cells))
    console.print(table)
    slow = [name for name, found in figures.items() if found["4x"]["p98"] >= GOOD_MS]
    for name in figures:
        console.print(f"{'FAIL' if name in slow else 'pass'}  {name}: p98 at 4x < {GOOD_MS} ms")
    return not slow


@contextmanager
def virtual_display() -> Iterator[str]:
    """An X display that nobody sees; its name."""
    if shutil.which("Xvfb") is None:
        raise SystemExit("Xvfb is missing: install the package xvfb")
    reading, writing = os.pipe()
    size = f"{WINDOW['width'] + 100}x{WINDOW['height'] + 200}x24"
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp"],
        pass_fds=(writing,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as said:
            number = said.readline().strip()
        if not number:
            raise SystemExit("Xvfb did not start")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()
