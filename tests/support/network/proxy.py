"""A TCP proxy in front of the server that fails on command, as networks do.

It forwards bytes and understands as little of them as its faults need: the head of the first
request of a connection, and, of a websocket, where the server's frames end.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from time import time
from typing import Self

HOST = "127.0.0.1"
HEAD_END = b"\r\n\r\n"
HEAD_LIMIT = 64 * 1024
CHUNK = 64 * 1024
SHORT_FRAME = 126
UPGRADE_REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Upgrades(Enum):
    """What happens to requests for a websocket."""

    PASS = "pass"
    REFUSED = "refused"
    """Answered with 403, as by a proxy that knows no websockets."""
    HANGING = "hanging"
    """Never answered."""


@dataclass(eq=False)
class Connection:
    """One connection of a client, with the server's end of it once there is one."""

    path: str
    websocket: bool
    at: float
    """When it came, in seconds since 1970."""
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None
    cut_in_next_frame: bool = field(default=False)

    def reset(self) -> None:
        """End it at once on both sides, as a network that goes away does."""
        for writer in (self.client, self.server):
            if writer is None:
                continue
            raw = writer.get_extra_info("socket")
            # Without lingering, close() sends RST.
            with suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


class Proxy:
    """Stands between clients and the server on another port of this machine."""

    def __init__(self, upstream: int) -> None:
        self.upgrades = Upgrades.PASS
        self.latency = 0.0
        """Seconds that every byte takes longer, in each direction."""
        self.dropped = ""
        """The server's websocket frames that contain this text never arrive."""
        self.rejected: str | None = None
        """Requests for paths that begin so are reset; "" is all, None is none."""
        self.accepted: list[Connection] = []
        """Every connection that said what it wants, in order."""
        self.port = 0
        self._upstream = upstream
        self._open: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._listener: asyncio.Server | None = None

    @property
    def origin(self) -> str:
        """The address for browsers."""
        return f"http://{HOST}:{self.port}"

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def accept(self) -> None:
        """Take connections, always on the same port."""
        if self._listener is None:
            self._listener = await asyncio.start_server(self._serve, HOST, self.port)
            self.port = self._listener.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Reset what is open and refuse connections, as a machine without the server does."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self.cut()

    def cut(self) -> None:
        """Reset every connection; new ones are taken."""
        for connection in list(self._open):
            self._end(connection)

    def cut_mid_frame(self) -> None:
        """Reset each websocket when only a part of its next frame was forwarded."""
        for connection in self._open:
            connection.cut_in_next_frame = True

    @contextmanager
    def blackhole(self) -> Iterator[None]:
        """Take everything and forward nothing, not even an end; afterwards what was held."""
        self._flowing.clear()
        try:
            yield
        finally:
            self._flowing.set()

    def inject(self, text: str) -> None:
        """Send a text to each websocket's client as if the server had sent it."""
        payload = text.encode()
        assert len(payload) < SHORT_FRAME
        frame = bytes([0x81, len(payload)]) + payload
        for connection in self._open:
            if connection.websocket:
                connection.client.write(frame)

    def websockets(self) -> int:
        """How many websockets are open."""
        return sum(connection.websocket for connection in self._open)

    def _end(self, connection: Connection) -> None:
        self._open.discard(connection)
        connection.reset()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._carry(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.transport.abort()
        except asyncio.CancelledError:
            # The proxy closes; asyncio would report a cancelled handler as an error.
            writer.transport.abort()
        finally:
            self._tasks.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(HEAD_END)
        request = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        connection = Connection(
            path=request[1] if len(request) > 1 else "",
            websocket=b"\r\nupgrade: websocket\r\n" in head.lower(),
            at=time(),
            client=writer,
        )
        self.accepted.append(connection)
        self._open.add(connection)
        try:
            if self.rejected is not None and connection.path.startswith(self.rejected):
                return
            if connection.websocket and self.upgrades is not Upgrades.PASS:
                await self._deny_upgrade(reader, writer)
                return
            await self._flowing.wait()
            upstream, connection.server = await asyncio.open_connection(HOST, self._upstream)
            # One request for each connection, so that every request is seen.
            head = head.replace(b"Connection: keep-alive\r\n", b"Connection: close\r\n")
            await self._exchange(connection, head, reader, upstream)
        finally:
            self._end(connection)

    async def _deny_upgrade(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if self.upgrades is Upgrades.REFUSED:
            writer.write(UPGRADE_REFUSED)
            await writer.drain()
        # Either way the client is the one that goes.
        while await reader.read(CHUNK):
            pass

    async def _exchange(
        self,
        connection: Connection,
        head: bytes,
        client: asyncio.StreamReader,
        server: asyncio.StreamReader,
    ) -> None:
        assert connection.server is not None
        answers = self._frames(connection, server) if connection.websocket else _chunks(server)
        # The group ends with the first direction that ends.
        ways = [
            asyncio.create_task(self._forward(_chunks(client, head), connection.server)),
            asyncio.create_task(self._forward(answers, connection.client)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _forward(self, data: AsyncIterator[bytes], to: asyncio.StreamWriter) -> None:
        """Send on what comes, each piece late by the latency, none before another."""
        on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        async def take() -> None:
            async for piece in data:
                on_the_way.put_nowait((loop.time() + self.latency, piece))
            on_the_way.put_nowait((loop.time() + self.latency, b""))

        taking = asyncio.create_task(take())
        try:
            while True:
                due, piece = await on_the_way.get()
                if (wait := due - loop.time()) > 0:
                    await asyncio.sleep(wait)
                await self._flowing.wait()
                if not piece:
                    return
                to.write(piece)
                await to.drain()
        finally:
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)

    async def _frames(
        self, connection: Connection, server: asyncio.StreamReader
    ) -> AsyncIterator[bytes]:
        """The answer to the upgrade, then the server's frames, without those to be dropped."""
        try:
            yield await server.readuntil(HEAD_END)
            while True:
                frame = await _frame(server)
                if connection.cut_in_next_frame:
                    connection.client.write(frame[: len(frame) // 2])
                    await connection.client.drain()
                    return
                if not self.dropped or self.dropped.encode() not in frame:
                    yield frame
        except (OSError, asyncio.IncompleteReadError):
            return


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """One frame of a server, which masks nothing (RFC 6455 section 5.2)."""
    start = await reader.readexactly(2)
    length = start[1] & 0x7F
    more = {SHORT_FRAME: 2, SHORT_FRAME + 1: 8}.get(length, 0)
    extended = await reader.readexactly(more)
    return start + extended + await reader.readexactly(int.from_bytes(extended) if more else length)


async def _chunks(reader: asyncio.StreamReader, first: bytes = b"") -> AsyncIterator[bytes]:
    if first:
        yield first
    try:
        while chunk := await reader.read(CHUNK):
            yield chunk
    except OSError:
        return
