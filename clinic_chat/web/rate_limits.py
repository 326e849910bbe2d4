"""Rate limits per minute, counted in this process or, for all processes, in Redis."""

import ipaddress
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import ceil
from time import monotonic, time
from typing import TypeVar

import structlog
from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from redis.asyncio import ConnectionPool

REDIS_TIMEOUT_SECONDS = 1.0
REDIS_PAUSE_SECONDS = 5.0
WINDOW_SECONDS = 60
# About 30 MB when an attacker fills it; the least recently hit keys are dropped first.
MAX_KEYS = 100_000
# Providers assign /48s and /56s, so a subscriber with one /64 often has many (RFC 6177).
SITE_FACTOR = 16

log = structlog.get_logger(__name__)

Key = tuple[str, str]
Answer = TypeVar("Answer")
Question = Callable[
    [SlidingWindowCounterRateLimiter, RateLimitItemPerMinute, str, str], Awaitable[Answer]
]


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of a limit after a hit."""

    limit: int
    """Hits in a minute."""
    remaining: int
    reset: int
    """Seconds until more are left."""
    wait: int = 0
    """Seconds until a hit is within the limit, 0 when this one was."""


class Limits:
    """Counts hits per name and key in a sliding minute, in this process or in Redis."""

    def __init__(self, redis_url: str | None = None) -> None:
        self._here = SlidingWindows()
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
        """Count a hit of `name` by `key`; return 0 within the limit, else the seconds to wait.

        A refused hit is not counted. While Redis is unreachable each process counts alone, so
        limits stay in force.
        """
        shared = await self._ask_redis(_hit, name, key, per_minute)
        return self._here.hit((name, key), per_minute) if shared is None else shared

    async def spend(self, name: str, key: str, per_minute: int) -> Quota:
        """As `hit`, and tell what is left."""
        shared = await self._ask_redis(_spend, name, key, per_minute)
        return self._here.spend((name, key), per_minute) if shared is None else shared

    async def hit_address(
        self, name: str, host: str | None, per_minute: int, in_all: int | None = None
    ) -> int:
        """Count a hit of `name` by a client's address; return 0, or the seconds to wait.

        `per_minute` limits an IPv4 address or an IPv6 /64, SITE_FACTOR times it limits a /48, and
        `in_all` limits all addresses together.
        """
        for key, limit in address_limits(host, per_minute, in_all):
            if wait := await self.hit(name, key, limit):
                return wait
        return 0

    def hit_address_here(self, name: str, host: str | None, per_minute: int, in_all: int) -> int:
        """As `hit_address`, but counted in this process only: for hits too frequent for Redis."""
        for key, limit in address_limits(host, per_minute, in_all):
            if wait := self._here.hit((name, key), limit):
                return wait
        return 0

    async def blocked(self, name: str, key: str, per_minute: int) -> int:
        """The seconds to wait that `hit` would return; nothing is counted."""
        shared = await self._ask_redis(_wait, name, key, per_minute)
        return self._here.blocked((name, key), per_minute) if shared is None else shared

    async def _ask_redis(
        self, question: Question[Answer], name: str, key: str, per_minute: int
    ) -> Answer | None:
        """The answer of Redis, or None when this process has to count alone."""
        if self._shared is None or monotonic() < self._pause_until:
            return None
        try:
            return await question(self._shared, RateLimitItemPerMinute(per_minute), name, key)
        except StorageError as error:
            self._pause_until = monotonic() + REDIS_PAUSE_SECONDS
            log.warning("limits_redis_away", exception=type(error.storage_error).__name__)
            return None

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._pool is not None:
            await self._pool.aclose()


class SlidingWindows:
    """Sliding-window counters in memory: constant cost per hit, at most `max_keys` keys.

    The hits of the previous clock minute are weighted by the part of it that lies in the past 60
    seconds. The in-memory storage of the `limits` package does the same, but scans all its keys at
    every hit (79 ms at 100,000 keys).
    """

    def __init__(self, max_keys: int = MAX_KEYS) -> None:
        self._max_keys = max_keys
        # Key → number of the minute, hits in it, hits in the minute before.
        self._windows: OrderedDict[Key, tuple[int, int, int]] = OrderedDict()

    def hit(self, key: Key, per_minute: int) -> int:
        """Count a hit; return 0 within the limit, else the whole seconds to wait."""
        wait, minute, current, previous = self._look(key, per_minute)
        if wait:
            return wait
        self._windows[key] = (minute, current + 1, previous)
        self._windows.move_to_end(key)
        if len(self._windows) > self._max_keys:
            self._windows.popitem(last=False)
        return 0

    def spend(self, key: Key, per_minute: int) -> Quota:
        """As `hit`, and tell what is left."""
        wait = self.hit(key, per_minute)
        _, _, current, previous = self._look(key, per_minute)
        passed = time() % WINDOW_SECONDS
        left = per_minute - current - previous * (1 - passed / WINDOW_SECONDS)
        reset = max(1, ceil(WINDOW_SECONDS - passed))
        return Quota(per_minute, 0 if wait else max(0, int(left)), wait or reset, wait)

    def blocked(self, key: Key, per_minute: int) -> int:
        """The seconds to wait that `hit` would return; nothing is counted."""
        return self._look(key, per_minute)[0]

    def _look(self, key: Key, per_minute: int) -> tuple[int, int, int, int]:
        """The seconds to wait, the minute's number, its hits and those of the minute before."""
        now = time()
        minute = int(now // WINDOW_SECONDS)
        passed = now - minute * WINDOW_SECONDS
        window = self._windows.get(key)
        current = previous = 0
        if window is not None:
            then, hits, before = window
            if then == minute:
                current, previous = hits, before
            elif then == minute - 1:
                previous = hits
        weighted = current + previous * (1 - passed / WINDOW_SECONDS)
        if weighted + 1 > per_minute:
            return max(1, ceil(WINDOW_SECONDS - passed)), minute, current, previous
        return 0, minute, current, previous

    def __len__(self) -> int:
        return len(self._windows)


def address_key(host: str | None) -> str:
    """The key that a client address is counted by: the IPv4 address, or the /64 of an IPv6 one.

    One subscriber usually holds a whole /64 (RFC 6177), so counting single IPv6 addresses
    would limit nobody.
    """
    return _networks(host)[0]


def address_limits(
    host: str | None, per_minute: int, in_all: int | None = None
) -> list[tuple[str, int]]:
    """The keys that a hit by a client address counts for, each with its limit per minute."""
    subscriber, *site = _networks(host)
    limits = [(subscriber, per_minute)]
    limits += [(network, per_minute * SITE_FACTOR) for network in site]
    if in_all is not None:
        limits.append(("all", in_all))
    return limits


def _networks(host: str | None) -> list[str]:
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return ["unknown"]
    if isinstance(address, ipaddress.IPv4Address):
        return [str(address)]
    if address.ipv4_mapped:
        return [str(address.ipv4_mapped)]
    value = int(address)
    return [_network(value, 64), _network(value, 48)]


def _network(address: int, prefix: int) -> str:
    masked = address >> (128 - prefix) << (128 - prefix)
    return f"{ipaddress.IPv6Address(masked)}/{prefix}"


async def _hit(
    limiter: SlidingWindowCounterRateLimiter, item: RateLimitItemPerMinute, name: str, key: str
) -> int:
    if await limiter.hit(item, name, key):
        return 0
    return await _seconds_left(limiter, item, name, key)


async def _spend(
    limiter: SlidingWindowCounterRateLimiter, item: RateLimitItemPerMinute, name: str, key: str
) -> Quota:
    allowed = await limiter.hit(item, name, key)
    window = await limiter.get_window_stats(item, name, key)
    reset = max(1, ceil(window.reset_time - time()))
    remaining = max(0, window.remaining) if allowed else 0
    return Quota(item.amount, remaining, reset, 0 if allowed else reset)


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
    # The pool has the server's address; the library requires one here as well.
    return RedisStorage(
        "async+redis://localhost:6379",
        wrap_exceptions=True,
        implementation="redispy",
        key_prefix="clinic-chat-limits",
        connection_pool=pool,  # type: ignore[arg-type]
    )
