"""The hybrid cache: this process's memory first, then what all processes keep in Redis.

It does not know whether an entry is out of date: whoever asks compares versions. Names begin with
the clinic (`name_of`), and a value opens under its own name alone.
"""

from typing import Any
from uuid import UUID

from clinic_chat.cache.entry import Entry, unpack
from clinic_chat.cache.memory import MemoryLevel, Sized
from clinic_chat.cache.shared import SharedLevel
from clinic_chat.settings import Settings

MEGABYTE = 1024 * 1024


def name_of(clinic_id: UUID, *parts: object) -> str:
    """The name of a clinic's entry."""
    return ":".join(map(str, (clinic_id, *parts)))


class HybridCache:
    """The cache of one process."""

    def __init__(self, memory: MemoryLevel, shared: SharedLevel | None = None) -> None:
        self.memory = memory
        self.shared = shared

    def kept(self, name: str) -> Any:
        """What this process's memory has under a name, or None."""
        return self.memory.get(name)

    def keep(self, name: str, value: Sized) -> None:
        """Keep a value in this process's memory."""
        self.memory.put(name, value)

    def drop(self, name: str) -> None:
        """Keep nothing under a name in this process's memory."""
        self.memory.drop(name)

    async def find_shared(self, name: str) -> Entry | None:
        """What Redis has under a name, or None."""
        if self.shared is None:
            return None
        packed = await self.shared.get(name)
        return None if packed is None else unpack(packed)

    def share(self, name: str, entry: Entry) -> None:
        """Have Redis keep an entry, soon, for other processes and the next one."""
        if self.shared is not None and self.shared.available:
            self.shared.put(name, entry.pack())

    async def run(self) -> None:
        """Stay in touch with Redis, if there is one, until cancelled."""
        if self.shared is not None:
            await self.shared.run()

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self.shared is not None:
            await self.shared.close()


def create_cache(settings: Settings, installation: str) -> HybridCache:
    """The cache that the settings ask for."""
    memory = MemoryLevel(settings.cache_memory_mb * MEGABYTE)
    if not settings.redis_url or not settings.cache_redis_mb:
        return HybridCache(memory)
    key, size = settings.signing_key(), settings.cache_redis_mb
    return HybridCache(memory, SharedLevel(settings.redis_url, key, installation, size))
