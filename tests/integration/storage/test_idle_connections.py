"""Connections that a crowd needed are closed when it is gone, under nobody's hands."""

import asyncio
import threading
from contextlib import AsyncExitStack

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.storage.database import Database

TOGETHER = 5
WAIT_SECONDS = 5
LOOK_SECONDS = 0.01


async def connections(database: Database) -> int:
    """How many there are: each of SQLite has a thread, and PostgreSQL knows its clients."""
    if database.url.startswith("sqlite"):
        return sum("_connection_worker" in thread.name for thread in threading.enumerate())
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    async with database._writer.connect() as connection:
        return (await connection.execute(text(query))).scalar_one()


async def read(session: AsyncSession) -> int:
    return (await session.execute(select(func.count()).select_from(Clinic))).scalar_one()


async def opened(database: Database, stack: AsyncExitStack, count: int) -> None:
    for _ in range(count):
        assert await read(await stack.enter_async_context(database.read())) == 0


async def closed(database: Database, left: int) -> None:
    """Wait for the last of the others to be gone, which a server of its own takes a moment for."""
    for _ in range(int(WAIT_SECONDS / LOOK_SECONDS)):
        if await connections(database) == left:
            return
        await asyncio.sleep(LOOK_SECONDS)
    raise AssertionError(f"{await connections(database)} connections, not {left}")


async def test_connections_that_nobody_reads_with_are_closed(any_database: Database) -> None:
    before = await connections(any_database)

    for _ in range(2):
        async with AsyncExitStack() as readers:
            await opened(any_database, readers, TOGETHER)
        assert await connections(any_database) == before + TOGETHER
        await any_database.release_idle_connections()
        await closed(any_database, before)


async def test_whoever_reads_meanwhile_is_not_disturbed(any_database: Database) -> None:
    async with AsyncExitStack() as idle:
        await opened(any_database, idle, TOGETHER)

    async with any_database.read() as session:
        assert await read(session) == 0
        await any_database.release_idle_connections()
        assert await read(session) == 0
        await any_database.release_idle_connections()
    async with any_database.read() as session:
        assert await read(session) == 0
