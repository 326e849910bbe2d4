"""SQLite connection: runs on its driver's thread as rarely as it can."""

import asyncio
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, Self

import aiosqlite

from clinic_chat.metrics.database import BUSY_WAITS
from clinic_chat.storage.sqlite.library import sqlite3

# A transaction that begins like this takes no lock yet (https://sqlite.org/wal.html).
WAITS_FOR_NOBODY = "BEGIN"
PRIVATE = 0o600
OTHERS = 0o077


class _Cursor(aiosqlite.Cursor):
    """Uses the connection's thread once per statement, where aiosqlite does four times.

    A quick statement that waits for no lock does not use it at all: it takes less time than the
    switch to a thread and back, which costs about 0.2 ms.

    All cursors of a connection share one of the driver's, so each fetches its statement's rows
    before the next statement: the driver would remember 200 cursors that are not used any more.
    """

    _conn: "_Connection"
    _rows: Iterator[Any] = iter(())
    quick = False
    description: Any = None
    rowcount: int = -1
    lastrowid: int | None = None

    def at_once(self, sql: str, parameters: Iterable[Any]) -> list[Any] | None:
        """The rows of a quick statement, None when it has to run on the thread."""
        if self.quick and self._conn.is_free():
            return self._run(sql, parameters)
        return None

    def many_at_once(self, sql: str, parameters: Iterable[Iterable[Any]]) -> bool:
        """Run a quick statement with several rows; False when it has to run on the thread."""
        if self.quick and self._conn.is_free():
            self._run_many(sql, parameters)
            return True
        return False

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
        """Do nothing: every row was fetched."""


class _Connection(aiosqlite.Connection):
    def __init__(self, connector: Callable[[], Any], busy_seconds: float) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._busy_ms = round(busy_seconds * 1000)
        self._begin = ""
        self._visits: set[object] = set()

    def begin_with_next(self, begin: str) -> None:
        """Begin a transaction with the next statement, in the same use of the thread."""
        self._begin = begin

    def take_begin(self) -> str:
        """The BEGIN that is due before the next statement, once; "" for none."""
        begin, self._begin = self._begin, ""
        return begin

    def is_free(self) -> bool:
        """Whether a statement would wait neither for the thread nor for another connection."""
        if self._visits:
            return False
        return self._begin in ("", WAITS_FOR_NOBODY) or self._begins_at_once()

    def _begins_at_once(self) -> bool:
        """Begin the transaction if no other connection holds the lock; whether it has begun."""
        self._shared_cursor.execute("PRAGMA busy_timeout=0")
        try:
            self._shared_cursor.execute(self._begin)
            self._begin = ""
        except sqlite3.OperationalError:
            BUSY_WAITS.add()
            return False
        finally:
            self._shared_cursor.execute(f"PRAGMA busy_timeout={self._busy_ms}")
        return True

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        # The caller may be cancelled while the thread still works.
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
            # The thread still delivers a result to the loop, which must run until then.
            await asyncio.to_thread(self._thread.join)
            raise
        self._shared_cursor = self._conn.cursor()
        return self

    def cursor(self) -> Any:
        return _Cursor(self, self._shared_cursor)


def sqlite_connection(path: str, *, timeout: float = 5.0, **options: Any) -> aiosqlite.Connection:
    """A connection for SQLAlchemy's `async_creator_fn`; it waits `timeout` seconds for a lock."""

    def connect() -> Any:
        keep_private(path)
        return sqlite3.connect(path, timeout, **options)

    connection = _Connection(connect, timeout)
    # A process that stops must not wait for its connections.
    connection._thread.daemon = True
    return connection


def keep_private(path: str) -> None:
    """Restrict a database file to its owner; a missing file is made if its folder exists.

    SQLite gives the files that it makes beside it the same mode
    (https://sqlite.org/walformat.html). The file is never opened here: to close it would cancel
    every lock that this process has on it, and another process would take away the log under it
    (https://sqlite.org/howtocorrupt.html).
    """
    if path == ":memory:" or path.startswith("file:"):
        return
    # Opening the database reports a fault of the file better than this could.
    with suppress(OSError):
        if not os.path.exists(path):
            _make_empty(path)
    for name in (path, f"{path}-wal", f"{path}-shm"):
        with suppress(OSError):
            if os.stat(name).st_mode & OTHERS:
                os.chmod(name, PRIVATE)


def _make_empty(path: str) -> None:
    handle, unnamed = tempfile.mkstemp(dir=os.path.dirname(path) or ".")
    os.close(handle)
    try:
        os.link(unnamed, path)
    finally:
        os.unlink(unnamed)
