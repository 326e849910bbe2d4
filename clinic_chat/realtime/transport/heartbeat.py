"""Heartbeats of all connections in one task: pings, closing of dead peers; also the shutdown."""

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from engineio.exceptions import EngineIOError

from clinic_chat.realtime.transport.engineio_server import SocketServer
from clinic_chat.realtime.transport.websocket import Peer
from clinic_chat.web.refusals import count_refusal

# How late a ping or the end of a dead connection can be.
CHECK_SECONDS = 0.5


async def watch_peers(sio: SocketServer) -> None:
    """Ping each connection when it is due and drop those that do not answer, until cancelled.

    Those that entered no namespace in time are dropped as well.

    This replaces Engine.IO's own watch, which wakes for each connection separately.
    """
    # Closing runs in tasks, so that a peer that reads nothing delays only its own close.
    ends: set[asyncio.Task[None]] = set()
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        _look(sio, ends)


def _look(sio: SocketServer, ends: set[asyncio.Task[None]]) -> None:
    # A function of its own, so that its variables keep no peer alive while the watch sleeps.
    peers = sio.eio.sockets
    now = time.monotonic()
    for peer_id, peer in list(peers.items()):
        if peer.closed:
            # The library leaves a closed polling socket to the watch to remove.
            peers.pop(peer_id, None)
            continue
        if isinstance(peer, Peer) and peer.due > now:
            continue
        if not peer.closing:
            _start(peer.check_ping_timeout(), ends)
    for peer_id in sio.overdue():
        peer = peers.get(peer_id)
        if peer is not None and not peer.closing:
            count_refusal("socket.refused", reason="never_entered")
            _start(peer.close(wait=False, reason=sio.reason.SERVER_DISCONNECT), ends)


def _start(ending: Coroutine[Any, Any, object], ends: set[asyncio.Task[None]]) -> None:
    async def end() -> None:
        with suppress(EngineIOError):
            await ending

    task = asyncio.create_task(end())
    ends.add(task)
    task.add_done_callback(ends.discard)


async def close_peers(sio: SocketServer) -> None:
    """End every connection, without waiting for those that do not answer."""
    for peer in list(sio.eio.sockets.values()):
        with suppress(EngineIOError):
            await peer.close(wait=False, reason=sio.reason.SERVER_DISCONNECT)
    await sio.shutdown()
