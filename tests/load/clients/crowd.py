"""Many connections that come, stay and go."""

import asyncio
import time
from collections.abc import Sequence

from tests.load.clients.connection import Connection, Refused
from tests.load.measurements.core_speed import SERVERS_CORE
from tests.load.measurements.figures import spread
from tests.load.servers.process import Process

ARRIVAL_SECONDS = 120


async def arrive(
    process: Process, crowd: Sequence[Connection], seconds: float = 0
) -> dict[str, object]:
    """Open them evenly over `seconds`, 0 for all at once.

    How long until each was live, and what one arrival cost the server.
    """
    before, began = process.cpu(), time.monotonic()

    async def come(number: int, connection: Connection) -> bool:
        await asyncio.sleep(seconds * number / len(crowd))
        try:
            async with asyncio.timeout(ARRIVAL_SECONDS):
                await connection.open()
        except (OSError, Refused, TimeoutError):
            return False
        return True

    came = await asyncio.gather(*(come(number, one) for number, one in enumerate(crowd)))
    times = [one.live_at - one.dialled_at for one in crowd if one.live_at]
    cost = (process.cpu() - before) / len(crowd) * 1000
    return {
        "failed": came.count(False),
        **spread(times),
        "cpu_ms": round(cost, 2),
        "slowdown": SERVERS_CORE.slowdown(began),
    }


async def leave(crowd: Sequence[Connection]) -> None:
    """Close them all, and return when they are gone."""
    for connection in crowd:
        connection.close()
    for connection in crowd:
        if connection.joined_at:
            await connection.gone.wait()


def dropped(crowd: Sequence[Connection]) -> int:
    """How many were lost without our doing, while they should be there."""
    return sum(bool(connection.lost_at) for connection in crowd)
