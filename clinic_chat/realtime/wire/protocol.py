"""Uvicorn's websockets with ready-made frames, offered to applications as an ASGI extension."""

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request

EXTENSION = "clinic_chat.frames"
# A client that is this far behind is better off with a new connection and a snapshot.
MAX_UNSENT_BYTES = 1024 * 1024

Write = Callable[[bytes], None]


class FrameProtocol(WebSocketsSansIOProtocol):
    """One websocket; its scope has `write` in the extension `EXTENSION`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.queue = _Messages()  # type: ignore[assignment]
        self.writable = _Writable()  # type: ignore[assignment]
        self._unsent: list[bytes] = []

    def handle_connect(self, event: Request) -> None:
        """Answer the handshake, and keep less of it than Uvicorn does."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["extensions"][EXTENSION] = {"write": self.write}
        # The library's parser holds the request until the connection ends.
        event.headers.clear()
        del self.request

    def write(self, frame: bytes) -> None:
        """Send a whole frame, behind everything sent before; nothing on a closed connection.

        What is written in one turn of the event loop leaves together, because a system call
        costs more than everything else about a frame. A client that does not read what it is
        sent is cut off.
        """
        if not self._unsent:
            if not _waiting:
                self.loop.call_soon(_flush_all)
            _waiting.append(self)
        self._unsent.append(frame)

    def flush(self) -> None:
        """Hand what was written to the network."""
        if not self._unsent:
            return
        frames, self._unsent = self._unsent, []
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.transport.write(frames[0] if len(frames) == 1 else b"".join(frames))
        if self.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.transport.abort()

    async def send(self, message: ASGISendEvent) -> None:
        """Send an ASGI message behind the frames."""
        self.flush()
        await super().send(message)
        if message["type"] == "websocket.accept":
            del self.response


class _Messages:
    """What is to be received, by one reader: asyncio.Queue in a tenth of its memory."""

    __slots__ = ("_messages", "_news")

    def __init__(self) -> None:
        self._messages: list[Any] = []
        self._news: asyncio.Future[None] | None = None

    def put_nowait(self, message: Any) -> None:
        self._messages.append(message)
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

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
    """Whether the network takes more: an asyncio.Event that exists only while it does not."""

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


_waiting: list[FrameProtocol] = []


def _flush_all() -> None:
    flushing = _waiting.copy()
    _waiting.clear()
    for protocol in flushing:
        protocol.flush()


def text_frame(text: str) -> bytes:
    """A server's text frame (RFC 6455 section 5.2)."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
