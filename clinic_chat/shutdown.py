"""How the real-time server ends: no new work, what is under way is finished, everyone is told."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

ShutdownListener = Callable[[], Awaitable[None]]

_listeners: list[ShutdownListener] = []


def on_shutdown(listener: ShutdownListener) -> None:
    """Call `listener` when the server has stopped accepting, before it closes connections."""
    _listeners.append(listener)


async def announce_shutdown() -> None:
    """Call everyone who asked for it."""
    for listener in _listeners:
        await listener()


class InFlightWork:
    """What is under way, counted so that an end can wait for it."""

    def __init__(self) -> None:
        self.ending = False
        """Whether new work is to be refused."""
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def track(self) -> Iterator[None]:
        """Work that an end waits for."""
        self._under_way += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if self._under_way == 0:
                self._idle.set()

    async def drain(self, seconds: float) -> None:
        """Refuse new work and wait for the rest, at most this long."""
        self.ending = True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()
