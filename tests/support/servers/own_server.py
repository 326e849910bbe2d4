"""The web server of the product around a small application, in the test's own process."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from clinic_chat.realtime.transport.uvicorn.connection_limits import ConnectionLimits
from clinic_chat.server.graceful_server import web_server_config

HOST = "127.0.0.1"
# A name for nobody, so that the tests' own address is limited like any other.
NO_PROXIES = "192.0.2.1"
ANSWER_SECONDS = 10
LOOK_SECONDS = 0.01


def limits(in_all: int = 1_000, per_address: int = 500) -> ConnectionLimits:
    """Limits of a process that may open very many files."""
    return ConnectionLimits(in_all, per_address, NO_PROXIES, files=1_000_000)


@asynccontextmanager
async def serving(
    app: ASGIApp, connections: ConnectionLimits | None = None, *, plain: bool = False
) -> AsyncIterator[int]:
    """A server with this application; its port. A plain one has Uvicorn's own websockets."""
    connections = connections or limits()
    listener = socket.create_server((HOST, 0))
    config = web_server_config(
        lambda: app,
        connections,
        proxy_headers=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=1,
        **({"ws": "websockets-sansio"} if plain else {}),
    )
    server = uvicorn.Server(config)
    # Not `serve`, which takes the process's signals over.
    running = asyncio.create_task(server._serve([listener]))
    await eventually(lambda: server.started)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await running


class Raw:
    """A TCP connection that says what the test likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    @asynccontextmanager
    async def to(cls, port: int) -> AsyncIterator["Raw"]:
        """Connected to a port until the block ends."""
        reader, writer = await asyncio.open_connection(HOST, port)
        try:
            yield cls(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def say(self, data: bytes) -> None:
        """Send bytes; nobody may be there to take them any more."""
        self.writer.write(data)
        with suppress(OSError):
            await self.writer.drain()

    async def hears(self) -> bytes:
        """What comes next, empty when the server has closed the connection."""
        async with asyncio.timeout(ANSWER_SECONDS):
            try:
                return await self.reader.read(65_536)
            except ConnectionError:
                return b""

    async def ended(self) -> bytes:
        """Everything until the server has closed the connection."""
        heard = b""
        while part := await self.hears():
            heard += part
        return heard

    async def upgrade(self, path: str = "/", **headers: str) -> bytes:
        """Ask for a websocket; the head of the answer."""
        lines = [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join(
            [
                f"GET {path} HTTP/1.1",
                "Host: x",
                "Connection: Upgrade",
                "Upgrade: websocket",
                "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
                *lines,
            ]
        )
        await self.say(head.encode() + b"\r\n\r\n")
        async with asyncio.timeout(ANSWER_SECONDS):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def frame(self, opcode: int, data: bytes = b"", *, fin: bool = True) -> None:
        """Send a websocket frame with a mask of zeros."""
        await self.say(frame(opcode, data, fin=fin))

    async def text(self) -> str:
        """The next text frame that the server sends; "" when it closes instead."""
        async with asyncio.timeout(ANSWER_SECONDS):
            try:
                opcode, length = await self.reader.readexactly(2)
                if length == 126:
                    length = int.from_bytes(await self.reader.readexactly(2), "big")
                data = await self.reader.readexactly(length)
            except (asyncio.IncompleteReadError, ConnectionError):
                return ""
        return data.decode() if opcode == 0x81 else ""


async def eventually(is_so: Callable[[], object]) -> None:
    """Return when something that happens by itself has happened."""
    for _ in range(int(ANSWER_SECONDS / LOOK_SECONDS)):
        if is_so():
            return
        await asyncio.sleep(LOOK_SECONDS)
    raise AssertionError("it did not happen")


def frame(opcode: int, data: bytes = b"", *, fin: bool = True) -> bytes:
    """A client's frame of RFC 6455."""
    first = (0x80 if fin else 0) | opcode
    if len(data) < 126:
        head = bytes([first, 0x80 | len(data)])
    else:
        head = bytes([first, 0x80 | 126]) + len(data).to_bytes(2, "big")
    return head + bytes(4) + data


def event(*content: Any) -> bytes:
    """A Socket.IO event in the pages' namespace."""
    return f"42/_event,{json.dumps(content)}".encode()
