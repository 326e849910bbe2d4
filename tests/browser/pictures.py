"""Takes the README's pictures anew: `python -m tests.browser.pictures`."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from clinic_chat.demo import DEMO_PASSWORD
from tests.browser.chromium import LAUNCH_ARGUMENTS, chromium_path
from tests.support.browser.pages import PHONE, composer, live, open_conversation
from tests.support.network.outage import KEEP_SOCKETS, go_offline
from tests.support.people import CARLA, DANIEL
from tests.support.servers.server import PROJECT, Server

PICTURES = PROJECT / "assets" / "screenshots"
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 760}}
PATIENT = "Priya Raghunathan"


async def main() -> None:
    """Fill a server with the demo, look at it as staff do, and photograph that."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        server.fill()
        server.start()
        try:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(
                    executable_path=chromium_path(), args=LAUNCH_ARGUMENTS
                )
                await _desk(browser, server)
                await _phone(browser, server)
                await browser.close()
        finally:
            server.stop()


async def _desk(browser: Browser, server: Server) -> None:
    carla = await _visit(browser, server, CARLA, **DESK)
    await open_conversation(carla, PATIENT)
    await _photograph(carla, "inbox")
    daniel = await _visit(browser, server, DANIEL, **DESK)
    await open_conversation(daniel, PATIENT)
    await composer(daniel).press_sequentially("I'll send it")
    await carla.get_by_test_id("typing-indicator").wait_for()
    await carla.locator("[data-testid=assignee]").click()
    await carla.get_by_role("menu").wait_for()
    await _photograph(carla, "two-people")
    await carla.keyboard.press("Escape")
    await composer(carla).focus()
    await carla.emulate_media(color_scheme="dark")
    await _photograph(carla, "dark")


async def _phone(browser: Browser, server: Server) -> None:
    page = await _visit(browser, server, CARLA, **{**PHONE, "device_scale_factor": 2})
    await _photograph(page, "phone")
    await open_conversation(page, PATIENT)
    await go_offline(page)
    await composer(page).fill("I'll call you this afternoon.")
    await page.get_by_test_id("send").tap()
    await page.get_by_role("main").get_by_text("1 message waiting").wait_for()
    await _photograph(page, "offline")


async def _visit(browser: Browser, server: Server, who: str, **options: Any) -> Page:
    context = await browser.new_context(base_url=server.origin, locale="en", **options)
    await context.add_init_script(KEEP_SOCKETS)
    await context.request.post("/auth/login", form={"email": who, "password": DEMO_PASSWORD})
    page = await context.new_page()
    await page.goto("/")
    await live(page)
    await page.get_by_text("updated just now").wait_for()
    return page


async def _photograph(page: Page, name: str) -> None:
    # What fades in is there.
    await page.wait_for_timeout(300)
    await page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    asyncio.run(main())
