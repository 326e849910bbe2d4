"""Group commit: writes that wait for a clinic's running transaction share the next one."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from time import monotonic
from typing import Generic, TypeVar
from uuid import UUID

from clinic_chat.metrics.messages import BATCH_ITEMS

# Larger transactions would make the writes behind them wait noticeably.
MAX_BATCH = 64

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Collects the items that come while a batch is performed, and performs them as the next batch.

    A transaction costs many times as much as a change in it, and waits for the disk. `perform`
    gets at most 64 items of one clinic in the order in which they came, and returns for each its
    result or its error, which only its caller gets. An error that `perform` raises goes to all.
    `queue` is the label of its metrics.
    """

    def __init__(
        self,
        queue: str,
        perform: Callable[[UUID, list[Item]], Awaitable[list[Result | Exception]]],
    ) -> None:
        self._perform = perform
        self._sizes = BATCH_ITEMS.of(queue)
        # In the order in which they came, each with the moment of that.
        self._waiting: dict[UUID, list[tuple[Item, asyncio.Future[Result], float]]] = {}
        self._performing: dict[UUID, asyncio.Task[None]] = {}

    async def submit(self, clinic_id: UUID, item: Item) -> Result:
        """The result of the item. Cancelling the caller does not withdraw the item."""
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(clinic_id, []).append((item, result, monotonic()))
        if clinic_id not in self._performing:
            # In a context of its own, because the task goes on with the items of other callers.
            self._performing[clinic_id] = asyncio.create_task(
                self._perform_all(clinic_id), context=Context()
            )
        return await result

    def waiting(self) -> tuple[int, float]:
        """How many wait, and since when the first of them does: seconds, 0 when nobody does."""
        queues = list(self._waiting.values())
        oldest = min((queue[0][2] for queue in queues), default=monotonic())
        return sum(map(len, queues)), monotonic() - oldest

    async def _perform_all(self, clinic_id: UUID) -> None:
        try:
            while waiting := self._waiting.pop(clinic_id, []):
                now, later = waiting[:MAX_BATCH], waiting[MAX_BATCH:]
                if later:
                    self._waiting[clinic_id] = later
                await self._perform_some(clinic_id, now)
        finally:
            del self._performing[clinic_id]

    async def _perform_some(
        self, clinic_id: UUID, waiting: list[tuple[Item, asyncio.Future[Result], float]]
    ) -> None:
        outcomes: list[Result | Exception]
        self._sizes.observe(len(waiting))
        try:
            outcomes = await self._perform(clinic_id, [item for item, _, _ in waiting])
        except Exception as error:
            outcomes = [error] * len(waiting)
        for (_, result, _), outcome in zip(waiting, outcomes, strict=True):
            if result.done():
                continue
            if isinstance(outcome, Exception):
                result.set_exception(outcome)
            else:
                result.set_result(outcome)
