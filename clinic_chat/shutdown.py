"""How the real-time server ends: no new work, what is under way is finished, everyone is told."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

Goodbye = Callable[[], Awaitable[None]]

_goodbyes: list[Goodbye] = []


def on_goodbye(goodbye: Goodbye) -> None:
    """Call `goodbye` when the server has stopped accepting, before it closes connections."""
    _goodbyes.append(goodbye)


async def say_goodbye() -> None:
    """Call everyone who asked for it."""
    for goodbye in _goodbyes:
        await goodbye()


class Work:
    """What is under way, counted so that an end can wait for it."""

    def __init__(self) -> None:
        self.ending = False
        """Whether new work is to be refused."""
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def piece(self) -> Iterator[None]:
        """Work that an end waits for."""
        self._under_way += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if self._under_way == 0:
                self._idle.set()

    async def finish(self, seconds: float) -> None:
        """Refuse new work and wait for the rest, at most this long."""
        self.ending = True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()
