"""A Socket.IO server whose wires are in the test's hands: nothing arrives before the test says so.

What is sent to one socket travels in lanes. A lane keeps its order; which lane goes on is for
the test to say, as it is for the scheduler between the bus, the answers to acts and the answers
to Reflex's events.
"""

from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import orjson

from clinic_chat.realtime.feeds import inbox as inbox_feed
from clinic_chat.realtime.feeds import thread as thread_feed

BUS, ACTS, EVENTS = "bus", "acts", "events"
LANES = (BUS, ACTS, EVENTS)
PUBLISHED = {inbox_feed.FEED, thread_feed.FEED}

Packet = tuple[str, Any]
Handler = Callable[..., Awaitable[Any]]

_lane: ContextVar[str] = ContextVar("lane", default=BUS)


@contextmanager
def in_lane(lane: str) -> Iterator[None]:
    """What is sent inside the block goes into this lane."""
    token = _lane.set(lane)
    try:
        yield
    finally:
        _lane.reset(token)


class Network:
    """What `realtime` uses of a Socket.IO server."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        self.wires: dict[str, dict[str, deque[Packet]]] = {}
        self.dropping = False
        """Whether patches for rooms are lost, as when reading what they carry fails."""
        self._rooms: defaultdict[str, set[str]] = defaultdict(set)

    def on(self, event: str, handler: Handler, namespace: str) -> None:
        """Register a handler of a client's event."""
        self.handlers[event] = handler

    async def enter_room(self, sid: str, room: str, namespace: str) -> None:
        """Put a socket into a room."""
        self._rooms[room].add(sid)

    async def leave_room(self, sid: str, room: str, namespace: str) -> None:
        """Take a socket out of a room."""
        self._rooms[room].discard(sid)

    async def emit(self, event: str, data: Any, to: str = "", *, namespace: str) -> None:
        """Put an event on the wires of a socket, of a room's sockets, or of all without `to`."""
        if self.dropping and to not in self.wires and data.get("feed") in PUBLISHED:
            return
        everybody = set(self.wires)
        for sid in [to] if to in self.wires else self._rooms[to] & everybody if to else everybody:
            # A copy, as the real one: what is sent does not change any more.
            self.put(sid, _lane.get(), (event, orjson.loads(orjson.dumps(data))))

    def put(self, sid: str, lane: str, packet: Packet) -> None:
        """Put a packet on a wire."""
        self.wires[sid][lane].append(packet)

    def plug(self, sid: str) -> None:
        """A socket is connected."""
        self.wires[sid] = {lane: deque() for lane in LANES}

    def first(self, sid: str) -> list[Packet]:
        """Take what a socket was sent so far: it arrives before the news that it is connected."""
        sent = [packet for lane in LANES for packet in self.wires[sid][lane]]
        self.plug(sid)
        return sent

    def unplug(self, sid: str) -> None:
        """A socket is lost with all that was on its wire."""
        del self.wires[sid]
        for members in self._rooms.values():
            members.discard(sid)
