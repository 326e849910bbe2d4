"""SQLite underneath: its settings, its transactions, and few visits to its threads."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, Self

import aiosqlite
from sqlalchemy import event
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from clinic_chat.storage.scoping import AGAIN

# A transaction that begins like this waits for nobody (https://sqlite.org/wal.html).
WAITS_FOR_NOBODY = "BEGIN"
# Well under what a browser waits for an answer before it takes the connection for dead.
BUSY_TIMEOUT_MS = 2_000


def sqlite_engine(url: str, *, begin: str, connections: int) -> AsyncEngine:
    """An engine with this many connections, whose transactions start with `begin`."""
    engine = create_async_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        hide_parameters=True,
        module=_Driver(aiosqlite, sqlite3),
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
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.connection.driver_connection.begin_with_next(begin)

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def _tell_quick(
        _connection: Any, cursor: Any, _sql: str, _parameters: Any, context: Any, many: bool
    ) -> None:
        # What runs for everything that happens goes by index, and so do an object's changes.
        again = context.execution_options.get(AGAIN)
        cursor._cursor.quick = not many and (again or context.isinsert or context.isupdate)

    @event.listens_for(engine.sync_engine, "invalidate")
    def _let_go(connection: Any, _record: Any, _error: Any) -> None:
        # A caller that is cancelled in the middle of a statement leaves it unfinished. Closing
        # waits for it (https://sqlite.org/c3ref/close.html), and the write lock would stay.
        with suppress(Exception):
            connection.rollback()

    return engine


class _AdaptedCursor(AsyncAdapt_aiosqlite_cursor):
    """Goes by way of coroutines only for what has to wait, where SQLAlchemy does three times."""

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

    def close(self) -> None:
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """Nothing is left to close: every row was fetched."""


class _AdaptedConnection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ()

    _cursor_cls = _AdaptedCursor


class _Driver(AsyncAdapt_aiosqlite_dbapi):
    def connect(self, *args: Any, **options: Any) -> AsyncAdapt_aiosqlite_connection:
        return _AdaptedConnection(self, super().connect(*args, **options)._connection)


class _Cursor(aiosqlite.Cursor):
    """Visits the connection's thread once per statement, where aiosqlite does four times.

    A quick statement that waits for no lock does not go there at all: it takes less time than
    the way to a thread and back, which costs about 0.2 ms.

    All of a connection are the same one of the driver's, so each takes what its statement found
    before the next statement: the driver would remember 200 that are not used any more.
    """

    _conn: "_Connection"
    _rows: Iterator[Any] = iter(())
    quick = False
    description: Any = None
    rowcount: int = -1
    lastrowid: int | None = None

    def at_once(self, sql: str, parameters: Iterable[Any]) -> list[Any] | None:
        """The rows of a quick statement, None when it has to go to the thread."""
        if self.quick and self._conn.is_free():
            return self._run(sql, parameters)
        return None

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> Self:
        rows = await self._execute(self._run, sql, parameters or ())  # type: ignore[no-untyped-call]
        self._rows = iter(rows)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> Self:
        await self._execute(self._run_many, sql, parameters)  # type: ignore[no-untyped-call]
        return self

    def _begin(self) -> None:
        if begin := self._conn.take_begin():
            self._cursor.execute(begin)

    def _run_many(self, sql: str, parameters: Any) -> None:
        self._begin()
        self._cursor.executemany(sql, parameters)
        self._found()

    def _run(self, sql: str, parameters: Any) -> list[Any]:
        self._begin()
        self._cursor.execute(sql, parameters)
        return self._found()

    def _found(self) -> list[Any]:
        cursor = self._cursor
        rows = cursor.fetchall() if cursor.description else []
        self.description = cursor.description
        self.rowcount = cursor.rowcount
        self.lastrowid = cursor.lastrowid
        return rows

    async def fetchone(self) -> Any:
        return next(self._rows, None)

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        return list(islice(self._rows, size or 1))

    async def fetchall(self) -> list[Any]:
        return list(self._rows)

    async def close(self) -> None:
        """Nothing is left to close: every row was fetched."""


class _Connection(aiosqlite.Connection):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._begin = ""
        self._visits: set[object] = set()

    def begin_with_next(self, begin: str) -> None:
        """Start a transaction with the next statement, in the same visit to the thread."""
        self._begin = begin

    def take_begin(self) -> str:
        """What is still to be said before the next statement, once."""
        begin, self._begin = self._begin, ""
        return begin

    def is_free(self) -> bool:
        """Whether a statement would wait neither for the thread's nor for another's lock."""
        if self._visits:
            return False
        return self._begin in ("", WAITS_FOR_NOBODY) or self._begins_at_once()

    def _begins_at_once(self) -> bool:
        """Whether the transaction has begun, because nobody else had the lock."""
        self._drivers.execute("PRAGMA busy_timeout=0")
        try:
            self._drivers.execute(self._begin)
            self._begin = ""
        except sqlite3.OperationalError:
            return False
        finally:
            self._drivers.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        return True

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        # Whoever asked may be cancelled while the thread still works.
        visit = object()
        self._visits.add(visit)

        def run() -> Any:
            try:
                return fn(*args, **kwargs)
            finally:
                self._visits.discard(visit)

        return await super()._execute(run)  # type: ignore[no-untyped-call]

    async def commit(self) -> None:
        if not self.take_begin():
            await super().commit()

    async def rollback(self) -> None:
        if self.take_begin():
            return
        if self._visits:
            await super().rollback()
        else:
            self._conn.rollback()

    async def _connect(self) -> Self:
        try:
            await super()._connect()
        except Exception:
            # Its thread still has an answer to give, while there is a loop to take it.
            await asyncio.to_thread(self._thread.join)
            raise
        self._drivers = self._conn.cursor()
        return self

    def cursor(self) -> Any:
        return _Cursor(self, self._drivers)


def sqlite_connection(path: str, **options: Any) -> aiosqlite.Connection:
    """A connection for SQLAlchemy's `async_creator_fn`."""
    connection = _Connection(lambda: sqlite3.connect(path, **options), iter_chunk_size=64)
    # A process that stops does not wait for its connections.
    connection._thread.daemon = True
    return connection
