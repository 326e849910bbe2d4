"""Resident memory of a server, once it has come to rest."""

import asyncio

from tests.load.servers.process import Measurable

LOOK_SECONDS = 1.0
STILL_KB = 256


async def at_rest(process: Measurable, seconds: float) -> float:
    """KB of resident memory after `seconds` of idling and once it moves no more."""
    await asyncio.sleep(seconds)
    last = process.resident_kb()
    for _ in range(10):
        await asyncio.sleep(LOOK_SECONDS)
        current = process.resident_kb()
        if abs(current - last) < STILL_KB:
            return current
        last = current
    return last


def growth(before_kb: float, after_kb: float, sessions: int) -> dict[str, float]:
    """Memory before and after `sessions` came, in MB, and what each took, in KB."""
    return {
        "before_mb": round(before_kb / 1024, 2),
        "after_mb": round(after_kb / 1024, 2),
        "extra_mb": round((after_kb - before_kb) / 1024, 2),
        "per_session_kb": round((after_kb - before_kb) / sessions, 1),
    }
