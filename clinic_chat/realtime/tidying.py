"""Memory that a crowd of tabs took goes back to the system when they have left."""

import asyncio
import ctypes
import gc
from collections.abc import Callable

from clinic_chat.realtime.tabs import STATE_SECONDS

LOOK_SECONDS = 5.0
# A crowd is gone when a quarter of it is left, for longer than the states of closed tabs stay.
CROWD = 50
LEFT = 0.25
LOOKS = int(STATE_SECONDS / LOOK_SECONDS) + 1


class Tidying:
    """Notices that a crowd is gone. `count` tells how many tabs there are.

    What tabs leave behind refers to itself, and Python looks for such garbage the more seldom
    the more there is. To look takes 0.1 s after 500 tabs, in which nothing else is done, so it
    is left for when few are there to notice.
    """

    def __init__(self, count: Callable[[], int], tidy: Callable[[], object] | None = None) -> None:
        self._count = count
        self._tidy = tidy or give_back
        self._most = 0
        self._looks = 0

    async def run(self) -> None:
        """Look now and then, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Tidy up once when a crowd has been gone for a while."""
        count = self._count()
        self._most = max(self._most, count)
        gone = self._most >= CROWD and count <= self._most * LEFT
        self._looks = self._looks + 1 if gone else 0
        if self._looks > LOOKS:
            self._tidy()
            self._most, self._looks = count, 0


def give_back() -> None:
    """Free garbage, and give the system what the C library keeps for later, where it can."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
