"""Sockets for long-polling: the library's Engine.IO socket with limits on unsent packets."""

import asyncio
from typing import Any

from engineio import packet
from engineio.async_socket import AsyncSocket
from engineio.exceptions import EngineIOError
from engineio.packet import Packet

from clinic_chat.realtime.admission.visitor import Visitor
from clinic_chat.realtime.transport import packets
from clinic_chat.web.refusals import count_refusal

# Limits of unsent packets; a client that is this far behind is better off with a new connection.
MAX_UNSENT_BYTES = 1024 * 1024
MAX_UNSENT_PACKETS = 1_000
# The library's client puts at most this many into one body.
MAX_PACKETS = 16
SEPARATOR = "\x1e"


class PollingSocket(AsyncSocket):
    """The socket of a polling client or, in development, of a websocket of another web server."""

    def __init__(self, server: Any, sid: str, visitor: Visitor) -> None:
        super().__init__(server, sid)
        self.visitor = visitor
        self._unsent_bytes = 0
        self._polling = False
        self._posting = False

    async def send(self, pkt: Packet) -> None:
        """Queue a packet until it is fetched; a client that fetches nothing is disconnected."""
        self._unsent_bytes += len(pkt.data) if isinstance(pkt.data, str) else 0
        if self._unsent_bytes > MAX_UNSENT_BYTES or self.queue.qsize() >= MAX_UNSENT_PACKETS:
            await self._cut("unread", self.server.reason.TRANSPORT_ERROR)
            return
        await super().send(pkt)

    async def poll(self) -> list[Packet]:
        """The waiting packets, or else the next ones."""
        found: list[Packet] = await super().poll()
        self._unsent_bytes = 0
        return found

    async def handle_get_request(self, environ: dict[str, Any]) -> Any:
        """Answer a poll; a second one at the same time ends the connection (Engine.IO protocol)."""
        if self._polling:
            raise EngineIOError
        self._polling = True
        try:
            return await super().handle_get_request(environ)
        finally:
            self._polling = False

    async def handle_post_request(self, environ: dict[str, Any]) -> None:
        """Handle the packets of a body; a second post at the same time ends the connection."""
        if self._posting:
            self._have_it_answered()
            raise EngineIOError
        self._posting = True
        try:
            length = min(int(environ.get("CONTENT_LENGTH", 0)), self.server.max_http_buffer_size)
            body = await environ["wsgi.input"].read(length)
            await self.take(body)
        except EngineIOError:
            self._have_it_answered()
            raise
        finally:
            self._posting = False

    async def close(
        self, wait: bool = True, abort: bool = False, reason: str | None = None
    ) -> None:
        """Close at once, without `wait`: the client may never fetch the waiting packets."""
        await super().close(wait=False, abort=abort, reason=reason)

    async def receive(self, pkt: Packet) -> None:
        """Handle a packet that the library has decoded, of a websocket of another web server."""
        await self._handle(*packets.decode(pkt.encode(b64=True)))

    def _have_it_answered(self) -> None:
        # The library answers a failed post only if its socket is still registered.
        self.server.sockets.setdefault(self.sid, self)

    async def take(self, body: bytes) -> None:
        """Handle the packets of a body.

        Raises:
            EngineIOError: the body is malformed, which ends the connection.
        """
        try:
            parts = body.decode().split(SEPARATOR, MAX_PACKETS)
            if len(parts) > MAX_PACKETS:
                raise packets.Malformed
            decoded = [packets.decode(part) for part in parts]
        except (UnicodeDecodeError, packets.Malformed):
            await self._cut("malformed", self.server.reason.TRANSPORT_ERROR)
            raise EngineIOError from None
        for kind, data in decoded:
            try:
                await self._handle(kind, data)
            except packets.Malformed:
                await self._cut("malformed", self.server.reason.TRANSPORT_ERROR)
                raise EngineIOError from None

    async def _handle(self, kind: str, data: str) -> None:
        if delay := self.visitor.pace.wait():
            await asyncio.sleep(delay)
        if self.closed:
            raise EngineIOError
        if kind == packets.PONG:
            self.schedule_ping()
        elif kind == packets.CLOSE:
            reason = self.server.reason.CLIENT_DISCONNECT
            await self.close(wait=False, abort=True, reason=reason)
            # Answers the client's own pending poll, which would wait for the next ping.
            self.queue.put_nowait(Packet(packet.NOOP))
        else:
            await self.server.take_message(self.sid, data)

    async def _cut(self, why: str, reason: str) -> None:
        if not self.closing:
            count_refusal("polling.refused", reason=why)
            await self.close(wait=False, abort=True, reason=reason)
            # The unsent packets are dropped, and None ends a pending poll.
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(None)


def opening(server: Any, sid: str) -> Packet:
    """Engine.IO's open packet, the first of a connection."""
    return Packet(
        packet.OPEN,
        {
            "sid": sid,
            "upgrades": [],
            "pingInterval": int(server.ping_interval * 1000),
            "pingTimeout": int(server.ping_timeout * 1000),
            "maxPayload": server.max_http_buffer_size,
        },
    )
