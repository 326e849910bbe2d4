"""Clients that may stop at any point of what they say, over websocket, polling and plain HTTP."""

import json
import re
import socket
from collections import deque
from contextlib import suppress
from urllib.parse import quote

from tests.load.clients.websocket import Opcode, encode, handshake

ANSWER_SECONDS = 30.0
GREETING_SECONDS = 5.0
JOURNAL_BYTES = 600
PATH = "/_event/?EIO=4&token=fuzz&transport="
NO_FINAL = 0x7F
_STATUS = re.compile(rb"^HTTP/1\.1 (\d{3})")
# An answer without one: only a server that has closed the connection, or that waits for the rest.
NO_ANSWER = 0

journal: deque[bytes] = deque(maxlen=30)
"""The beginnings of what was said last, for whoever has to say it again."""


class Peer:
    """A TCP connection; what goes wrong because the server has closed it is no fault."""

    def __init__(self, host: str) -> None:
        self.host = host
        address, port = host.split(":")
        self._socket = socket.create_connection((address, int(port)), ANSWER_SECONDS)

    def say(self, data: bytes) -> None:
        """Send bytes."""
        journal.append(data[:JOURNAL_BYTES])
        with suppress(OSError):
            self._socket.sendall(data)

    def status(self, seconds: float = ANSWER_SECONDS) -> tuple[int, bytes]:
        """The status of the next answer, NO_ANSWER without one, and all that came with its head."""
        heard = b""
        self._socket.settimeout(seconds)
        with suppress(OSError):
            while b"\r\n\r\n" not in heard and (part := self._socket.recv(65_536)):
                heard += part
        found = _STATUS.match(heard)
        return (int(found[1]) if found else NO_ANSWER), heard

    def read(self) -> None:
        """Take what is there, so that the server may send more."""
        with suppress(OSError):
            self._socket.setblocking(False)
            while self._socket.recv(65_536):
                pass
        self._socket.settimeout(ANSWER_SECONDS)

    def close(self, reset: bool = False) -> None:
        """Close as asked to, or as a crash does."""
        if reset:
            linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
            with suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._socket.close()


class WebSocket(Peer):
    """A websocket to the socket server."""

    def __init__(self, host: str, cookie: dict[str, str]) -> None:
        super().__init__(host)
        self.say(handshake(host, f"{PATH}websocket", cookie))
        self.opened, _ = self.status(GREETING_SECONDS)

    def text(self, text: str) -> None:
        """Send a whole text frame."""
        self.read()
        self.say(encode(text.encode(errors="surrogatepass")))

    def frame(self, opcode: int, data: bytes, final: bool) -> None:
        """Send any frame."""
        whole = bytearray(encode(data))
        whole[0] = (0x80 if final else 0) | opcode
        self.say(bytes(whole))

    def binary(self, data: bytes) -> None:
        """Send a whole binary frame."""
        self.say(encode(data, Opcode.BINARY))


class Polls:
    """A session of Engine.IO over HTTP; every request has a connection of its own."""

    def __init__(self, host: str, cookie: dict[str, str]) -> None:
        self.host = host
        self._cookie = cookie
        self._waiting: list[Peer] = []
        self.sid = "none"
        self.opened, heard = exchange(host, "GET", f"{PATH}polling", cookie)
        with suppress(ValueError, KeyError):
            self.sid = json.loads(heard[heard.index(b"{") :].split(b"\x1e")[0])["sid"]

    def text(self, text: str) -> int:
        """Post a packet; the status of the answer."""
        body = text.encode(errors="surrogatepass")
        return exchange(self.host, "POST", self._path, self._cookie, body)[0]

    def binary(self, data: bytes) -> int:
        """Post bytes that are no text."""
        return exchange(self.host, "POST", self._path, self._cookie, data)[0]

    def poll(self) -> None:
        """Ask for what there is, and do not wait for it."""
        peer = Peer(self.host)
        peer.say(request(self.host, "GET", self._path, self._cookie))
        self._waiting.append(peer)

    def close(self, reset: bool = False) -> None:
        """Leave: with a word, or as a phone does in a tunnel."""
        if not reset:
            self.text("1")
        for peer in self._waiting:
            peer.close(reset)

    @property
    def _path(self) -> str:
        return f"{PATH}polling&sid={self.sid}"


def request(host: str, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A request with its length."""
    lines = {"Host": host, "Connection": "close", "Origin": f"http://{host}", **headers}
    lines.setdefault("Content-Length", str(len(body)))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    target = quote(path, safe="/?=&%+;:@!$'()*,~-._{}")
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body


def exchange(
    host: str, method: str, path: str, headers: dict[str, str], body: bytes = b""
) -> tuple[int, bytes]:
    """The status of the answer, and its first bytes."""
    peer = Peer(host)
    try:
        peer.say(request(host, method, path, headers, body))
        return peer.status()
    finally:
        peer.close()
