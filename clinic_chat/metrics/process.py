"""The process itself: its version, its event loop, and what it refused."""

import asyncio
from time import perf_counter

from prometheus_client import Info

from clinic_chat import __version__
from clinic_chat.metrics.instruments import REGISTRY, Counter, Histogram

LOOK_SECONDS = 0.5

Info("clinic_chat_build", "The version that runs.", registry=REGISTRY).info(
    {"version": __version__}
)
LOOP_LAG_SECONDS = Histogram(
    "clinic_chat_event_loop_lag_seconds",
    "How much later than asked for the event loop wakes a task, looked at every half second.",
)
REFUSALS = Counter(
    "clinic_chat_refusals",
    "What a limit or a rule refused, by the log's event and its reason.",
    ("event", "reason"),
)
FAILED_READINGS = Counter(
    "clinic_chat_failed_readings", "Readings of a scrape that failed or took too long."
)


async def watch_event_loop() -> None:
    """Measure how late the event loop is, until cancelled."""
    while True:
        due = perf_counter() + LOOK_SECONDS
        await asyncio.sleep(LOOK_SECONDS)
        LOOP_LAG_SECONDS.observe(max(0.0, perf_counter() - due))
