"""The bus ends when it is told to, whatever comes in at the same moment."""

from __future__ import annotations

import asyncio

from clinic_chat.realtime.bus import Bus
from clinic_chat.storage.database import Database

# Steps of the event loop between something that comes in and the end.
STEPS = 6


async def test_the_bus_ends_although_something_comes_in_at_that_moment(database: Database) -> None:
    async def nothing() -> None:
        pass

    for steps in range(STEPS):
        bus = Bus(database)
        running = asyncio.create_task(bus.run())
        await _step(STEPS)
        bus.call(nothing)
        await _step(steps)
        running.cancel()
        async with asyncio.timeout(3):
            await asyncio.wait([running])
        assert running.cancelled(), f"{steps} steps after"


async def _step(steps: int) -> None:
    for _ in range(steps):
        await asyncio.sleep(0)
