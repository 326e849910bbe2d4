"""What was acknowledged survives, and a database in trouble says so and loses nothing."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.events.log import events_after
from clinic_chat.domain.messages.message import Message
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.messages.views import StoredMessage
from clinic_chat.domain.queries.message_pages import messages_page
from clinic_chat.storage.database import Database, StorageUnavailable
from clinic_chat.storage.sqlite import engine as storage
from clinic_chat.storage.sqlite.library import sqlite3
from tests.support.sending import send_message

if TYPE_CHECKING:
    from tests.conftest import Clinics

KILLS = 3
# Sends without a pause and says which messages were acknowledged, each on a line.
WRITER = """
import asyncio, sys
from uuid import UUID
from clinic_chat.domain.messages.sending import Sends
from clinic_chat.domain.clinics.actors import Role, StaffActor
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.storage.database import Database

async def main(url, clinic, user, conversation, prefix):
    scope = ClinicScope(Database(url), UUID(clinic), StaffActor(UUID(user), Role.ADMIN))

    sends = Sends(scope.database)

    async def send_many(lane):
        number = 0
        while True:
            key = f"{prefix}-{lane}-{number}"
            await sends.send(scope, conversation, "x" * 500, key)
            print(key, flush=True)
            number += 1

    await asyncio.gather(*(send_many(lane) for lane in range(4)))

asyncio.run(main(*sys.argv[1:]))
"""


async def _receive(scope: ClinicScope, key: str = "first") -> StoredMessage:
    return await receive_message(
        scope, name="Paula", phone="+5511987654321", body="olá", external_id=key
    )


async def _conversation(scope: ClinicScope) -> str:
    return (await _receive(scope)).message.conversation_id


@pytest.mark.parametrize("engine", ["_reader", "_writer"])
async def test_the_pragmas_that_make_a_commit_durable_are_in_force(
    database: Database, engine: str
) -> None:
    async with getattr(database, engine).connect() as connection:

        async def pragma(name: str) -> Any:
            return (await connection.execute(text(f"PRAGMA {name}"))).scalar()

        assert await pragma("journal_mode") == "wal"
        assert await pragma("synchronous") == 2  # FULL
        assert await pragma("foreign_keys") == 1
        assert await pragma("busy_timeout") == storage.BUSY_TIMEOUT_MS >= 1_000


async def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(
    clinics: Clinics, database_path: Path
) -> None:
    conversation = await _conversation(clinics.aurora)
    acknowledged: list[str] = []
    for run in range(KILLS):
        writer = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-c", WRITER, f"sqlite+aiosqlite:///{database_path}"),
            *map(str, (clinics.ana.clinic_id, clinics.ana.user_id, conversation, run)),
            cwd=Path(__file__).parents[3],
            stdout=asyncio.subprocess.PIPE,
        )
        assert writer.stdout is not None
        for _ in range(12):
            acknowledged.append((await writer.stdout.readline()).decode().strip())
        writer.send_signal(signal.SIGKILL)
        # What it had said before the signal reached it counts as well.
        acknowledged += (await writer.stdout.read()).decode().split()
        assert await writer.wait() == -signal.SIGKILL

    assert len(acknowledged) >= 12 * KILLS
    with closing(sqlite3.connect(database_path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    async with clinics.aurora.read() as session:
        messages = (await session.scalars(select(Message).order_by(Message.seq))).all()
    assert set(acknowledged) <= {message.client_id for message in messages}
    assert [message.seq for message in messages] == list(range(1, len(messages) + 1))
    log = await events_after(clinics.aurora, 0, limit=10_000)
    assert [event.seq for event in log] == list(range(1, len(messages) + 1))
    assert (await send_message(clinics.ana, conversation, "depois", "k")).created


@pytest.fixture
async def impatient(clinics: Clinics, database_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ana with a connection of her own that waits only 50 ms for a lock."""
    monkeypatch.setattr(storage, "BUSY_TIMEOUT_MS", 50)
    database = Database(f"sqlite+aiosqlite:///{database_path}")
    yield ClinicScope(database, clinics.ana.clinic_id, clinics.ana.actor)
    await database.close()


async def test_a_database_locked_by_another_process_is_unavailable_and_then_works(
    clinics: Clinics, database_path: Path, impatient: ClinicScope
) -> None:
    conversation = await _conversation(clinics.aurora)
    with closing(sqlite3.connect(database_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailable):
            await send_message(impatient, conversation, "oi", "k")
        assert (await messages_page(impatient, conversation)).last_seq == 1  # reading works
        other.execute("ROLLBACK")
    assert (await send_message(impatient, conversation, "oi", "k")).created
    assert not (await send_message(impatient, conversation, "oi", "k")).created
    page = await messages_page(impatient, conversation)
    assert [message.client_id for message in page.messages] == ["", "k"]


async def test_a_lock_that_goes_away_in_time_is_waited_for(
    clinics: Clinics, database_path: Path
) -> None:
    conversation = await _conversation(clinics.aurora)
    with closing(sqlite3.connect(database_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        sending = asyncio.create_task(send_message(clinics.ana, conversation, "oi", "k"))
        # Reads answer while the writer waits: the event loop is not blocked.
        assert (await messages_page(clinics.ana, conversation)).last_seq == 1
        assert not sending.done()
        other.execute("ROLLBACK")
    assert (await sending).created


async def test_a_sender_who_goes_away_at_any_moment_leaves_the_database_free(
    clinics: Clinics, impatient: ClinicScope
) -> None:
    conversation = await _conversation(clinics.aurora)
    gone = []
    for steps in range(60):
        sending = asyncio.create_task(send_message(impatient, conversation, "oi", f"{steps}"))
        for _ in range(steps):
            await asyncio.sleep(0)
        sending.cancel()
        # Kept, as a log keeps an error: what its traceback refers to lives on.
        gone.append(await asyncio.gather(sending, return_exceptions=True))
        assert (await send_message(impatient, conversation, "oi", f"after {steps}")).created
    seqs = [m.seq for m in (await messages_page(impatient, conversation, limit=1_000)).messages]
    assert seqs == list(range(1, len(seqs) + 1))


async def test_rows_are_all_there_however_they_are_fetched(
    any_database: Database, clinics: Clinics
) -> None:
    for number in range(25):
        await _receive(clinics.aurora, f"{number}")
    in_order = select(Message.seq).order_by(Message.seq)
    async with clinics.aurora.read() as session:
        assert [seq async for seq in await session.stream_scalars(in_order)] == list(range(1, 26))
        portions = (await session.stream_scalars(in_order)).partitions(10)
        assert [len(rows) async for rows in portions] == [10, 10, 5]
        assert (await session.scalars(in_order)).first() == 1
        assert await session.scalar(in_order.offset(24)) == 25
        assert await session.scalar(in_order.offset(25)) is None


async def test_a_full_disk_stores_nothing_and_works_again_with_space(
    clinics: Clinics,
) -> None:
    conversation = await _conversation(clinics.aurora)

    async def limit_pages(pages: int) -> None:
        # The limit belongs to a connection, and the writer has exactly one.
        async with clinics.database._writer.connect() as connection:
            await connection.execute(text(f"PRAGMA max_page_count = {pages}"))

    await limit_pages(1)  # the smallest SQLite accepts: what it has now
    sent = await _send_until_full(clinics, conversation)
    assert (await messages_page(clinics.ana, conversation)).last_seq == 1 + sent
    assert len(await events_after(clinics.aurora, 0)) == 1 + sent

    await limit_pages(1_000_000)
    again = await send_message(clinics.ana, conversation, "x" * 4_000, f"{sent}")
    assert again.created
    assert again.message.seq == 2 + sent


async def _send_until_full(clinics: Clinics, conversation: str) -> int:
    """Sends until there is no space, and returns how many messages were acknowledged."""
    for sent in range(1_000):
        try:
            await send_message(clinics.ana, conversation, "x" * 4_000, f"{sent}")
        except StorageUnavailable:
            return sent
    pytest.fail("the disk did not fill up")


async def test_a_mistake_in_a_statement_is_not_taken_for_trouble(any_database: Database) -> None:
    async def mistake() -> None:
        async with any_database.read() as session:
            await session.execute(select(Clinic.id).where(func.no_such_function(Clinic.slug)))

    with pytest.raises(DBAPIError):
        await mistake()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://postgres@127.0.0.1:1/clinic_chat",
        "postgresql+asyncpg://postgres@/clinic_chat?host=/no/such/directory",
        "postgresql+asyncpg://postgres@host.invalid/clinic_chat",
    ],
)
async def test_a_database_out_of_reach_is_unavailable(url: str) -> None:
    database = Database(url)
    with pytest.raises(StorageUnavailable):
        await database.ping()
    for session in (database.read(), database.write()):
        with pytest.raises(StorageUnavailable):
            await _first_clinic(session)
    await database.close()


async def _first_clinic(opening: Any) -> Clinic | None:
    async with opening as session:
        clinic: Clinic | None = await session.scalar(select(Clinic))
        return clinic


async def test_a_missing_postgresql_database_is_unavailable(postgres_url: str) -> None:
    database = Database(postgres_url.replace("@/postgres?", "@/missing?"))
    with pytest.raises(StorageUnavailable):
        await database.ping()
    await database.close()


@pytest.fixture
async def postgres_aurora(
    postgres_database: Database, populate: Callable[..., Awaitable[Clinics]]
) -> Clinics:
    return await populate(postgres_database)


async def test_a_connection_postgresql_cuts_is_unavailable_and_stores_nothing(
    postgres_aurora: Clinics, postgres_url: str
) -> None:
    channel = postgres_aurora.aurora

    async def cut_off() -> None:
        async with channel.write() as session:
            # A stand-in for a restarting server: the process behind this transaction ends.
            (await session.scalars(select(Clinic))).all()
            await _administer(
                postgres_url,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE state = 'idle in transaction'",
            )

    with pytest.raises(StorageUnavailable):
        await cut_off()
    assert (await _receive(channel)).message.seq == 1
    assert len(await events_after(channel, 0)) == 1


async def test_a_lock_postgresql_gives_up_on_is_unavailable_and_then_works(
    postgres_aurora: Clinics, postgres_database_url: str
) -> None:
    channel = postgres_aurora.aurora

    async def lock_at_once() -> None:
        async with channel.database.write(channel.clinic_id) as session:
            await session.scalar(select(Clinic).with_for_update(nowait=True))

    other = await asyncpg.connect(postgres_database_url.replace("+asyncpg", ""))
    async with other.transaction():
        await other.execute("SELECT * FROM clinics FOR UPDATE")
        with pytest.raises(StorageUnavailable):
            await lock_at_once()
    await other.close()
    assert (await _receive(channel)).created


async def _administer(postgres_url: str, command: str) -> None:
    connection = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    try:
        await connection.execute(command)
    finally:
        await connection.close()


async def test_a_busy_clinic_does_not_keep_another_from_writing(
    postgres_aurora: Clinics,
) -> None:
    async with postgres_aurora.aurora.write():
        waiting = [
            asyncio.create_task(_receive(postgres_aurora.aurora, f"{number}"))
            for number in range(40)
        ]
        await asyncio.sleep(0)  # all of them have asked for what they wait for
        async with asyncio.timeout(10):
            assert (await _receive(postgres_aurora.boreal)).created
        assert not any(task.done() for task in waiting)
    stored = await asyncio.gather(*waiting)
    assert sorted(one.message.seq for one in stored) == list(range(1, 41))
