"""One Engine.IO and Socket.IO connection over a websocket, as little as that can be.

Hundreds of them must not make the generator the bottleneck: a plain asyncio protocol, no task
and no queue per connection.
"""

import asyncio
from time import time
from typing import Any

import orjson

from tests.load.clients import websocket
from tests.load.clients.websocket import Opcode

PONG = websocket.encode(b"3")


class Refused(Exception):
    """The server did not let the connection in, with its reason."""


class Connection(asyncio.Protocol):
    """A client in one namespace. Subclasses take what arrives in `heard`."""

    def __init__(
        self, host: str, path: str, namespace: str = "", headers: dict[str, str] | None = None
    ) -> None:
        self._address = host.split(":")
        self._request = websocket.handshake(host, path, headers or {})
        self._prefix = f"{namespace},".encode() if namespace else b""
        self._buffer = b""
        self._upgraded = False
        self._transport: Any = None
        self._asked = 0
        self._answers: dict[bytes, asyncio.Future[Any]] = {}
        self.entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the namespace let this connection in."""
        self.gone = asyncio.Event()
        """Set when the connection is over."""
        self.dialled_at = time()
        self.joined_at = 0.0
        self.lost_at = 0.0
        self.received_bytes = 0

    async def open(self) -> None:
        """Connect and enter the namespace.

        Raises:
            Refused: the server's reason.
            OSError: there is no connection.
        """
        host, port = self._address
        self.dialled_at = time()
        await asyncio.get_running_loop().create_connection(lambda: self, host, int(port))
        await self.entered

    @property
    def live_at(self) -> float:
        """When this client had all that it came for, 0 before."""
        return self.joined_at

    def close(self) -> None:
        """Leave as a closed tab does."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(websocket.encode(b"\x03\xe9", Opcode.CLOSE))
            self._transport.close()

    def tell(self, event: str, data: Any) -> None:
        """Emit an event that needs no answer."""
        self._send(b"42" + self._prefix + orjson.dumps([event, data]))

    def ask(self, event: str, data: Any) -> asyncio.Future[Any]:
        """Emit an event; what the server answers."""
        self._asked += 1
        number = str(self._asked).encode()
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        self._send(b"42" + self._prefix + number + orjson.dumps([event, data]))
        return answer

    def auth(self) -> Any:
        """What goes along with the entry into the namespace."""
        return {}

    def heard(self, event: bytes, at: float) -> None:
        """An event arrived, as JSON `[name, data]`, at a time by this machine's clock."""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(self._request)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost_at = time()
        self.gone.set()
        gone = ConnectionError("the connection was closed")
        for waiting in (self.entered, *self._answers.values()):
            if not waiting.done():
                waiting.set_exception(gone)
                # Whoever waits hears of it; nobody has to.
                waiting.exception()
        self._answers.clear()

    def data_received(self, data: bytes) -> None:
        at = time()
        self.received_bytes += len(data)
        if self._buffer:
            data = self._buffer + data
        if not self._upgraded:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._buffer = head
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self._refuse(head.split(b"\r\n")[0].decode())
                return
            self._upgraded = True
        frames, self._buffer = websocket.decode(data)
        for opcode, payload in frames:
            if opcode == Opcode.TEXT:
                self._text(payload, at)
            elif opcode == Opcode.PING:
                self._transport.write(websocket.encode(payload, Opcode.PONG))
            elif opcode == Opcode.CLOSE:
                self._transport.close()

    def _text(self, payload: bytes, at: float) -> None:
        kind = payload[:2]
        if kind == b"42":
            self.heard(payload[2 + len(self._prefix) :], at)
        elif payload == b"2":
            self._transport.write(PONG)
        elif kind == b"43":
            number, _, answer = payload[2 + len(self._prefix) :].partition(b"[")
            waiting = self._answers.pop(number, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(orjson.loads(b"[" + answer)[0])
        elif kind == b"40":
            self.joined_at = at
            if not self.entered.done():
                self.entered.set_result(None)
        elif kind == b"44":
            self._refuse(payload.decode())
        elif kind[:1] == b"0":
            self._send(b"40" + self._prefix + orjson.dumps(self.auth()))

    def _refuse(self, reason: str) -> None:
        if not self.entered.done():
            self.entered.set_exception(Refused(reason))
        self._transport.close()

    def _send(self, text: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(websocket.encode(text))
