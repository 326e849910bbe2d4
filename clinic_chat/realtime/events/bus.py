"""The event bus: delivers committed events to the feeds in order, none skipped, none twice.

A commit wakes the bus. The `events` table is the source of truth: the bus reads it when numbers are
missing and every five seconds, so events written by another process (an import on the command
line) arrive as well, only later.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from time import monotonic
from uuid import UUID

import structlog

from clinic_chat.domain.clinics.actors import SYSTEM
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.events.log import (
    CommittedEvent,
    EventType,
    PersonalChange,
    events_after,
    last_seq,
    last_seqs,
)
from clinic_chat.metrics.messages import (
    BATCH_ITEMS,
    BUS,
    BUS_FAILURES,
    DELIVERY_SECONDS,
    MESSAGES,
)
from clinic_chat.storage.database import Database, StorageUnavailable

LOOK_SECONDS = 5.0

Call = Callable[[], Awaitable[None]]
Item = CommittedEvent | PersonalChange | Call
# With the moment in which it came.
Waiting = tuple[float, Item]
Clinics = dict[UUID, list[tuple[float, CommittedEvent]]]
EventListener = Callable[[UUID, list[CommittedEvent]], Awaitable[None]]
PersonalListener = Callable[[PersonalChange], Awaitable[None]]

log = structlog.get_logger(__name__)


class Bus:
    """The event bus of one process; it delivers only while `run` is running."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: asyncio.Queue[Waiting] = asyncio.Queue()
        self._delivering: list[Waiting] = []
        self._sizes = BATCH_ITEMS.of(BUS)
        self._delivered: dict[UUID, int] = {}
        self._on_events: list[EventListener] = []
        self._on_personal: list[PersonalListener] = []

    def on_events(self, listener: EventListener) -> None:
        """Call `listener` with each clinic's next events, in order."""
        self._on_events.append(listener)

    def on_personal(self, listener: PersonalListener) -> None:
        """Call `listener` with each change of one person's own markers, drafts and settings."""
        self._on_personal.append(listener)

    async def committed(self, items: list[CommittedEvent | PersonalChange]) -> None:
        """Queue the items that a transaction announced; register this with `Database.on_commit`."""
        moment = monotonic()
        for item in items:
            if isinstance(item, CommittedEvent) and item.type == EventType.MESSAGE_NEW:
                MESSAGES.add(str(item.payload["direction"]))
            self._queue.put_nowait((moment, item))

    def heard(self, items: list[CommittedEvent | PersonalChange]) -> None:
        """Queue items that another process has committed."""
        moment = monotonic()
        for item in items:
            self._queue.put_nowait((moment, item))

    def call(self, call: Call) -> None:
        """Queue `call`, to be called after everything that was queued before it is delivered."""
        self._queue.put_nowait((monotonic(), call))

    def waiting(self) -> tuple[int, float]:
        """The number of items not delivered yet, and the seconds that the first has waited."""
        count = len(self._delivering) + self._queue.qsize()
        oldest = self._delivering[0][0] if self._delivering else monotonic()
        return count, monotonic() - oldest

    def delivered(self, clinic_id: UUID) -> int:
        """The number of the clinic's newest event that was delivered, or 0."""
        return self._delivered.get(clinic_id, 0)

    def watches(self, clinic_id: UUID) -> bool:
        """Whether this clinic's events are delivered."""
        return clinic_id in self._delivered

    async def watch(self, clinic_id: UUID) -> None:
        """Deliver this clinic's events from now on, also those of other processes."""
        if clinic_id not in self._delivered:
            seq = await last_seq(ClinicScope(self._database, clinic_id, SYSTEM))
            self._delivered.setdefault(clinic_id, seq)

    async def run(self) -> None:
        """Deliver until cancelled."""
        looking = asyncio.create_task(self._look_now_and_then())
        try:
            while True:
                first = await self._queue.get()
                # Items that follow from the same transaction, such as the end of its author's
                # typing, come in the next turn: together they are one write for each receiver.
                await asyncio.sleep(0)
                await self._deliver(first)
        finally:
            looking.cancel()

    async def _look_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._guarded(self.look())

    async def look(self) -> None:
        """Queue what the table has of the watched clinics and was not delivered.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        # One statement for all clinics keeps many quiet ones cheap, and no delivery waits for it.
        # Commits of this process during the read are queued before the catch-up.
        for clinic_id, seq in (await last_seqs(self._database, self._delivered)).items():
            if seq > self._delivered[clinic_id]:
                self.call(partial(self._catch_up, clinic_id, seq))

    async def _guarded(self, work: Awaitable[None]) -> bool:
        try:
            await work
            return True
        except StorageUnavailable:
            # The events are safe in the table; the next look reads them.
            log.warning("bus.storage_unavailable")
        except Exception as error:
            log.error("bus.delivery_failed", exc_info=error)
        BUS_FAILURES.add()
        return False

    async def _deliver(self, first: Waiting) -> None:
        self._delivering = batch = [first]
        while not self._queue.empty():
            batch.append(self._queue.get_nowait())
        self._sizes.observe(len(batch))
        clinics: Clinics = {}
        for moment, item in batch:
            if isinstance(item, CommittedEvent):
                clinics.setdefault(item.clinic_id, []).append((moment, item))
                continue
            # Consecutive events become one patch; other items keep their place among them,
            # because a read marker that overtakes its message would make counts wrong.
            await self._deliver_events(clinics)
            if isinstance(item, PersonalChange):
                for listener in self._on_personal:
                    await self._guarded(listener(item))
            else:
                await self._guarded(item())
        await self._deliver_events(clinics)
        self._delivering = []

    async def _deliver_events(self, clinics: Clinics) -> None:
        for clinic_id, waiting in clinics.items():
            work = self._deliver_clinic(clinic_id, [event for _, event in waiting])
            if await self._guarded(work) and clinic_id in self._delivered:
                # Behind the write to the sockets, which comes in the next turn of the loop as well.
                asyncio.get_running_loop().call_soon(_written, [moment for moment, _ in waiting])
        clinics.clear()

    async def _deliver_clinic(self, clinic_id: UUID, events: list[CommittedEvent]) -> None:
        delivered = self._delivered.get(clinic_id)
        if delivered is None:
            return
        fresh = [event for event in events if event.seq > delivered]
        expected = range(delivered + 1, delivered + 1 + len(fresh))
        if [event.seq for event in fresh] != list(expected):
            await self._catch_up(clinic_id, events[-1].seq)
        elif fresh:
            await self._hand_on(clinic_id, fresh)

    async def _catch_up(self, clinic_id: UUID, until: int) -> None:
        scope = ClinicScope(self._database, clinic_id, SYSTEM)
        while self._delivered[clinic_id] < until:
            events = await events_after(scope, self._delivered[clinic_id])
            if not events:
                return
            await self._hand_on(clinic_id, events)

    async def _hand_on(self, clinic_id: UUID, events: list[CommittedEvent]) -> None:
        # Set before the listeners run, so that a listener that fails does not get the batch again
        # for ever; a tab that missed a patch notices the gap and catches up.
        before = self._delivered[clinic_id]
        self._delivered[clinic_id] = events[-1].seq
        try:
            for listener in self._on_events:
                await listener(clinic_id, events)
        except StorageUnavailable:
            # What was read for the patches was not there; what was sent twice counts once.
            self._delivered[clinic_id] = before
            raise


def _written(committed: list[float]) -> None:
    moment = monotonic()
    for then in committed:
        DELIVERY_SECONDS.observe(moment - then)
