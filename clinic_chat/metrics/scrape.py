"""What a scrape gets: the counters as they are, and readings that are taken for it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import generate_latest

from clinic_chat.metrics.instruments import REGISTRY, Gauge, Labels
from clinic_chat.metrics.process import FAILED_READINGS

# A database that does not answer must not keep the other numbers back.
READING_SECONDS = 2.0

Measured = dict[Gauge, Mapping[Labels, float]]
"""By gauge and labels, what is so at this moment."""
Reading = Callable[[], Awaitable[Measured]]

_readings: list[Reading] = []


@contextmanager
def measured_by(*readings: Reading) -> Iterator[None]:
    """Have each scrape take these readings until the block ends."""
    _readings.extend(readings)
    try:
        yield
    finally:
        for reading in readings:
            _readings.remove(reading)


async def exposition() -> bytes:
    """Every metric in Prometheus' text format. A gauge that could not be read has no number."""
    found = await asyncio.gather(*map(_taken, _readings))
    # From here on without a pause: another scrape takes readings of its own.
    for gauge in Gauge.instances:
        gauge.clear()
    for measured in found:
        for gauge, values in measured.items():
            gauge.take(values)
    return generate_latest(REGISTRY)


async def _taken(reading: Reading) -> Measured:
    try:
        async with asyncio.timeout(READING_SECONDS):
            return await reading()
    except Exception:
        FAILED_READINGS.add()
        return {}
