"""Single-flight cache with a time to live, for data that many tabs ask for and rarely changes."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from contextvars import Context
from time import monotonic
from typing import Any, Generic, TypeVar

from clinic_chat.metrics.cache import HIT, MISS, REQUESTS

Value = TypeVar("Value")


class SingleFlightCache(Generic[Value]):
    """Keeps each answer for `seconds`; concurrent misses of one key share one load.

    Its metrics are told apart by `name`.
    """

    def __init__(self, name: str, seconds: float) -> None:
        self._name = name
        self._seconds = seconds
        self._answers: dict[Hashable, tuple[float, asyncio.Task[Value]]] = {}

    async def get(self, key: Hashable, read: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        """The cached answer for `key`, or that of `read` when there is none or it is too old.

        `read` sees none of the caller's context variables, because the answer is for others too.

        Raises:
            Exception: any that `read` raises; it is not cached.
        """
        moment = monotonic()
        read_at, answer = self._answers.get(key, (moment, None))
        outcome = HIT
        if answer is None or moment - read_at >= self._seconds:
            outcome = MISS
            # The cached task would keep the first caller's context, with its whole event, alive.
            apart, loop = Context(), asyncio.get_running_loop()
            answer = loop.create_task(read(), context=apart)
            self._answers[key] = (moment, answer)
            loop.call_later(self._seconds, self._forget, key, answer, context=apart)
        REQUESTS.add(self._name, outcome)
        try:
            # A cancelled caller must not cancel the read for the others.
            return await asyncio.shield(answer)
        finally:
            if answer.done() and (answer.cancelled() or answer.exception()):
                self._forget(key, answer)

    def _forget(self, key: Hashable, answer: "asyncio.Task[Value]") -> None:
        if self._answers.get(key, (0, None))[1] is answer:
            del self._answers[key]
