"""Rate limits in memory: those that delay, for a person's messages and state events, and refuse."""

import asyncio
from collections import deque
from contextlib import suppress
from time import monotonic

# State events handled at once of one person in one clinic, in all their tabs together.
AT_ONCE = 2
# The longest wait for a turn: an event that takes longer does not hold the next one up.
LONGEST_SECONDS = 5.0
# The burst, in seconds of the sustained rate, that may come at once, as after an outage.
BURST_SECONDS = 6.0


class Pace:
    """A token bucket: `rate` per second after `burst` at once."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = self._tokens = burst
        self._at = monotonic()

    def wait(self) -> float:
        """Take a token; return the seconds to wait for it, 0 for none."""
        now = monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate) - 1
        self._at = now
        return 0.0 if self._tokens >= 0 else -self._tokens / self._rate

    def try_take(self) -> bool:
        """Take a token if there is one; what is refused costs nothing."""
        now = monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class EventTurns:
    """Limits one person's concurrent events, so that other people's do not wait for all of them.

    A tab that waits for a turn is not read from meanwhile, so its further events stay in the
    network's buffers: nothing is dropped and no queue grows.
    """

    __slots__ = ("_pace", "_under_way", "_waiting")

    def __init__(self, per_minute: int) -> None:
        rate = per_minute / 60
        self._pace = Pace(rate, max(20.0, rate * BURST_SECONDS))
        self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Wait until the next event may begin; call `give` when it has ended."""
        if delay := self._pace.wait():
            await asyncio.sleep(delay)
        if self._under_way >= AT_ONCE:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LONGEST_SECONDS):
                        await turn
            finally:
                with suppress(ValueError):
                    self._waiting.remove(turn)
        self._under_way += 1

    def give(self, *_: object) -> None:
        """End the turn of an event and let the next one begin."""
        self._under_way -= 1
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
