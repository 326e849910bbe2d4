"""State events of the pages: their size, how many at a time, and whose turn it is."""

import asyncio
import json
from collections import deque
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid5

import orjson
import reflex as rx

from clinic_chat.realtime.admission.visitor import Pace

# What the address of a page is, which Reflex keeps for each tab and each route.
MAX_PATH = 512
MAX_ROUTER_BYTES = 4 * 1024
MAX_PAYLOAD_BYTES = 16 * 1024
# Of one person in one clinic, in all their tabs together.
AT_ONCE = 2
# An event that takes longer does not hold the next one up.
LONGEST_SECONDS = 5.0
# The seconds of the sustained rate that may come in one moment, as after an outage.
BURST_SECONDS = 6.0
FIELDS = ("name", "payload", "router_data")


def bounded(event: dict[str, Any]) -> dict[str, Any] | None:
    """What is kept of an event, or None when a part of it is too long."""
    router = event.get("router_data") or {}
    path = router.get("pathname")
    if path is not None and (not isinstance(path, str) or len(path) > MAX_PATH):
        return None
    if size(router) > MAX_ROUTER_BYTES or size(event.get("payload")) > MAX_PAYLOAD_BYTES:
        return None
    return {name: event[name] for name in FIELDS if name in event}


def size(value: object) -> int:
    """How many bytes a value from a client's JSON takes as JSON."""
    try:
        return len(orjson.dumps(value))
    except TypeError:
        # Numbers over 64 bits, half characters and what is nested very deeply.
        try:
            return len(json.dumps(value))
        except RecursionError:
            return MAX_PAYLOAD_BYTES + 1


def framework_request(token: str, session_id: UUID) -> dict[str, Any]:
    """What Reflex learns of a request: only the tab's token, bound to its session.

    Reflex keeps a tab's state under a token that the browser chooses and keeps beyond a
    sign-out. Bound, it opens no state of another person, clinic or session. The headers would
    be kept for each tab, the cookie among them, and nothing here asks Reflex for them. Of a
    socket without a token Reflex logs every event whole, so there is always one.
    """
    return {"QUERY_STRING": f"token={uuid5(session_id, token)}"}


def newest_event(app: rx.App) -> "asyncio.Future[Any] | None":
    """What is done when the event that Reflex was handed last has been handled.

    Reflex keeps it in the order in which events came, and tells nobody. Of an event that
    replaced another or was refused it may be None, or the one before.
    """
    futures = app.event_processor._futures
    return futures[next(reversed(futures))] if futures else None


class Turns:
    """Has one person's events wait for each other, so that others' are not behind all of them.

    Each tab waits with one event and is not read from meanwhile, so that the network holds the
    rest: nothing is dropped and no queue grows.
    """

    __slots__ = ("_pace", "_under_way", "_waiting")

    def __init__(self, per_minute: int) -> None:
        rate = per_minute / 60
        self._pace = Pace(rate, max(20.0, rate * BURST_SECONDS))
        self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Return when the next event may begin; `give` when it has ended."""
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
        """An event has ended."""
        self._under_way -= 1
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
