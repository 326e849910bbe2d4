"""Statements that wait for nobody run at once; all others leave the event loop free."""

import asyncio
import gc
import weakref
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from clinic_chat.domain.conversations.views import get_conversation
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.queries.inbox import list_conversations
from clinic_chat.storage.database import StorageUnavailable
from clinic_chat.storage.sqlite.connection import sqlite_connection
from clinic_chat.storage.sqlite.library import sqlite3
from tests.conftest import Clinics

NOTICEABLE_SECONDS = 0.5


@pytest.fixture
def visits(monkeypatch: pytest.MonkeyPatch) -> list[Callable[..., Any]]:
    """What was done in threads of connections."""
    done: list[Callable[..., Any]] = []
    original = aiosqlite.Connection._execute

    async def execute(self: aiosqlite.Connection, fn: Callable[..., Any], *args: Any) -> Any:
        done.append(fn)
        return await original(self, fn, *args)

    monkeypatch.setattr(aiosqlite.Connection, "_execute", execute)
    return done


async def delivered(clinics: Clinics, key: str) -> str:
    stored = await receive_message(
        clinics.aurora, name="Zoé", phone="+5511911110001", body="Bom dia", external_id=key
    )
    return stored.message.conversation_id


async def test_reading_by_index_visits_no_thread(
    clinics: Clinics, visits: list[Callable[..., Any]]
) -> None:
    place = await delivered(clinics, "1")
    await get_conversation(clinics.ana, place)  # opens the connection
    visits.clear()

    assert (await get_conversation(clinics.ana, place)).id == place
    assert visits == []

    await list_conversations(clinics.ana)
    assert visits


async def test_a_change_visits_the_thread_to_be_durable(
    clinics: Clinics, visits: list[Callable[..., Any]]
) -> None:
    await delivered(clinics, "1")
    visits.clear()

    await delivered(clinics, "2")
    assert len(visits) == 1


async def test_a_lock_of_another_process_does_not_stop_the_loop(
    clinics: Clinics, database_path: Path
) -> None:
    await delivered(clinics, "1")
    loop = asyncio.get_running_loop()
    pauses = []

    async def watch() -> None:
        while True:
            before = loop.time()
            await asyncio.sleep(0)
            pauses.append(loop.time() - before)

    with closing(sqlite3.connect(database_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        watching = asyncio.create_task(watch())
        with pytest.raises(StorageUnavailable):
            await delivered(clinics, "2")
        watching.cancel()

    assert max(pauses) < NOTICEABLE_SECONDS


async def test_statements_leave_nothing_behind_in_their_connection(clinics: Clinics) -> None:
    """The driver remembers up to 200 cursors of a connection, used or not."""
    place = await delivered(clinics, "1")

    async def read_and_count() -> int:
        for _ in range(20):
            await get_conversation(clinics.ana, place)
            await list_conversations(clinics.ana)
        gc.collect()
        return sum(type(found) is weakref.ref and found() is None for found in gc.get_objects())

    before = await read_and_count()
    assert await read_and_count() == before


async def test_each_statement_keeps_what_it_found(tmp_path: Path) -> None:
    connection = await sqlite_connection(str(tmp_path / "found.db"), check_same_thread=False)
    try:
        first: Any = connection.cursor()
        second: Any = connection.cursor()
        await first.execute("SELECT 1 AS one UNION SELECT 2")
        await second.execute("CREATE TABLE notes (body TEXT)")
        await second.execute("INSERT INTO notes VALUES ('a'), ('b')")

        assert [column[0] for column in first.description] == ["one"]
        assert await first.fetchall() == [(1,), (2,)]
        assert (second.description, second.rowcount, second.lastrowid) == (None, 2, 2)
    finally:
        await connection.close()
