"""The page of the API's documentation, as the server serves it: by keyboard, wide and narrow."""

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.support.browser.accessibility import BLOCKING, OPTIONS
from tests.support.servers.server import Server

PATH = "/api/v1/docs"
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
async def test_everyone_can_read_it(visit: Visit, size: str, scheme: str) -> None:
    width, height = SIZES[size]
    page = await visit(path=PATH, viewport={"width": width, "height": height}, color_scheme=scheme)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Clinic Chat API")

    assert await page.evaluate("document.documentElement.scrollWidth") == width
    found = (await Axe().run(page, "body", options=OPTIONS)).response["violations"]
    assert [
        (one["id"], node["html"])
        for one in found
        if one["impact"] in BLOCKING
        for node in one["nodes"]
    ] == []


async def test_the_keyboard_is_enough(visit: Visit) -> None:
    page = await visit(path=PATH)
    focused = page.locator(":focus")

    await page.keyboard.press("Tab")
    await expect(focused).to_have_text("Skip to the content")
    await expect(focused).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    # The first thing after the introduction that the keyboard can go to is in the content.
    assert await focused.evaluate("(one) => document.querySelector('main').contains(one)")
    await page.get_by_role("link", name="Send a message").press("Enter")
    await expect(page.locator("#do-send_message")).to_be_in_viewport()


async def test_it_asks_nobody_but_this_server(visit: Visit, server: Server) -> None:
    page = await visit()
    # What the inbox asks for in its own time is over then.
    await page.goto("about:blank")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(PATH, wait_until="networkidle")

    assert f"{server.origin}{PATH}" in asked
    assert {url for url in asked if not url.startswith(server.origin)} == set()
    assert {url.removeprefix(server.origin) for url in asked} <= {PATH, "/favicon.svg"}
