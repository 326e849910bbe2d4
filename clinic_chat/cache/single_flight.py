"""A cache with a time to live, for what many tabs ask for at once and what changes rarely."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from contextvars import Context
from time import monotonic
from typing import Any, Generic, TypeVar

from clinic_chat.metrics.database import CACHE_REQUESTS

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
        """The answer for `key`, by `read` when there is none that is recent.

        `read` sees none of the context variables of who asks: the answer is for others too.

        Raises:
            Exception: whatever `read` raises; that is not kept.
        """
        moment = monotonic()
        read_at, answer = self._answers.get(key, (moment, None))
        outcome = "hit"
        if answer is None or moment - read_at >= self._seconds:
            outcome = "miss"
            # What is kept would keep its context, and with it the whole event that asked first.
            apart, loop = Context(), asyncio.get_running_loop()
            answer = loop.create_task(read(), context=apart)
            self._answers[key] = (moment, answer)
            loop.call_later(self._seconds, self._forget, key, answer, context=apart)
        CACHE_REQUESTS.add(self._name, outcome)
        try:
            # One who leaves must not take the answer from the others.
            return await asyncio.shield(answer)
        finally:
            if answer.done() and (answer.cancelled() or answer.exception()):
                self._forget(key, answer)

    def _forget(self, key: Hashable, answer: "asyncio.Task[Value]") -> None:
        if self._answers.get(key, (0, None))[1] is answer:
            del self._answers[key]
