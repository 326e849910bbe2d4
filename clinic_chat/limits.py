"""Rate limits: so many of something in a minute, counted here or in Redis for all processes."""

import ipaddress
from math import ceil
from time import monotonic, time

import structlog
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from redis.asyncio import ConnectionPool

REDIS_TIMEOUT_SECONDS = 1.0
REDIS_PAUSE_SECONDS = 5.0

log = structlog.get_logger(__name__)


class Limits:
    """Counts hits per name and key in a sliding minute.

    The window is a weighted counter, which needs two numbers per key. The library's exact
    moving window was measured at 137 ms of CPU per hit with 500 keys in memory (it rechecks
    every key each time); this one at 0.1 ms.
    """

    def __init__(self, redis_url: str | None = None) -> None:
        self._here = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._pool: ConnectionPool | None = None
        self._shared: SlidingWindowCounterRateLimiter | None = None
        self._pause_until = 0.0
        if redis_url:
            self._pool = ConnectionPool.from_url(
                redis_url,
                socket_timeout=REDIS_TIMEOUT_SECONDS,
                socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
            )
            self._shared = SlidingWindowCounterRateLimiter(_redis_storage(self._pool))

    async def hit(self, name: str, key: str, per_minute: int) -> int:
        """Count one `name` by `key`: 0 when it is within the limit, else seconds to wait.

        A refused hit is not counted. While Redis is away each process counts by itself, so
        limits stay in force.
        """
        item = RateLimitItemPerMinute(per_minute)
        if self._shared is not None and monotonic() >= self._pause_until:
            try:
                return await _hit(self._shared, item, name, key)
            except StorageError as error:
                self._pause_until = monotonic() + REDIS_PAUSE_SECONDS
                log.warning("limits_redis_away", exception=type(error.storage_error).__name__)
        return await _hit(self._here, item, name, key)

    async def blocked(self, name: str, key: str, per_minute: int) -> int:
        """What `hit` would answer, without counting anything."""
        item = RateLimitItemPerMinute(per_minute)
        if self._shared is not None and monotonic() >= self._pause_until:
            try:
                return await _wait(self._shared, item, name, key)
            except StorageError as error:
                self._pause_until = monotonic() + REDIS_PAUSE_SECONDS
                log.warning("limits_redis_away", exception=type(error.storage_error).__name__)
        return await _wait(self._here, item, name, key)

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._pool is not None:
            await self._pool.aclose()


def address_key(host: str | None) -> str:
    """What to count a client address by: the IPv4 address, or the /64 of an IPv6 one.

    One subscriber usually holds a whole /64 (RFC 6177), so counting single IPv6 addresses
    would limit nobody.
    """
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False))


async def _hit(
    limiter: SlidingWindowCounterRateLimiter, item: RateLimitItemPerMinute, name: str, key: str
) -> int:
    if await limiter.hit(item, name, key):
        return 0
    return await _seconds_left(limiter, item, name, key)


async def _wait(
    limiter: SlidingWindowCounterRateLimiter, item: RateLimitItemPerMinute, name: str, key: str
) -> int:
    if await limiter.test(item, name, key):
        return 0
    return await _seconds_left(limiter, item, name, key)


async def _seconds_left(
    limiter: SlidingWindowCounterRateLimiter, item: RateLimitItemPerMinute, name: str, key: str
) -> int:
    window = await limiter.get_window_stats(item, name, key)
    return max(1, ceil(window.reset_time - time()))


def _redis_storage(pool: ConnectionPool) -> RedisStorage:
    # The pool already knows the server; the library wants some address all the same.
    return RedisStorage(
        "async+redis://localhost:6379",
        wrap_exceptions=True,
        implementation="redispy",
        key_prefix="clinic-chat-limits",
        connection_pool=pool,  # type: ignore[arg-type]
    )
