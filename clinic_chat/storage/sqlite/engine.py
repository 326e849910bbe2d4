"""SQLite engine: its settings, its transactions, and SQLAlchemy's adapter for its driver."""

from collections import deque
from contextlib import suppress
from typing import Any

from sqlalchemy import event
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from clinic_chat.storage.sqlite.connection import sqlite_connection
from clinic_chat.storage.sqlite.library import driver, sqlite3
from clinic_chat.storage.statements import ON_EVENT_LOOP_OPTION

# Well under the time after which a browser takes the connection for dead.
BUSY_TIMEOUT_MS = 2_000
# The log only grows while a connection reads; without a limit the file would stay that large
# (https://sqlite.org/pragma.html#pragma_journal_size_limit).
WAL_BYTES = 16 * 1024 * 1024

# Changes of so many rows take less time than the switch to the connection's thread.
FEW_ROWS = 50


def sqlite_engine(url: str, *, begin: str, connections: int) -> AsyncEngine:
    """An engine with this many connections, whose transactions start with `begin`."""
    engine = create_async_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        hide_parameters=True,
        module=sqlite_driver(),
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "async_creator_fn": sqlite_connection},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        # The driver must not open transactions by itself, or BEGIN IMMEDIATE comes too late.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "cache_size=-16000",
            f"journal_size_limit={WAL_BYTES}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.connection.driver_connection.begin_with_next(begin)

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def _tell_quick(
        _connection: Any, cursor: Any, _sql: str, parameters: Any, context: Any, many: bool
    ) -> None:
        # Statements that run for every event use an index, and so do an object's own changes.
        again = context.execution_options.get(ON_EVENT_LOOP_OPTION)
        few = not many or len(parameters) <= FEW_ROWS
        cursor._cursor.quick = few and (again or context.isinsert or context.isupdate)

    @event.listens_for(engine.sync_engine, "invalidate")
    def _let_go(connection: Any, _record: Any, _error: Any) -> None:
        # A cancelled caller leaves its statement unfinished. Closing would wait for that
        # (https://sqlite.org/c3ref/close.html), and the write lock would stay.
        with suppress(Exception):
            connection.rollback()

    return engine


def sqlite_driver() -> AsyncAdapt_aiosqlite_dbapi:
    """SQLAlchemy's `module` for every engine on SQLite."""
    return _Driver(driver, sqlite3)


class _AdaptedCursor(AsyncAdapt_aiosqlite_cursor):
    """Uses coroutines only for statements that have to wait, where SQLAlchemy uses three each."""

    __slots__ = ()

    def _aenter_cursor(self, cursor: Any) -> Any:
        return cursor

    def execute(self, operation: Any, parameters: Any = None) -> Any:
        cursor: Any = self._cursor
        try:
            rows = cursor.at_once(operation, parameters or ())
        except Exception as error:
            self._adapt_connection._handle_exception(error)
        if rows is None:
            return super().execute(operation, parameters)
        self._rows = deque(rows)
        return cursor

    def executemany(self, operation: Any, seq_of_parameters: Any) -> Any:
        cursor: Any = self._cursor
        try:
            done = cursor.many_at_once(operation, seq_of_parameters)
        except Exception as error:
            self._adapt_connection._handle_exception(error)
        return cursor if done else super().executemany(operation, seq_of_parameters)

    def close(self) -> None:
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """Do nothing: every row was fetched."""


class _AdaptedConnection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ()

    _cursor_cls = _AdaptedCursor


class _Driver(AsyncAdapt_aiosqlite_dbapi):
    def connect(self, *args: Any, **options: Any) -> AsyncAdapt_aiosqlite_connection:
        return _AdaptedConnection(self, super().connect(*args, **options)._connection)
