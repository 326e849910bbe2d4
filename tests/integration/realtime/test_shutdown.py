"""How the server ends when it is told to: nothing new, what is under way, a word, and the end."""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import aiohttp
import httpx
import pytest

from clinic_chat.domain.accounts.api_tokens import create_token
from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.storage.sqlite.library import sqlite3
from tests.conftest import PASSWORD, Clinics
from tests.support.network.polling import Polling
from tests.support.servers.forked_server import HOST, ForkedServer
from tests.support.socket_client import NAMESPACE, Wire

END_SECONDS = 10
# Staff who write, and as many patients.
WRITERS = 5
ACKNOWLEDGED = 200
FAREWELL = f'42{NAMESPACE},["server:restarting"'


@dataclass
class Desk:
    """A running server with a conversation, and Ana's cookie."""

    server: ForkedServer
    database: Path
    conversation: str
    cookie: str

    def message(self, key: str) -> dict[str, str]:
        """What `message:send` takes."""
        return {"conversationId": self.conversation, "clientId": key, "body": f"Mensagem {key}"}

    def stored(self) -> list[str]:
        """The keys of the messages in the database."""
        with closing(sqlite3.connect(self.database)) as connection:
            rows = connection.execute("SELECT client_id FROM messages ORDER BY seq")
            return [key for (key,) in rows]

    async def stop(self) -> tuple[int, float]:
        """Tell the server to end: its exit code, and how many seconds it took."""
        begun = monotonic()
        code = await asyncio.to_thread(self.server.stop)
        return code, monotonic() - begun


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedServer]:
    folder = tmp_path_factory.mktemp("shutdown")
    with ForkedServer(folder / "clinic_chat.db", folder / "server.log") as server:
        yield server


@pytest.fixture
def database_path(server: ForkedServer, sqlite_template: Path) -> Path:
    for beside in ("-wal", "-shm"):
        server.database.with_name(server.database.name + beside).unlink(missing_ok=True)
    return Path(shutil.copy(sqlite_template, server.database))


@pytest.fixture
async def desk(clinics: Clinics, server: ForkedServer, database_path: Path) -> Desk:
    first = await receive_message(
        clinics.aurora, name="Paula", phone="+5511987654321", body="Olá", external_id="first"
    )
    server.start()
    async with httpx.AsyncClient(base_url=server.origin, timeout=30) as client:
        form = {"email": "ana@aurora.example", "password": PASSWORD}
        answer = await client.post("/auth/login", data=form)
    return Desk(server, database_path, first.message.conversation_id, answer.cookies[COOKIE_NAME])


async def test_every_client_is_told_and_closed_and_the_process_ends_well(
    desk: Desk, record_property: Callable[[str, object], None]
) -> None:
    wires = [await Wire.join(desk.server, desk.cookie) for _ in range(5)]

    code, seconds = await desk.stop()

    assert code == 0
    assert seconds < END_SECONDS
    for wire in wires:
        await wire.closed()
        assert any(frame.startswith(FAREWELL) for frame in wire.frames)
        await wire.close()
    record_property("SIGTERM with five websockets: ended after", f"{seconds:.1f} s")


async def test_a_send_under_way_is_finished_and_acknowledged(desk: Desk) -> None:
    wire = await Wire.join(desk.server, desk.cookie)
    # Another process holds the database's lock, so the send waits for it.
    with closing(sqlite3.connect(desk.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        sending = asyncio.create_task(wire.ask("message:send", desk.message("under-way")))
        # A read that the same socket asks for afterwards would be answered after it.
        await _asked(desk)
        stopping = asyncio.create_task(desk.stop())
        await wire.wait_for(lambda frame: frame.startswith(FAREWELL))
        assert not sending.done()
        other.execute("ROLLBACK")

        answer = await sending
        code, seconds = await stopping

    assert answer["message"]["seq"] == 2
    assert desk.stored() == ["first", "under-way"]
    assert (code, seconds < END_SECONDS) == (0, True)
    await wire.close()


async def test_what_comes_after_the_farewell_is_refused_and_not_stored(desk: Desk) -> None:
    wire, other_wire = [await Wire.join(desk.server, desk.cookie) for _ in range(2)]
    with closing(sqlite3.connect(desk.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        sending = asyncio.create_task(wire.ask("message:send", desk.message("under-way")))
        await _asked(desk)
        stopping = asyncio.create_task(desk.stop())
        await other_wire.wait_for(lambda frame: frame.startswith(FAREWELL))
        late = await other_wire.ask("message:send", desk.message("late"))
        with pytest.raises(OSError):  # noqa: PT011 - refused or reset, as the kernel likes
            await _greeting(desk.server)
        other.execute("ROLLBACK")
        await sending
        await stopping

    assert late["error"]["code"] == "restarting"
    assert desk.stored() == ["first", "under-way"]
    for each in (wire, other_wire):
        await each.close()


async def test_a_send_that_cannot_be_finished_is_not_stored(desk: Desk) -> None:
    wire = await Wire.join(desk.server, desk.cookie)
    with closing(sqlite3.connect(desk.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        sending = asyncio.create_task(wire.ask("message:send", desk.message("stuck")))
        await _asked(desk)

        code, seconds = await desk.stop()

        other.execute("ROLLBACK")
    # Told that it failed, or told nothing.
    with suppress(ConnectionError):
        assert "error" in await sending
    assert code == 0
    assert seconds < END_SECONDS
    assert desk.stored() == ["first"]
    await wire.close()


async def test_polling_and_idle_connections_do_not_delay_the_end(
    desk: Desk, polling: Polling, record_property: Callable[[str, object], None]
) -> None:
    idle = await asyncio.open_connection(HOST, desk.server.port)
    idle[1].write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"200" in await idle[0].readline()
    waiting = asyncio.create_task(polling.poll())

    code, seconds = await desk.stop()

    assert code == 0
    assert seconds < END_SECONDS
    assert FAREWELL in await waiting
    # The rest of the answer, and then nothing more.
    await asyncio.wait_for(idle[0].read(), END_SECONDS)
    idle[1].close()
    record_property(
        "SIGTERM with a long poll and an idle connection: ended after", f"{seconds:.1f} s"
    )


async def test_under_load_nothing_acknowledged_is_lost(
    desk: Desk, clinics: Clinics, record_property: Callable[[str, object], None]
) -> None:
    token = await create_token(clinics.database, clinics.aurora.clinic_id)
    acknowledged: set[str] = set()
    enough = asyncio.Event()

    def acknowledge(key: str) -> None:
        acknowledged.add(key)
        if len(acknowledged) == ACKNOWLEDGED:
            enough.set()

    async def staff(number: int) -> None:
        wire = await Wire.join(desk.server, desk.cookie)
        with suppress(ConnectionError):
            for turn in itertools.count():
                key = f"staff {number} {turn}"
                if "message" not in await wire.ask("message:send", desk.message(key)):
                    break
                acknowledge(key)
        await wire.close()

    async def patient(number: int) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=desk.server.origin, headers=headers) as client:
            with suppress(httpx.TransportError):
                for turn in itertools.count():
                    key = f"patient {number} {turn}"
                    body = {
                        "patient": {"name": "Rui", "phone": f"+551198765430{number}"},
                        "body": "oi",
                        "externalId": key,
                    }
                    answer = await client.post("/api/v1/inbound", json=body)
                    if answer.status_code != 201:
                        break
                    acknowledge(key)

    writing = [asyncio.create_task(staff(number)) for number in range(WRITERS)]
    writing += [asyncio.create_task(patient(number)) for number in range(WRITERS)]
    await enough.wait()
    code, seconds = await desk.stop()
    await asyncio.gather(*writing)

    stored = desk.stored()
    assert acknowledged <= set(stored)
    assert len(stored) == len(set(stored))
    # At most what each had under way was stored without its answer arriving.
    assert len(stored) <= len(acknowledged) + 1 + 2 * WRITERS
    assert (code, seconds < END_SECONDS) == (0, True)
    record_property(
        f"SIGTERM while {2 * WRITERS} write: {len(acknowledged)} acknowledged, ended after",
        f"{seconds:.1f} s",
    )


@pytest.fixture
async def polling(desk: Desk) -> AsyncIterator[Polling]:
    async with aiohttp.ClientSession() as session:
        client = Polling(desk.server.origin, desk.cookie, session)
        await client.enter()
        yield client


async def _asked(desk: Desk) -> None:
    """Return when the server has taken what was asked before."""
    wire = await Wire.join(desk.server, desk.cookie)
    answer: Any = await wire.ask("markers:get", {"ids": []})
    assert answer["ok"]
    await wire.close()


async def _greeting(server: ForkedServer) -> bytes:
    """The first bytes of an answer over a new connection."""
    reader, writer = await asyncio.open_connection(HOST, server.port)
    try:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(1):
            return await reader.readline()
    finally:
        writer.close()
