"""Turns at work that takes a core and much memory: bounded, and some parties come first."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from clinic_chat.domain.errors import DomainError

RETRY_SECONDS = 2


class TooManyWaiting(DomainError):
    """Too many wait for their turn already, try again in a moment."""

    code = "busy"


async def _always() -> None:
    return


@dataclass(frozen=True)
class Turn:
    """Who wants a turn."""

    party: str = ""
    """Whom the turn is counted for, like an address: one must not take all places."""
    first: bool = False
    """Whether it comes before those who are not."""
    admit: Callable[[], Awaitable[None]] = _always
    """Awaited when the turn has come; what it raises ends the turn."""


NO_HURRY = Turn()
_Waiter = tuple[asyncio.Future[None], Turn]


class Turns:
    """At most `at_once` have their turn; of each kind `waiting` wait, of a party fewer."""

    def __init__(self, *, at_once: int, waiting: int, waiting_per_party: int) -> None:
        self._free = at_once
        self._waiting = waiting
        self._waiting_per_party = waiting_per_party
        self._queues: dict[bool, deque[_Waiter]] = {True: deque(), False: deque()}

    @asynccontextmanager
    async def take(self, turn: Turn) -> AsyncIterator[None]:
        """Wait for a turn and have it for the length of the block.

        Raises:
            TooManyWaiting: there is no place to wait in.
            Exception: whatever `turn.admit` raises.
        """
        await self._enter(turn)
        try:
            await turn.admit()
            yield
        finally:
            self._leave()

    async def _enter(self, turn: Turn) -> None:
        if self._free:
            self._free -= 1
            return
        queue = self._queues[turn.first]
        of_party = Counter(waiter.party for _, waiter in queue)[turn.party]
        if len(queue) >= self._waiting or of_party >= self._waiting_per_party:
            raise TooManyWaiting
        come = asyncio.get_running_loop().create_future()
        waiter = (come, turn)
        queue.append(waiter)
        try:
            await come
        except asyncio.CancelledError:
            if waiter in queue:
                queue.remove(waiter)
            elif not come.cancelled():
                # The turn had come in the same moment.
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
