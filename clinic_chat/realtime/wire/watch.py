"""What is done for all connections together: pings, looking for the dead, and the end."""

import asyncio
from contextlib import suppress

from engineio.exceptions import EngineIOError
from socketio import AsyncServer

# How late a ping or the end of a dead connection can be.
CHECK_SECONDS = 0.5


async def watch_peers(sio: AsyncServer) -> None:
    """Close each connection whose last ping stays unanswered, until cancelled.

    Engine.IO looks for them too, but at each only once in the time it has for the answer.
    """
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        for peer in list(sio.eio.sockets.values()):
            with suppress(EngineIOError):
                await peer.check_ping_timeout()


async def close_peers(sio: AsyncServer) -> None:
    """End every connection, without waiting for those that do not answer."""
    for peer in list(sio.eio.sockets.values()):
        with suppress(EngineIOError):
            await peer.close(wait=False, reason=sio.reason.SERVER_DISCONNECT)
    await sio.shutdown()
