"""Uvicorn's websocket protocol with an ASGI extension that writes ready-made frames."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request

from clinic_chat.realtime.transport.uvicorn.connection_limits import ConnectionLimits
from clinic_chat.realtime.transport.uvicorn.library_logger import TRANSPORT_LOG
from clinic_chat.web.refusals import count_refusal

EXTENSION = "clinic_chat.frames"
# A client that is this far behind is better off with a new connection and a snapshot.
MAX_UNSENT_BYTES = 1024 * 1024
# Browsers send a message in one frame; a proxy may cut it.
MAX_FRAGMENTS = 64
# Frames that were received and not handled yet; reading pauses while one waits.
MAX_WAITING = 1_000
# Control frames between two messages; Engine.IO has pings of its own.
MAX_CONTROL_FRAMES = 100
CLOSE_SECONDS = 2.0

Write = Callable[[bytes], None]


class FrameProtocol(WebSocketsSansIOProtocol):
    """One websocket; its scope has `write` in the extension `EXTENSION`."""

    def __init__(self, *args: Any, limits: ConnectionLimits | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.queue = _Messages()  # type: ignore[assignment]
        self.writable = _Writable()  # type: ignore[assignment]
        # The libraries' loggers quote the URL with the tab's token, once or twice per connection.
        self.logger = self.conn.logger = TRANSPORT_LOG
        self.close_timeout = CLOSE_SECONDS
        self._limits = limits
        self._unsent: list[bytes] = []
        self._control_frames = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over a connection that asked for a websocket."""
        super().connection_made(transport)
        if self._limits is not None:
            self._limits.enter(self, self.client[0] if self.client else None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop counting the connection."""
        super().connection_lost(exc)
        if self._limits is not None:
            self._limits.leave(self)

    def handle_text(self, event: Frame) -> None:
        """Queue a text frame; refuse it when too many wait already."""
        self._control_frames = 0
        if len(self.queue) >= MAX_WAITING:  # type: ignore[arg-type]
            self._refuse(CloseCode.POLICY_VIOLATION, "too_many_frames")
        elif not self.close_sent:
            super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        """Refuse a binary frame: nothing here is sent in one."""
        self._refuse(CloseCode.UNSUPPORTED_DATA, "binary_frame")

    def handle_cont(self, event: Frame) -> None:
        """Take a fragment of a message; refuse empty fragments and very many."""
        if self.close_sent:
            return
        if len(self.frames) >= MAX_FRAGMENTS or not (event.data or event.fin):
            self._refuse(CloseCode.POLICY_VIOLATION, "fragments")
        else:
            super().handle_cont(event)

    def handle_ping(self) -> None:
        """Answer a ping, unless there are very many."""
        self._count_control_frame()
        super().handle_ping()
        if self.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.transport.abort()

    def handle_pong(self, event: Frame) -> None:
        """Ignore an unsolicited pong, unless there are very many."""
        self._count_control_frame()

    def _count_control_frame(self) -> None:
        self._control_frames += 1
        if self._control_frames > MAX_CONTROL_FRAMES:
            self._refuse(CloseCode.POLICY_VIOLATION, "control_frames")

    def _refuse(self, code: CloseCode, reason: str) -> None:
        if self.close_sent or self.disconnected:
            return
        count_refusal("websocket.refused", reason=reason)
        self.frames = []
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code})
        self.transport.write(_close_frame(code))
        self.close_sent = True
        self.transport.close()

    def handle_connect(self, event: Request) -> None:
        """Answer the handshake, offer `write` to the application, and free the request."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["extensions"][EXTENSION] = {"write": self.write}
        # The library's parser holds the request until the connection ends.
        event.headers.clear()
        del self.request

    def write(self, frame: bytes) -> None:
        """Send a whole frame after everything sent before; on a closed connection do nothing.

        Frames written in one turn of the event loop are sent together, because a system call
        costs more than everything else about a frame. A client that does not read its frames is
        disconnected.
        """
        if not self._unsent:
            if not _waiting:
                self.loop.call_soon(_flush_all)
            _waiting.append(self)
        self._unsent.append(frame)

    def flush(self) -> None:
        """Pass the frames written so far to the transport."""
        if not self._unsent:
            return
        frames, self._unsent = self._unsent, []
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.transport.write(frames[0] if len(frames) == 1 else b"".join(frames))
        if self.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.transport.abort()

    async def send(self, message: ASGISendEvent) -> None:
        """Send an ASGI message after the frames written so far."""
        self.flush()
        if self.close_sent and self.handshake_complete:
            # The connection was refused and the application has not read that yet: no error.
            if message["type"] == "websocket.close":
                return
            raise ClientDisconnected
        await super().send(message)
        if message["type"] == "websocket.accept":
            del self.response
        elif message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            # Without this, Uvicorn would log a refusal by HTTP as an error of the application.
            self.handshake_complete = True


class _Messages:
    """The queue of received messages for one reader: asyncio.Queue in a tenth of its memory."""

    __slots__ = ("_messages", "_news")

    def __init__(self) -> None:
        self._messages: list[Any] = []
        self._news: asyncio.Future[None] | None = None

    def put_nowait(self, message: Any) -> None:
        self._messages.append(message)
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def __len__(self) -> int:
        return len(self._messages)

    def empty(self) -> bool:
        return not self._messages

    async def get(self) -> Any:
        while not self._messages:
            self._news = asyncio.get_running_loop().create_future()
            try:
                await self._news
            finally:
                self._news = None
        return self._messages.pop(0)


class _Writable:
    """Whether the transport takes more: an asyncio.Event that exists only while it does not."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event: asyncio.Event | None = None

    def set(self) -> None:
        if self._event is not None:
            self._event.set()
            self._event = None

    def clear(self) -> None:
        self._event = self._event or asyncio.Event()

    async def wait(self) -> None:
        if self._event is not None:
            await self._event.wait()


def websocket_protocol(limits: ConnectionLimits) -> Any:
    """The class for Uvicorn's `ws` option, with these limits."""
    return partial(FrameProtocol, limits=limits)


_waiting: list[FrameProtocol] = []


def _flush_all() -> None:
    flushing = _waiting.copy()
    _waiting.clear()
    for protocol in flushing:
        protocol.flush()


def text_frame(text: str) -> bytes:
    """A server's text frame (RFC 6455 section 5.2)."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


def _close_frame(code: CloseCode) -> bytes:
    return Frame(Opcode.CLOSE, code.to_bytes(2, "big")).serialize(mask=False)
