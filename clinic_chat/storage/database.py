"""Database transactions: one writer at a time on SQLite, durable when committed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from time import perf_counter
from typing import Any, TypeVar, cast
from uuid import UUID
from weakref import WeakValueDictionary

import structlog
from sqlalchemy import Connection, QueuePool, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from clinic_chat.metrics.database import COMMIT_SECONDS, TURN_SECONDS
from clinic_chat.metrics.messages import WRITES
from clinic_chat.metrics.scrape import Measured
from clinic_chat.storage.batching import Batcher
from clinic_chat.storage.measuring import measured
from clinic_chat.storage.scoping import CLINIC, FLUSHES, ScopedSession
from clinic_chat.storage.sqlite.engine import sqlite_engine
from clinic_chat.storage.unavailable import StorageUnavailable as StorageUnavailable
from clinic_chat.storage.unavailable import translated

READERS = 8
COMMITTED = "committed"

CommitListener = Callable[[list[Any]], Awaitable[None]]
Result = TypeVar("Result")
AnySession = AsyncSession | Session
Work = Callable[[Session], Result]
"""Code that runs in a transaction in one go: it does not return to the event loop after each
statement, which would take a tenth of a short transaction's time."""

log = structlog.get_logger(__name__)


class Database:
    """Transactions on one database.

    On SQLite, reads use their own connections and a single connection writes with
    `BEGIN IMMEDIATE`, so writers queue here instead of failing on a lock; WAL with
    `synchronous=FULL` makes a commit survive `kill -9` and power loss.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._sqlite = make_url(url).get_backend_name() == "sqlite"
        self._listeners: list[CommitListener] = []
        self._batcher: Batcher[Work[Any], Any] = Batcher(WRITES, self._write_all)
        self._turns: WeakValueDictionary[UUID | None, asyncio.Lock] = WeakValueDictionary()
        if self._sqlite:
            self._reader = sqlite_engine(url, begin="BEGIN", connections=READERS)
            self._writer = sqlite_engine(url, begin="BEGIN IMMEDIATE", connections=1)
        else:
            # A read session sees one snapshot, as on SQLite, because a list and its version belong
            # together.
            self._reader = _pooled_engine(url, isolation_level="REPEATABLE READ")
            self._writer = _pooled_engine(url)

    def on_commit(self, listener: CommitListener) -> None:
        """Call `listener` with each transaction's announced items, after its commit, in order."""
        self._listeners.append(listener)

    @asynccontextmanager
    async def read(self, clinic_id: UUID | None = None) -> AsyncIterator[AsyncSession]:
        """A session for reading one clinic's rows, or rows of no clinic.

        Raises:
            StorageUnavailable: the database cannot be read now.
        """
        async with translated(), _session(self._reader, clinic_id) as session:
            yield session

    @asynccontextmanager
    async def write(self, clinic_id: UUID | None = None) -> AsyncIterator[AsyncSession]:
        """One transaction, committed when the block ends, rolled back when it raises.

        The items that were announced in it (`announce`) reach the commit listeners afterwards.

        Raises:
            StorageUnavailable: the database is locked, full or gone; nothing was written.
        """
        async with self._writing(clinic_id) as session, session.begin():
            yield session

    async def transact(self, clinic_id: UUID, work: Work[Result]) -> Result:
        """The result of `work`, run in a transaction as of `write`.

        Raises:
            StorageUnavailable: the database is locked, full or gone; nothing was written.
        """
        async with self._writing(clinic_id) as session:
            return await session.run_sync(_in_transaction, work)

    async def write_together(self, clinic_id: UUID, work: Work[Result]) -> Result:
        """The result of `work`, run in a transaction that the clinic's other work may share.

        If one raises before it changed anything, the others go on. If one raises later, each runs
        again in a transaction of its own, so no caller gets another's error; `work` must have no
        effects outside of its session.

        Raises:
            StorageUnavailable: the database is locked, full or gone; nothing was written for
                anybody who shared the transaction.
        """
        result: Result = await self._batcher.submit(clinic_id, work)
        return result

    async def _write_all(self, clinic_id: UUID, works: list[Work[Any]]) -> list[Any]:
        try:
            return await self.transact(
                clinic_id, lambda session: [_outcome(session, work) for work in works]
            )
        except StorageUnavailable:
            raise
        except Exception as error:
            if len(works) == 1:
                return [error]
        return [await self._write_alone(clinic_id, work) for work in works]

    async def _write_alone(self, clinic_id: UUID, work: Work[Any]) -> Any:
        try:
            return await self.transact(clinic_id, work)
        except Exception as error:
            return error

    def _turn(self, clinic_id: UUID | None) -> AbstractAsyncContextManager[None]:
        """The queue for writers, entered before they take a connection that others could use.

        SQLite has one writer; on PostgreSQL writers of one clinic wait for each other anyway.
        """
        if self._sqlite:
            return self._turns.setdefault(None, asyncio.Lock())
        if clinic_id is None:
            return nullcontext()
        return self._turns.setdefault(clinic_id, asyncio.Lock())

    @asynccontextmanager
    async def _writing(self, clinic_id: UUID | None) -> AsyncIterator[AsyncSession]:
        asked = perf_counter()
        async with self._turn(clinic_id):
            begun = perf_counter()
            TURN_SECONDS.observe(begun - asked)
            async with translated(), _session(self._writer, clinic_id) as session:
                yield session
                announced = session.info.get(COMMITTED)
            COMMIT_SECONDS.observe(perf_counter() - begun)
            await self._tell(announced)

    async def _tell(self, announced: list[Any] | None) -> None:
        if announced:
            for listener in self._listeners:
                try:
                    await listener(announced)
                except Exception as failure:
                    # The change is stored; an error here would make the caller write it again.
                    log.error("commit.not_told", exc_info=failure)

    async def ping(self) -> None:
        """Return when the database answers.

        Raises:
            StorageUnavailable: it does not.
        """
        async with translated(), self._reader.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def release_idle_connections(self) -> None:
        """Close the connections that are not in use; new ones open when they are needed.

        Each keeps its statements, pages and the rows it read last in memory.

        Raises:
            StorageUnavailable: the database does not answer; the others stay open.
        """
        pool = cast(QueuePool, self._reader.pool)
        for _ in range(pool.checkedin()):
            async with translated(), self._reader.connect() as connection:
                await connection.run_sync(Connection.detach)

    def waiting(self) -> tuple[int, float]:
        """How many wait to share a transaction, and for how many seconds the first of them has."""
        return self._batcher.waiting()

    async def measured(self) -> Measured:
        """Its size and its connections, for a scrape.

        Raises:
            StorageUnavailable: it does not answer.
        """
        async with translated():
            return await measured({"readers": self._reader, "writer": self._writer})

    async def close(self) -> None:
        """Close every connection."""
        await self._writer.dispose()
        await self._reader.dispose()


def announce(session: AnySession, item: Any) -> None:
    """Pass `item` to the commit listeners after this session's transaction is committed."""
    session.info.setdefault(COMMITTED, []).append(item)


def _in_transaction(session: Session, work: Work[Result]) -> Result:
    with session.begin():
        return work(session)


def _outcome(session: Session, work: Work[Any]) -> Any:
    """The result of the work, or its error if it raised before it changed anything.

    Raises:
        Exception: the work failed after a change, or with a database error.
    """
    if _has_changes(session):
        session.flush()
    flushes = session.info.get(FLUSHES, 0)
    try:
        return work(session)
    except (SQLAlchemyError, StorageUnavailable):
        raise
    except Exception as error:
        if flushes != session.info.get(FLUSHES, 0):
            raise
        if _has_changes(session):
            raise
        return error


def _has_changes(session: Session) -> bool:
    return bool(session.new or session.dirty or session.deleted)


@asynccontextmanager
async def _session(engine: AsyncEngine, clinic_id: UUID | None) -> AsyncIterator[AsyncSession]:
    session = AsyncSession(
        engine,
        sync_session_class=ScopedSession,
        expire_on_commit=False,
        info={CLINIC: clinic_id},
    )
    async with session:
        yield session


def _pooled_engine(url: str, **options: Any) -> AsyncEngine:
    return create_async_engine(
        url, pool_size=10, max_overflow=10, pool_pre_ping=True, hide_parameters=True, **options
    )
