"""A real Chromium in front of the production server, both started once for all tests."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
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
from tests.support.channel import Channel
from tests.support.colleague import Colleague
from tests.support.servers.restartable_server import QuickServer
from tests.support.servers.server import Server

HERE = Path(__file__).parent
SCREENSHOTS = HERE / "output"
# Slow machines are slow; what is waited for comes as an event, so quick ones do not wait.
PATIENCE_MS = 15_000
VIEWPORT: ViewportSize = {"width": 1280, "height": 800}

Visit = Callable[..., Awaitable[Page]]
StartServer = Callable[..., Server]
SitDown = Callable[[str, str], Awaitable[Colleague]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these tests in the one event loop that the browser lives in."""
    for item in items:
        if HERE in item.path.parents and is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Show what the servers wrote beside a failure."""
    report = yield
    if report.failed:
        for server in item.session.stash.get(_servers, []):
            report.sections.append((f"server on port {server.port}", server.tail()))
    return report


_servers = pytest.StashKey[list[Server]]()


@pytest.fixture(scope="session")
def start_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartServer]:
    """Starts servers, each with the demo clinics in its own database and its own settings."""
    servers: list[Server] = []
    request.session.stash[_servers] = servers

    def start(**settings: object) -> Server:
        server = Server(tmp_path_factory.mktemp("server"), **settings)
        server.fill(_template(tmp_path_factory))
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.stop()


def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the demo clinics, made once."""
    folder = tmp_path_factory.getbasetemp() / "template"
    template = Server(folder)
    if not template.database.exists():
        template.fill()
    return template.database


@pytest.fixture(scope="session")
def server(start_server: StartServer) -> Server:
    """The server most tests share; each test has its own patients in it."""
    return start_server()


@pytest.fixture
def quick(server: Server, tmp_path: Path) -> Iterator[QuickServer]:
    """A server with a copy of the shared one's data, for a test that ends it again and again."""
    with QuickServer(server, tmp_path) as quick:
        yield quick


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


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def channel(server: Server) -> AsyncIterator[Channel]:
    """The channel of the clinic Aurora."""
    channel = Channel(server)
    yield channel
    await channel.close()


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """Fails the test for errors on its pages."""
    complaints = Complaints()
    yield complaints
    assert not complaints.left(), "\n".join(complaints.left())


@pytest.fixture(scope="session")
def cookies() -> dict[tuple[str, str], str]:
    """Session cookies by server and person, because signing in is slow on purpose."""
    return {}


@pytest_asyncio.fixture(loop_scope="session")
async def visit(
    browser: Browser,
    server: Server,
    cookies: dict[tuple[str, str], str],
    complaints: Complaints,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Visit]:
    """Opens an address as a person, on a device of their own, and waits until it is live.

    Without a person it is a stranger's device, and nothing is waited for. `fresh` starts a
    session that no other test shares. Further options are Playwright's for a context.
    """
    contexts: list[BrowserContext] = []

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
            cookie = None if fresh else cookies.get((at.origin, who))
            if cookie is None:
                cookie = await sign_in(at, who, password)
                if not fresh:
                    cookies[at.origin, who] = cookie
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


@pytest_asyncio.fixture(loop_scope="session")
async def sit_down(server: Server, cookies: dict[tuple[str, str], str]) -> AsyncIterator[SitDown]:
    """Has somebody open a conversation of the clinic Aurora without a browser."""
    colleagues: list[Colleague] = []

    async def sit_down(who: str, conversation_id: str) -> Colleague:
        key = (server.origin, f"{who} in aurora")
        if key not in cookies:
            cookies[key] = await sign_in(server, who, clinic="aurora")
        colleagues.append(await Colleague.sits_down(server, cookies[key], conversation_id))
        return colleagues[-1]

    yield sit_down
    for colleague in colleagues:
        await colleague.leaves()


async def sign_in(
    server: Server, email: str, password: str = DEMO_PASSWORD, *, clinic: str = ""
) -> str:
    """The cookie of a new session, in one of the person's clinics if it is named."""
    async with httpx.AsyncClient(base_url=server.origin, timeout=30) as client:
        answer = await client.post("/auth/login", data={"email": email, "password": password})
        assert answer.status_code == 303, answer.text
        if clinic:
            cookie = f"{COOKIE_NAME}={answer.cookies[COOKIE_NAME]}"
            # Without a cookie in the answer it is the clinic that the session began in.
            moved = await client.post(
                "/auth/switch", data={"clinic": clinic}, headers={"Cookie": cookie}
            )
            return moved.cookies.get(COOKIE_NAME) or answer.cookies[COOKIE_NAME]
    return answer.cookies[COOKIE_NAME]


async def _photograph(contexts: list[BrowserContext], test: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    name = re.sub(r"\W+", "-", test)
    opened = [page for context in contexts for page in context.pages]
    for number, page in enumerate(opened):
        await page.screenshot(path=SCREENSHOTS / f"{name}-{number}.png")
