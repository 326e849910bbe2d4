"""Password hashing queue: bounded, with priorities, because a hash takes a core and much memory."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from clinic_chat.domain.errors import DomainError

RETRY_SECONDS = 2


class QueueFull(DomainError):
    """Too many wait already, try again in a moment."""

    code = "busy"


async def _always() -> None:
    return


@dataclass(frozen=True)
class QueueEntry:
    """A request to have a password hashed."""

    party: str = ""
    """The source of the request, like an address; one must not take all places."""
    priority: bool = False
    """Whether the entry goes before those without priority."""
    admit: Callable[[], Awaitable[None]] = _always
    """Awaited at the beginning of the turn; an exception ends the turn."""


LOW_PRIORITY = QueueEntry()
_Waiter = tuple[asyncio.Future[None], QueueEntry]


class HashingQueue:
    """At most `at_once` entries run; `waiting` with priority and as many without it may wait.

    Of each of the two, at most `waiting_per_party` may be of one party.
    """

    def __init__(self, *, at_once: int, waiting: int, waiting_per_party: int) -> None:
        self._free = at_once
        self._waiting = waiting
        self._waiting_per_party = waiting_per_party
        self._queues: dict[bool, deque[_Waiter]] = {True: deque(), False: deque()}

    @asynccontextmanager
    async def take(self, entry: QueueEntry) -> AsyncIterator[None]:
        """Wait for a turn and hold it during the block.

        Raises:
            QueueFull: there is no place to wait in.
            Exception: whatever `entry.admit` raises.
        """
        await self._enter(entry)
        try:
            await entry.admit()
            yield
        finally:
            self._leave()

    async def _enter(self, entry: QueueEntry) -> None:
        if self._free:
            self._free -= 1
            return
        queue = self._queues[entry.priority]
        of_party = Counter(waiter.party for _, waiter in queue)[entry.party]
        if len(queue) >= self._waiting or of_party >= self._waiting_per_party:
            raise QueueFull
        come = asyncio.get_running_loop().create_future()
        waiter = (come, entry)
        queue.append(waiter)
        try:
            await come
        except asyncio.CancelledError:
            if waiter in queue:
                queue.remove(waiter)
            elif not come.cancelled():
                # The turn came at the same moment, so it is passed on.
                self._leave()
            raise

    def _leave(self) -> None:
        for queue in (self._queues[True], self._queues[False]):
            while queue:
                come, _ = queue.popleft()
                if not come.done():
                    come.set_result(None)
                    return
        self._free += 1
