"""Looking at a database without changing it: one moment of it, also while a server writes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiosqlite
from alembic.migration import MigrationContext
from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from clinic_chat.storage.sqlite.connection import sqlite_connection
from clinic_chat.storage.sqlite.engine import sqlite_driver
from clinic_chat.storage.sqlite.library import sqlite3

# A migration of another process is waited for.
LOCK_SECONDS = 60.0


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite database, None for another kind of database."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return None
    return Path(parsed.database or ":memory:")


def sqlite_url(path: Path) -> str:
    """The URL of a database in this file."""
    return URL.create("sqlite+aiosqlite", database=str(path.absolute())).render_as_string()


def open_sqlite(path: Path) -> Any:
    """A connection of the driver that can change no row; a missing file is not made."""
    connection = sqlite3.connect(_uri(path), LOCK_SECONDS, uri=True, isolation_level=None)
    connection.execute("PRAGMA query_only=ON")
    return connection


@asynccontextmanager
async def inspecting(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection that sees one moment and can change nothing."""
    engine = _engine(url)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


async def current_revision(url: str) -> str | None:
    """The revision of a database's schema, None where there are no tables of ours."""
    path = sqlite_file(url)
    if path is not None and not path.exists():
        return None
    async with inspecting(url) as connection:
        return await connection.run_sync(_revision)


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _uri(path: Path) -> str:
    # Not read-only: whoever stopped in the middle may have left what is to be rolled back.
    return f"file:{quote(str(path.absolute()))}?mode=rw"


def _engine(url: str) -> AsyncEngine:
    path = sqlite_file(url)
    if path is None:
        return create_async_engine(
            url,
            poolclass=NullPool,
            hide_parameters=True,
            isolation_level="REPEATABLE READ",
            execution_options={"postgresql_readonly": True},
        )

    def connect(_path: str, **options: Any) -> aiosqlite.Connection:
        return sqlite_connection(_uri(path), uri=True, **options)

    engine = create_async_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        module=sqlite_driver(),
        connect_args={"timeout": LOCK_SECONDS, "async_creator_fn": connect},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine
