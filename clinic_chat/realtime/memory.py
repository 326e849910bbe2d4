"""Gives memory back to the operating system after a spike of connections."""

import asyncio
import ctypes
import gc
from collections.abc import Awaitable, Callable
from contextlib import suppress

from clinic_chat.realtime.reflex_states import STATE_SECONDS
from clinic_chat.storage.database import StorageUnavailable

LOOK_SECONDS = 5.0
# A crowd is gone when a quarter of it is left, for longer than the states of closed tabs stay.
CROWD = 50
LEFT = 0.25
LOOKS = int(STATE_SECONDS / LOOK_SECONDS) + 1
# Where tabs come and go all day and there never is a crowd, what so many left behind is enough.
MANY = 300


class MemoryTrimmer:
    """Trims memory when a spike of connections is over, or when many have come and gone.

    `count` tells how many tabs there are, `left` how many have ever left;
    `release_idle_connections` closes what the database opened for as many as were here. What tabs
    leave behind refers to itself, and Python looks for such garbage while tabs come, of all
    moments. To look takes 0.1 s after 500 tabs, in which nothing else is done, so Python is kept
    from it and it is left for when few are there to notice.
    """

    def __init__(
        self,
        count: Callable[[], int],
        left: Callable[[], int],
        release_idle_connections: Callable[[], Awaitable[object]],
    ) -> None:
        self._count = count
        self._left = left
        self._let_go = release_idle_connections
        self._most = 0
        self._looks = 0
        self._left_then = 0

    async def run(self) -> None:
        """Look now and then and tidy up when it is time, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self.is_time():
                # The database may be away just now; the next crowd is tidied after as well.
                with suppress(StorageUnavailable):
                    await self._let_go()
                trim()

    def is_time(self) -> bool:
        """True once when a crowd has been gone for a while, or when many left since.

        To be asked every LOOK_SECONDS.
        """
        count = self._count()
        self._most = max(self._most, count)
        gone = self._most >= CROWD and count <= self._most * LEFT
        self._looks = self._looks + 1 if gone else 0
        left = self._left()
        # Not while the states of those of a crowd who left last are still kept.
        many = not gone and left - self._left_then >= MANY
        if self._looks <= LOOKS and not many:
            return False
        self._most, self._looks, self._left_then = count, 0, left
        return True


def trim() -> None:
    """Free garbage, and give the system what the C library keeps for later, where it can."""
    gc.collect()
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)
