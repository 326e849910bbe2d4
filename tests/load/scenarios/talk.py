"""Messages at a steady rate to a crowd, and what they cost the server."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from tests.load.clients.deliveries import Deliveries, Message
from tests.load.measurements.core_speed import SERVERS_CORE
from tests.load.servers.process import Measurable

# Node compiles its hot code within these; before, it is about twice as slow.
WARM_UP_MESSAGES = 50
DRAIN_SECONDS = 15


class HasDeliveries(Protocol):
    """What the receivers note the messages of a run in."""

    deliveries: Deliveries


@dataclass(frozen=True)
class Pace:
    """How much is said for how long, and how long the idle server is watched before."""

    rate: float = 5.0
    """Messages a second."""
    seconds: float = 60.0
    idle_seconds: float = 10.0
    warm_up: int = WARM_UP_MESSAGES


Say = Callable[[Message, str], None]
"""Sends one message with this text; notes in it what only the sender learns."""


async def measured(
    process: Measurable, audience: HasDeliveries, say: Say, receivers: int, pace: Pace
) -> dict[str, Any]:
    """Watch the server idle, warm it up, and talk: latencies and CPU.

    `cpu_ms_per_message` is without what the idle server takes (pings and the like); `gross`
    is with it. A percentage is of one core. A slowdown is how much slower than at its best that
    core was meanwhile.
    """
    began = time.monotonic()
    idle = await _idle(process, pace.idle_seconds)
    idle_slowdown = SERVERS_CORE.slowdown(began)
    await _talk(audience, say, receivers, pace.rate, pace.warm_up)
    server, ours, began = process.cpu(), time.process_time(), time.monotonic()
    count = round(pace.rate * pace.seconds)
    deliveries = await _talk(audience, say, receivers, pace.rate, count)
    used, seconds = process.cpu() - server, time.monotonic() - began
    slowdown = SERVERS_CORE.slowdown(began)
    return {
        "receivers": receivers,
        **deliveries.summary(receivers),
        "cpu_ms_per_message": round((used - idle * seconds) / count * 1000, 2),
        "cpu_ms_per_message_gross": round(used / count * 1000, 2),
        "cpu_percent": round(used / seconds * 100, 2),
        "slowdown": slowdown,
        "cpu_percent_full_speed": round(used / seconds * 100 / slowdown, 2),
        "idle_cpu_percent": round(idle * 100, 2),
        "idle_slowdown": idle_slowdown,
        "idle_cpu_percent_full_speed": round(idle * 100 / idle_slowdown, 2),
        "generator_cpu_percent": round((time.process_time() - ours) / seconds * 100, 1),
    }


async def _idle(process: Measurable, seconds: float) -> float:
    before = process.cpu()
    await asyncio.sleep(seconds)
    return (process.cpu() - before) / seconds if seconds else 0.0


async def _talk(
    audience: HasDeliveries, say: Say, receivers: int, rate: float, count: int
) -> Deliveries:
    audience.deliveries = deliveries = Deliveries()
    start = time.monotonic()
    for number in range(count):
        await asyncio.sleep(max(0.0, start + number / rate - time.monotonic()))
        say(*deliveries.new(time.time()))
    # The last one has its full share of time too, so that the rate is what was asked for.
    await asyncio.sleep(max(0.0, start + count / rate - time.monotonic()))
    await drained(deliveries, receivers)
    return deliveries


async def drained(deliveries: Deliveries, receivers: int) -> None:
    """Return when every receipt is there, or when there is no hope for the rest."""
    give_up = time.monotonic() + DRAIN_SECONDS
    # Looking now and then costs less than every receipt telling.
    while deliveries.missing(receivers) and time.monotonic() < give_up:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
