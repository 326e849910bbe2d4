"""The channel between the processes of one installation, over the pub/sub of Redis or Valkey.

It is fast and forgets: a message may be lost, so each of its users has a slower way to notice.
Nobody waits for it. Without a Redis there is one process, and nothing is sent.
"""

import asyncio
import hmac
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from hashlib import sha256
from time import monotonic
from typing import Any
from uuid import uuid4

import orjson
import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from clinic_chat.metrics.processes import CHANNEL_CONNECTS, CHANNEL_MESSAGES

PREFIX = "clinic-chat"
# More wait only while Redis is away; readers of the log find what was dropped.
MAX_WAITING = 10_000
BATCH = 500
# A hanging Redis holds up nothing but what is told by it.
SEND_SECONDS = 1.0
RETRY_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)
# An idle subscription is asked whether it still is one.
IDLE_SECONDS = 5.0

Listener = Callable[[str, dict[str, Any]], Awaitable[None]]
"""Takes the id of the process that told it, and the message."""
Reconnected = Callable[[], Awaitable[None]]

log = structlog.get_logger(__name__)


class ProcessChannel:
    """What one process tells the others, and hears of them.

    The installation's `key` tells it apart from others that use the same Redis.
    """

    def __init__(self, url: str | None, key: bytes) -> None:
        self.process = uuid4().hex
        self._url = url
        self.name = f"{PREFIX}:{hmac.new(key, PREFIX.encode(), sha256).hexdigest()[:16]}"
        """The installation's, which tells nobody the key."""
        self._listeners: dict[str, Listener] = {}
        self._on_reconnect: list[Reconnected] = []
        self._waiting: deque[bytes] = deque(maxlen=MAX_WAITING)
        self._news = asyncio.Event()
        self.connected = False
        """Whether messages of other processes arrive."""

    @property
    def is_shared(self) -> bool:
        """Whether there may be other processes."""
        return self._url is not None

    def on(self, kind: str, listener: Listener) -> None:
        """Call `listener` with each message of this kind that another process tells."""
        self._listeners[kind] = listener

    def on_reconnect(self, listener: Reconnected) -> None:
        """Call `listener` whenever messages begin to arrive: those before may be lost."""
        self._on_reconnect.append(listener)

    def tell(self, kind: str, message: dict[str, Any]) -> None:
        """Tell the other processes, soon; if nobody can be told, the oldest message is dropped."""
        if self._url is None:
            return
        if len(self._waiting) == MAX_WAITING:
            CHANNEL_MESSAGES.add("dropped")
        self._waiting.append(orjson.dumps([self.process, kind, message]))
        self._news.set()

    async def run(self) -> None:
        """Send and receive until cancelled."""
        if self._url is None:
            return
        redis = Redis.from_url(self._url, socket_connect_timeout=SEND_SECONDS)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._again_and_again(self._send, redis))
                tasks.create_task(self._again_and_again(self._receive, redis))
        finally:
            with suppress(RedisError, OSError):
                await redis.aclose()

    async def _again_and_again(
        self, work: Callable[[Redis], Awaitable[None]], redis: Redis
    ) -> None:
        failures = 0
        while True:
            begun = monotonic()
            try:
                await work(redis)
            except (RedisError, OSError, TimeoutError) as error:
                # What went well for a while has not failed in a row.
                failures = failures + 1 if monotonic() - begun < RETRY_SECONDS[-1] else 1
                if failures == 1:
                    log.warning("process_channel.away", exception=type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS[min(failures, len(RETRY_SECONDS)) - 1])

    async def _send(self, redis: Redis) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                async with asyncio.timeout(SEND_SECONDS), redis.pipeline(transaction=False) as pipe:
                    for message in batch:
                        pipe.publish(self.name, message)
                    await pipe.execute()
                for _ in batch:
                    CHANNEL_MESSAGES.add("sent")

    async def _receive(self, redis: Redis) -> None:
        pubsub: PubSub = redis.pubsub()
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await pubsub.subscribe(self.name)
            asked = False
            while True:
                message = await pubsub.get_message(timeout=IDLE_SECONDS)
                if message is None and asked:
                    raise TimeoutError("Redis answers no more")
                asked = message is None
                if message is None:
                    await pubsub.ping()
                elif message["type"] == "subscribe":
                    await self._now_connected()
                elif message["type"] == "message":
                    await self._hear(message["data"])
        finally:
            self.connected = False
            with suppress(RedisError, OSError):
                await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _now_connected(self) -> None:
        self.connected = True
        CHANNEL_CONNECTS.add()
        for listener in self._on_reconnect:
            await _guarded(listener())

    async def _hear(self, data: bytes) -> None:
        try:
            process, kind, message = orjson.loads(data)
        except (ValueError, TypeError):
            log.warning("process_channel.not_understood")
            return
        listener = self._listeners.get(kind)
        # A process of another release may tell what this one does not know.
        if process == self.process or listener is None:
            return
        CHANNEL_MESSAGES.add("received")
        await _guarded(listener(process, message))


async def _guarded(work: Awaitable[None]) -> None:
    try:
        await work
    except Exception as error:
        log.error("process_channel.failed", exc_info=error)
