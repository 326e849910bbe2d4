"""The memory level of the cache: an LRU with a limit of entries, one of bytes and a lifetime."""

from collections.abc import Hashable
from typing import Any, Protocol

from cachetools import TTLCache

from clinic_chat.metrics.cache import EVICTIONS, ITEMS, SIZE_BYTES
from clinic_chat.metrics.scrape import Measured

# Versions keep entries right; the lifetime only frees the memory of what nobody reads any more.
SECONDS = 15 * 60.0
# The key, the entry and their places in the tables.
OVERHEAD_BYTES = 512
# An entry counts for at least this share of the limit of bytes, which limits their number.
MOST_ENTRIES = 16_384


class Sized(Protocol):
    """What is kept; it does not change once it is."""

    @property
    def size(self) -> int:
        """About how many bytes it takes."""


class MemoryLevel:
    """What was used last, at most `limit` bytes, each for at most so many seconds."""

    def __init__(self, limit: int, seconds: float = SECONDS) -> None:
        self._least = limit // MOST_ENTRIES
        self._kept: _Kept = _Kept(limit, seconds, getsizeof=self._weight)

    def get(self, key: Hashable) -> Any:
        """What is kept under the key, or None."""
        # Not `get`, which looks twice.
        try:
            return self._kept[key]
        except KeyError:
            return None

    def put(self, key: Hashable, value: Sized) -> None:
        """Keep the value in place of another; what was not used for longest makes room for it."""
        if self._weight(value) > self._kept.maxsize:
            self._kept.pop(key, None)
            return
        self._kept[key] = value

    def drop(self, key: Hashable) -> None:
        """Keep nothing under the key."""
        self._kept.pop(key, None)

    async def measured(self) -> Measured:
        """How much is kept, for a scrape."""
        self._kept.expire()
        return {SIZE_BYTES: {(): self._kept.currsize}, ITEMS: {(): len(self._kept)}}

    def _weight(self, value: Sized) -> int:
        return max(value.size + OVERHEAD_BYTES, self._least)


class _Kept(TTLCache[Hashable, Any]):
    def popitem(self) -> tuple[Hashable, Any]:
        """Called by the library to make room."""
        EVICTIONS.add()
        return super().popitem()
