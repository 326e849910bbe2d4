"""What many tabs ask for at the same moment and what changes rarely, read once for all."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from time import monotonic
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """Answers that are at most `seconds` old; who asks while one is being read waits for it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._answers: dict[Hashable, tuple[float, asyncio.Task[Value]]] = {}

    async def get(self, key: Hashable, read: Callable[[], Awaitable[Value]]) -> Value:
        """The answer for `key`, by `read` when there is none that is recent.

        Raises:
            Exception: whatever `read` raises; that is not kept.
        """
        moment = monotonic()
        self._forget(moment)
        if key not in self._answers:
            self._answers[key] = (moment, asyncio.ensure_future(read()))
        answer = self._answers[key][1]
        try:
            # One who leaves must not take the answer from the others.
            return await asyncio.shield(answer)
        finally:
            if answer.done() and (answer.cancelled() or answer.exception()):
                self._answers.pop(key, None)

    def _forget(self, moment: float) -> None:
        # The oldest are first.
        while self._answers:
            key, (read_at, _) = next(iter(self._answers.items()))
            if moment - read_at < self._seconds:
                return
            del self._answers[key]
