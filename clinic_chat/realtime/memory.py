"""Gives memory back to the operating system after a spike of connections."""

import asyncio
import ctypes
import gc
from collections.abc import Awaitable, Callable
from contextlib import suppress

from clinic_chat.realtime.reflex_states import STATE_SECONDS
from clinic_chat.storage.database import StorageUnavailable

LOOK_SECONDS = 5.0
# A spike has at least SPIKE_TABS tabs. It is over when at most REMAINING_SHARE of them are there
# at more than CALM_LOOKS looks, which is longer than Reflex keeps the states of closed tabs.
SPIKE_TABS = 50
REMAINING_SHARE = 0.25
CALM_LOOKS = int(STATE_SECONDS / LOOK_SECONDS) + 1
# Where tabs come and go all day without a spike, memory is trimmed after so many have left.
TRIM_AFTER_TABS = 300


class MemoryTrimmer:
    """Trims memory when a spike of connections is over, or when many have come and gone.

    `count` returns the number of tabs, `left` how many have ever left; `release_idle_connections`
    closes the database connections opened during the spike. Closed tabs leave reference cycles,
    which Python would collect while tabs connect. A collection blocks the process for 0.1 s after
    500 tabs, so it is suppressed then (`server/asgi.py`) and done here, when few tabs are open.
    """

    def __init__(
        self,
        count: Callable[[], int],
        left: Callable[[], int],
        release_idle_connections: Callable[[], Awaitable[object]],
    ) -> None:
        self._count = count
        self._left = left
        self._release_idle_connections = release_idle_connections
        self._most = 0
        self._looks = 0
        self._left_then = 0

    async def run(self) -> None:
        """Look every LOOK_SECONDS and trim memory when it is time, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self.is_time():
                # The database may be unavailable now; the next time releases its connections.
                with suppress(StorageUnavailable):
                    await self._release_idle_connections()
                trim()

    def is_time(self) -> bool:
        """True once when a spike is over, or when TRIM_AFTER_TABS have left since the last time.

        To be called every LOOK_SECONDS.
        """
        count = self._count()
        self._most = max(self._most, count)
        gone = self._most >= SPIKE_TABS and count <= self._most * REMAINING_SHARE
        self._looks = self._looks + 1 if gone else 0
        left = self._left()
        # Not while Reflex still keeps the states of the last tabs of a spike.
        many = not gone and left - self._left_then >= TRIM_AFTER_TABS
        if self._looks <= CALM_LOOKS and not many:
            return False
        self._most, self._looks, self._left_then = count, 0, left
        return True


def trim() -> None:
    """Collect garbage and return the C library's free memory to the system, where it can."""
    gc.collect()
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)
