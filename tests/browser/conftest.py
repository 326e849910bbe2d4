"""A real Chromium in front of the production server, started once for all tests."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import (
    Browser,
    BrowserContext,
    Page,
    ViewportSize,
    async_playwright,
    expect,
)
from pytest_asyncio import is_async_test

from clinic_chat.demo import DEMO_PASSWORD
from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from tests.browser.chromium import LAUNCH_ARGUMENTS, chromium_path
from tests.support.browser import pages
from tests.support.browser.page_errors import Complaints
from tests.support.servers.fixtures import sign_in
from tests.support.servers.restartable_server import QuickServer
from tests.support.servers.server import Server

HERE = Path(__file__).parent
SCREENSHOTS = HERE / "output"
# Slow machines are slow; what is waited for comes as an event, so quick ones do not wait.
PATIENCE_MS = 15_000
VIEWPORT: ViewportSize = {"width": 1280, "height": 800}

Visit = Callable[..., Awaitable[Page]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these tests in the one event loop that the browser lives in."""
    for item in items:
        if HERE in item.path.parents and is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def quick_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QuickServer]:
    """The server that each `quick` is a start of."""
    with QuickServer(tmp_path_factory.mktemp("quick")) as quick:
        yield quick


@pytest.fixture
def quick(
    quick_server: QuickServer, server: Server, cookies: dict[tuple[object, str], str]
) -> Iterator[QuickServer]:
    """A server with a copy of the shared one's data, for a test that ends it or changes much."""
    quick_server.begin(server)
    yield quick_server
    quick_server.end()
    for key in [key for key in cookies if key[0] is quick_server]:
        del cookies[key]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests; each person has a context of their own."""
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium_path(), args=LAUNCH_ARGUMENTS
        )
        yield browser
        await browser.close()


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """Fails the test for errors on its pages."""
    complaints = Complaints()
    yield complaints
    assert not complaints.left(), "\n".join(complaints.left())


@pytest_asyncio.fixture(loop_scope="session")
async def visit(
    browser: Browser,
    server: Server,
    cookies: dict[tuple[object, str], str],
    complaints: Complaints,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Visit]:
    """Opens an address as a person, on a device of their own, and waits until it is live.

    Without a person it is a stranger's device, and nothing is waited for. `fresh` starts a
    session that no other test shares. Further options are Playwright's for a context.
    """
    contexts: list[BrowserContext] = []
    if "quick" in request.fixturenames:
        # It ends after the pages do, which would complain of what they asked it for last.
        request.getfixturevalue("quick")

    async def visit(
        who: str | None = None,
        path: str = "/",
        *,
        at: Server = server,
        fresh: bool = False,
        password: str = DEMO_PASSWORD,
        script: str | None = None,
        **options: Any,
    ) -> Page:
        context = await browser.new_context(
            base_url=at.origin, **{"viewport": VIEWPORT, "locale": "pt-BR", **options}
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        context.on("page", complaints.listen)
        if script:
            await context.add_init_script(script)
        if who:
            # By the server itself: another one may get its port, and has none of its sessions.
            cookie = None if fresh else cookies.get((at, who))
            if cookie is None:
                cookie = await sign_in(at, who, password)
                if not fresh:
                    cookies[at, who] = cookie
            await context.add_cookies(
                [{"name": COOKIE_NAME, "value": cookie, "url": at.origin, "httpOnly": True}]
            )
        page = await context.new_page()
        await page.goto(path)
        if who:
            await pages.live(page)
        return page

    failures = request.session.testsfailed
    yield visit
    if request.session.testsfailed > failures:
        await _photograph(contexts, request.node.name)
    for context in contexts:
        await context.close()


async def _photograph(contexts: list[BrowserContext], test: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    name = re.sub(r"\W+", "-", test)
    opened = [page for context in contexts for page in context.pages]
    for number, page in enumerate(opened):
        await page.screenshot(path=SCREENSHOTS / f"{name}-{number}.png")
