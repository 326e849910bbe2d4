"""Graceful shutdown: the listeners that are called first, and the count of work in flight."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

ShutdownListener = Callable[[], Awaitable[None]]

_listeners: list[ShutdownListener] = []


def on_shutdown(listener: ShutdownListener) -> None:
    """Call `listener` when the server has stopped accepting, before it closes connections."""
    _listeners.append(listener)


async def announce_shutdown() -> None:
    """Call the listeners, in the order of their registration."""
    for listener in _listeners:
        await listener()


class InFlightWork:
    """Counts the work in flight, so that a shutdown can wait for it."""

    def __init__(self) -> None:
        self.ending = False
        """Whether new work is to be refused."""
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def track(self) -> Iterator[None]:
        """Count the body of a `with` statement as work in flight."""
        self._under_way += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if self._under_way == 0:
                self._idle.set()

    async def drain(self, seconds: float) -> None:
        """Set `ending` and wait for the work in flight, at most `seconds`."""
        self.ending = True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()
