"""After the end of a session, Back shows nothing of a patient.

Playwright starts Chromium without its back-forward cache, which everybody else's has: these tests
switch it on.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from tests.browser.conftest import PATIENCE_MS, VIEWPORT
from tests.browser.engines.programs import CHROMIUM, programs
from tests.support.browser.own_browser import own_browser
from tests.support.browser.pages import composer, live, menu, open_conversation, row, thread_of
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.people import ANA, CARLA
from tests.support.servers.fixtures import sign_in
from tests.support.servers.server import Server

# Whether the page came out of the cache, and all that it showed from then on.
WATCH = """
(() => {
  const log = (name, value) => sessionStorage.setItem(name, value);
  const shown = () => getComputedStyle(document.documentElement).display !== "none"
    ? document.body?.innerText ?? "" : "";
  window.addEventListener("pageshow", ({persisted}) => {
    if (!persisted) return;
    log("restored", "yes");
    log("shown", shown());
  }, true);
})();
"""
OUTSIDE = "/healthz"

OpenPage = Callable[[str], Awaitable[Page]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def caching(browser: Browser) -> AsyncIterator[Browser]:
    """A Chromium that keeps pages for Back."""
    path = programs(CHROMIUM).browser
    async with own_browser(browser, path, ["--disable-back-forward-cache"]) as caching:
        yield caching


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(caching: Browser, server: Server) -> AsyncIterator[OpenPage]:
    """Opens an address as Ana, in a session of her own."""
    context = await caching.new_context(base_url=server.origin, viewport=VIEWPORT, locale="pt-BR")
    context.set_default_timeout(PATIENCE_MS)
    await context.add_init_script(WATCH)

    async def open_page(path: str) -> Page:
        await be(context, server, ANA)
        page = await context.new_page()
        await page.goto(path)
        await live(page)
        return page

    yield open_page
    await context.close()


async def test_back_after_signing_out(open_page: OpenPage, channel: Channel) -> None:
    talk = await Talk.begin(channel)
    page = await open_page("/")
    await open_conversation(page, talk.name)

    await menu(page, "Sair")
    await expect(page).to_have_url(re.compile("/login"))
    await _back_to_sign_in(page, talk)


async def test_back_after_the_session_ended_elsewhere(
    open_page: OpenPage, channel: Channel
) -> None:
    talk = await Talk.begin(channel)
    page = await open_page(talk.path)
    await thread_of(page, talk.name)

    await page.goto(OUTSIDE)
    # With the page's cookie, as another tab of the same browser.
    ended = await page.request.post("/auth/logout", headers={"Accept": "application/json"})
    assert ended.ok
    await _back_to_sign_in(page, talk)
    assert await _kept(page, "restored") == "yes"


async def test_back_when_somebody_else_is_signed_in(
    open_page: OpenPage, channel: Channel, server: Server
) -> None:
    talk = await Talk.begin(channel)
    page = await open_page("/")
    await expect(row(page, talk.name)).to_be_visible()

    await page.goto(OUTSIDE)
    await be(page.context, server, CARLA)
    await page.go_back()

    await live(page)
    await expect(page.locator(".conversation-list-clinic")).to_contain_text("Boreal")
    await expect(row(page, talk.name)).to_have_count(0)
    assert await _kept(page, "restored") == "yes"
    assert talk.name not in await _kept(page, "shown")


async def test_back_to_a_session_that_goes_on(open_page: OpenPage, channel: Channel) -> None:
    talk = await Talk.begin(channel)
    page = await open_page(talk.path)
    await thread_of(page, talk.name)
    await composer(page).fill("Metade de uma")

    await page.goto(OUTSIDE)
    await page.go_back()

    await live(page)
    await thread_of(page, talk.name)
    await expect(composer(page)).to_have_value("Metade de uma")
    assert await _kept(page, "restored") == "yes"


async def be(context: BrowserContext, server: Server, who: str) -> None:
    """Sign a person in, in the place of whoever was."""
    cookie = await sign_in(server, who)
    await context.add_cookies(
        [{"name": COOKIE_NAME, "value": cookie, "url": server.origin, "httpOnly": True}]
    )


async def _back_to_sign_in(page: Page, talk: Talk) -> None:
    await page.go_back()
    await expect(page.locator("input[name=password]")).to_be_visible()
    await expect(page.get_by_text(talk.name)).to_have_count(0)
    assert talk.name not in await _kept(page, "shown")


async def _kept(page: Page, name: str) -> str:
    kept: str = await page.evaluate("(name) => sessionStorage.getItem(name) ?? ''", name)
    return kept
