"""Websockets for Engine.IO that are written to directly and have no tasks of their own."""

import asyncio
import time
from typing import Any

from engineio import packet
from engineio.async_server import AsyncServer
from engineio.exceptions import SocketIsClosedError
from engineio.packet import Packet
from websockets.frames import CloseCode

from clinic_chat.realtime.admission.visitor import Visitor
from clinic_chat.realtime.transport import packets
from clinic_chat.realtime.transport.polling import opening
from clinic_chat.realtime.transport.uvicorn.websocket_protocol import EXTENSION, Write, text_frame
from clinic_chat.web.refusals import count_refusal


class Peer:
    """Implements the interface of the library's sockets for a websocket of `FrameProtocol`.

    `watch_peers` must be running: it sends the pings and closes peers that do not answer them.
    """

    __slots__ = (
        "_receive",
        "_send",
        "_server",
        "_subprotocol",
        "closed",
        "closing",
        "due",
        "last_ping",
        "session",
        "sid",
        "visitor",
        "write",
    )

    # For the library: it was connected by websocket, and never polled.
    connected = True
    upgraded = True

    def __init__(
        self, server: AsyncServer, sid: str, environ: dict[str, Any], visitor: Visitor
    ) -> None:
        self._server = server
        self.sid = sid
        self.visitor = visitor
        self.session: dict[str, Any] = {}
        self.closing = self.closed = False
        self.last_ping: float | None = None
        self.due = time.monotonic() + server.ping_interval
        self._send, self._receive = environ["asgi.send"], environ["asgi.receive"]
        scope = environ["asgi.scope"]
        self.write: Write = scope["extensions"][EXTENSION]["write"]
        # Browsers fail a connection when the server selects none of the offered subprotocols.
        self._subprotocol = next(iter(scope["subprotocols"]), None)

    async def serve(self, first: str | None = None) -> None:
        """Accept the websocket and take packets until its end.

        `first` is the first packet of a client that was accepted before.
        """
        server = self._server
        message: dict[str, Any] = {"type": "websocket.receive", "text": first}
        if first is None:
            await self._send({"type": "websocket.accept", "subprotocol": self._subprotocol})
            await self.send(opening(server, self.sid))
            message = await self._receive()
        end = server.reason.TRANSPORT_CLOSE
        while not self.closed:
            if message["type"] != "websocket.receive":
                if message.get("code") == CloseCode.GOING_AWAY:
                    end = server.reason.CLIENT_DISCONNECT
                break
            data = message.get("text") or ""
            try:
                if len(data) > server.max_http_buffer_size:
                    raise packets.Malformed
                await self._take(data)
            except packets.Malformed:
                count_refusal("websocket.refused", reason="malformed")
                break
            if not self.closed:
                message = await self._receive()
        await self.close(abort=True, reason=end)

    async def _take(self, data: str) -> None:
        kind, content = packets.decode(data)
        # A client that sends very much is read from more slowly; the network holds the rest.
        if delay := self.visitor.pace.wait():
            await asyncio.sleep(delay)
        if kind == packets.MESSAGE:
            await self._server.take_message(self.sid, content)
        elif kind == packets.PONG:
            self.last_ping = None
            self.due = time.monotonic() + self._server.ping_interval
        else:
            await self.close(abort=True, reason=self._server.reason.CLIENT_DISCONNECT)

    async def send(self, pkt: Packet) -> None:
        """Send a packet after all that were sent before.

        Raises:
            SocketIsClosedError: the socket is closed.
        """
        if self.closed:
            raise SocketIsClosedError
        self.write(text_frame(pkt.encode()))

    async def check_ping_timeout(self) -> bool:
        """Send a ping that is due, or close the socket when none was answered; whether it is alive.

        Raises:
            SocketIsClosedError: the socket is closed.
        """
        now = time.monotonic()
        if now < self.due:
            return True
        if self.last_ping is None:
            self.last_ping = now
            self.due = now + self._server.ping_timeout
            await self.send(Packet(packet.PING))
            return True
        await self.close(reason=self._server.reason.PING_TIMEOUT)
        return False

    async def close(
        self, wait: bool = True, abort: bool = False, reason: str | None = None
    ) -> None:
        """Close the socket, with a close packet to the client unless `abort` is set."""
        if self.closing:
            return
        self.closing = True
        if not abort:
            await self.send(Packet(packet.CLOSE))
        self.closed = True
        why = reason or self._server.reason.SERVER_DISCONNECT
        await self._server._trigger_event("disconnect", self.sid, why, run_async=False)
        await self._send({"type": "websocket.close"})
