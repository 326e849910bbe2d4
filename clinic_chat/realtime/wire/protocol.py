"""Uvicorn's websockets with ready-made frames, offered to applications as an ASGI extension."""

from collections.abc import Callable

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request

EXTENSION = "clinic_chat.frames"
# A client that is this far behind is better off with a new connection and a snapshot.
MAX_UNSENT_BYTES = 1024 * 1024

Write = Callable[[bytes], None]


class FrameProtocol(WebSocketsSansIOProtocol):
    """One websocket; its scope has `write` in the extension `EXTENSION`."""

    def handle_connect(self, event: Request) -> None:
        """Answer the handshake, and keep less of it than Uvicorn does."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["extensions"][EXTENSION] = {"write": self.write}
        del self.request

    def write(self, frame: bytes) -> None:
        """Send a whole frame at once, behind everything sent before; nothing on a closed one.

        Cuts the connection when its client does not read what it is sent.
        """
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.transport.write(frame)
        if self.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.transport.abort()


def text_frame(text: str) -> bytes:
    """A server's text frame (RFC 6455 section 5.2)."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
