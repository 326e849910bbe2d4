"""The shared level of the cache: Redis or Valkey, which may be slow, away or empty at any time.

It has a fixed number of places, and a name's place is its hash: so all of it is limited without
anybody counting. What several names want to put in one place, the last one has.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from clinic_chat.cache.seal import CacheSeal
from clinic_chat.metrics.cache import SHARED_FAILURES

BUDGET_SECONDS = 0.1
# So many failures in a row, and nobody asks until a look in the background is answered.
FAILURES = 3
LIFETIME_SECONDS = 600
# 30 messages take 13 KB; a page of long ones is read from the database.
MAX_VALUE_BYTES = 32 * 1024
PLACES_PER_MB = 1024 * 1024 // MAX_VALUE_BYTES
CONNECTIONS = 8
# More wait to be stored only while Redis is slow.
MAX_STORING = 64
# An epoch ends when no process has lived for so long, as before a backup is restored.
EPOCH_SECONDS = 30
RENEW_SECONDS = 5.0

Answer = TypeVar("Answer")
log = structlog.get_logger(__name__)


class SharedLevel:
    """What all processes of an installation keep together, at most `megabytes` of it."""

    def __init__(self, url: str, signing_key: bytes, installation: str, megabytes: int) -> None:
        self._redis: Redis = Redis(
            connection_pool=BlockingConnectionPool.from_url(
                url, max_connections=CONNECTIONS, timeout=BUDGET_SECONDS
            )
        )
        self._signing_key = signing_key
        self._prefix = f"{installation}:cache"
        self._places = megabytes * PLACES_PER_MB
        self._seal: CacheSeal | None = None
        self._epoch = b""
        self._failures = 0
        self._storing: set[asyncio.Task[None]] = set()

    @property
    def available(self) -> bool:
        """Whether it is asked at all: an epoch is known, and it did not fail again and again."""
        return self._seal is not None and self._failures < FAILURES

    async def get(self, name: str) -> bytes | None:
        """The value of this name; None also when Redis does not answer within the budget."""
        seal = self._seal
        if seal is None or not self.available:
            return None
        sealed = await self._ask(lambda: self._redis.get(self._key(seal, name)))
        return seal.open(name, sealed) if isinstance(sealed, bytes) else None

    def put(self, name: str, value: bytes) -> None:
        """Store a value, soon; nobody waits for it, and it may be dropped."""
        seal = self._seal
        if seal is None or not self.available or len(value) > MAX_VALUE_BYTES:
            return
        if len(self._storing) >= MAX_STORING:
            return
        key, sealed = self._key(seal, name), seal.close(name, value)
        task = asyncio.create_task(self._store(key, sealed))
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)

    async def run(self) -> None:
        """Keep the epoch alive, and notice that Redis is back, until cancelled."""
        while True:
            await self.renew()
            await asyncio.sleep(RENEW_SECONDS)

    async def renew(self) -> None:
        """Agree with the other processes on the epoch, and keep it from ending."""
        key = f"{self._prefix}:epoch"

        async def agree() -> bytes | None:
            lifetime = EPOCH_SECONDS * 1000
            await self._redis.set(key, os.urandom(16), nx=True, px=lifetime)
            await self._redis.pexpire(key, lifetime)
            found: bytes | None = await self._redis.get(key)
            return found

        epoch = await self._ask(agree)
        if epoch and epoch != self._epoch:
            self._epoch, self._seal = epoch, CacheSeal(self._signing_key, epoch)

    async def forget(self) -> None:
        """End the epoch, after which nobody finds what is kept now: the database is another one."""
        await self._ask(lambda: self._redis.delete(f"{self._prefix}:epoch"))

    async def close(self) -> None:
        """Close the connections."""
        for task in self._storing:
            task.cancel()
        with suppress(RedisError, OSError):
            await self._redis.aclose()
            await self._redis.connection_pool.disconnect()

    async def _store(self, key: str, sealed: bytes) -> None:
        await self._ask(lambda: self._redis.set(key, sealed, ex=LIFETIME_SECONDS))

    async def _ask(self, question: Callable[[], Awaitable[Answer]]) -> Answer | None:
        try:
            async with asyncio.timeout(BUDGET_SECONDS):
                answer = await question()
        except (RedisError, OSError, TimeoutError) as error:
            self._failed(error)
            return None
        self._failures = 0
        return answer

    def _failed(self, error: Exception) -> None:
        SHARED_FAILURES.add()
        self._failures += 1
        if self._failures == FAILURES:
            log.warning("shared_cache.away", exception=type(error).__name__)

    def _key(self, seal: CacheSeal, name: str) -> str:
        return f"{self._prefix}:{seal.place(name, self._places)}"
