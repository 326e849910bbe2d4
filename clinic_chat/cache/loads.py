"""Shared loads: those who lack the same at the same time wait for one of them to load it."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from clinic_chat.metrics.cache import MERGES


class SharedLoads:
    """The loads that are under way in this process; `name` is the label of its metrics.

    The first caller loads in its own task and with its own database session. A task apart would
    need another session, which those who wait for it may hold all of.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._under_way: dict[Hashable, asyncio.Event] = {}

    @asynccontextmanager
    async def turn(self, key: Hashable) -> AsyncIterator[bool]:
        """Whether it is the caller's turn to load; if not, somebody else's load has ended.

        Then the caller looks again, and asks for another turn when that load failed.
        """
        ended = self._under_way.get(key)
        if ended is not None:
            await ended.wait()
            MERGES.add(self._name)
            yield False
            return
        ended = self._under_way[key] = asyncio.Event()
        try:
            yield True
        finally:
            del self._under_way[key]
            ended.set()
