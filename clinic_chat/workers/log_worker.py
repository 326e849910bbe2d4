"""Runs the durable readers of the event log: each event once, in order, even after `kill -9`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from uuid import UUID, uuid4

import structlog
from sqlalchemy.orm import Session

from clinic_chat.domain.clinics.actors import SYSTEM
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.events.log import CommittedEvent, events_after
from clinic_chat.domain.events.readers import LeaseLost, advance, events_behind, places_behind
from clinic_chat.metrics.instruments import Labels
from clinic_chat.metrics.messages import READER_EVENTS, READER_SECONDS
from clinic_chat.metrics.scrape import Measured, measured_by
from clinic_chat.storage.database import Database, StorageUnavailable

BATCH = 200
# Interval of looking for events of other processes and of retrying failures.
LOOK_SECONDS = 5.0
LEASE = timedelta(seconds=30)
MAX_RETRY_SECONDS = 60.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Reader:
    """A durable reader: a function for the events, and the name under which its place is stored."""

    name: str
    take: Callable[[Session, list[CommittedEvent]], None]
    """Writes only to the session of the transaction that stores the reader's new place."""
    every_seconds: float = 1.0
    """Pause that collects events: a transaction for each message would double the transactions."""
    on_request: bool = False
    """Whether it reads only where it was started (`start_reading`)."""


class LogWorker:
    """Runs the readers of one process."""

    def __init__(self, database: Database, readers: tuple[Reader, ...]) -> None:
        self._database = database
        self._readers = readers
        self._holder = str(uuid4())
        self._news = {reader.name: asyncio.Event() for reader in readers}
        # By reader and clinic: how often it failed in a row, and when it is tried again.
        self._failed: dict[tuple[str, UUID], tuple[int, float]] = {}
        # By reader and clinic: since when this process knows of events that are not taken.
        self._waiting: dict[tuple[str, UUID], float] = {}
        self._on_taken: dict[str, Callable[[], None]] = {}
        database.on_commit(self._committed)

    def on_taken(self, name: str, listener: Callable[[], None]) -> None:
        """Call `listener` whenever this process's reader of that name has taken events."""
        self._on_taken[name] = listener

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Run all readers while the server runs."""
        tasks = [
            asyncio.create_task(self.run(reader), name=f"clinic_chat_reader_{reader.name}")
            for reader in self._readers
        ]
        try:
            with measured_by(self.measured):
                yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def run(self, reader: Reader) -> None:
        """Run one reader until cancelled."""
        news = self._news[reader.name]
        while True:
            news.clear()
            await self.catch_up(reader)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await news.wait()
            await asyncio.sleep(reader.every_seconds)

    async def catch_up(self, reader: Reader) -> None:
        """Pass a reader its unread events, in every clinic that no other process reads."""
        try:
            behind = await places_behind(
                self._database, reader.name, self._holder, on_request=reader.on_request
            )
        except StorageUnavailable:
            log.warning("worker.storage_unavailable", reader=reader.name)
            return
        for name, clinic_id in [*self._waiting]:
            # Another process has taken them, or takes them now.
            if name == reader.name and clinic_id not in behind:
                del self._waiting[name, clinic_id]
        for clinic_id, cursor in behind.items():
            failures, due = self._failed.get((reader.name, clinic_id), (0, 0.0))
            since = self._waiting.setdefault((reader.name, clinic_id), monotonic())
            if monotonic() < due:
                continue
            # What is committed while it reads waits from then on.
            del self._waiting[reader.name, clinic_id]
            try:
                scope = ClinicScope(self._database, clinic_id, SYSTEM)
                await self._read(reader, scope, cursor)
            except (LeaseLost, StorageUnavailable):
                self._waiting[reader.name, clinic_id] = since
                log.info("worker.interrupted", reader=reader.name, clinic=clinic_id)
            except Exception as error:
                # A failure in one clinic must not delay the events of others.
                self._waiting[reader.name, clinic_id] = since
                pause = min(MAX_RETRY_SECONDS, 2.0**failures)
                self._failed[reader.name, clinic_id] = (failures + 1, monotonic() + pause)
                log.error("worker.failed", reader=reader.name, clinic=clinic_id, exc_info=error)
            else:
                self._failed.pop((reader.name, clinic_id), None)

    async def _read(self, reader: Reader, scope: ClinicScope, cursor: int) -> None:
        more = True
        while more and (events := await events_after(scope, cursor, BATCH)):
            more = len(events) == BATCH
            keep = LEASE if more else None
            await advance(scope, reader.name, self._holder, cursor, events, reader.take, keep=keep)
            cursor = events[-1].seq
            if reader.name in self._on_taken:
                self._on_taken[reader.name]()

    async def _committed(self, announced: list[object]) -> None:
        clinics = {event.clinic_id for event in announced if isinstance(event, CommittedEvent)}
        for name, news in self._news.items():
            for clinic_id in clinics:
                self._waiting.setdefault((name, clinic_id), monotonic())
            news.set()

    async def measured(self) -> Measured:
        """How far each reader is behind, for a scrape.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        moment = monotonic()
        behind: dict[Labels, float] = {}
        waited: dict[Labels, float] = {}
        for reader in self._readers:
            behind[(reader.name,)] = await events_behind(
                self._database, reader.name, on_request=reader.on_request
            )
            since = (then for (name, _), then in self._waiting.items() if name == reader.name)
            waited[(reader.name,)] = moment - min(since, default=moment)
        return {READER_EVENTS: behind, READER_SECONDS: waited}
