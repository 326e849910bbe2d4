"""The production server, started once for all tests that need it, and people who are signed in."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from clinic_chat.demo import DEMO_PASSWORD
from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from tests.support.channel import Channel
from tests.support.colleague import Colleague
from tests.support.servers.server import Server

StartServer = Callable[..., Server]
SitDown = Callable[[str, str], Awaitable[Colleague]]


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


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def channel(server: Server) -> AsyncIterator[Channel]:
    """The channel of the clinic Aurora."""
    channel = Channel(server)
    yield channel
    await channel.close()


@pytest.fixture(scope="session")
def cookies() -> dict[tuple[object, str], str]:
    """Session cookies by server and person, because signing in is slow on purpose."""
    return {}


@pytest_asyncio.fixture(loop_scope="session")
async def sit_down(
    server: Server, cookies: dict[tuple[object, str], str]
) -> AsyncIterator[SitDown]:
    """Has somebody open a conversation of the clinic Aurora without a browser."""
    colleagues: list[Colleague] = []

    async def sit_down(who: str, conversation_id: str) -> Colleague:
        key = (server, f"{who} in aurora")
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
