"""What attackers do to a server on this machine: bounded counts, from loopback addresses only.

`attack` runs in a process of its own, and its rates are bounded, so that it takes little from
whoever measures on the same core; `cpu_ms` says how much. Every address is of 127.0.0.0/8, which
Linux lets any process bind to.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import cycle, repeat
from urllib.parse import urlencode

import orjson

from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from tests.load.clients.websocket import FINAL, Opcode, encode, handshake

SILENT_FROM, FLOOD_FROM, PACKETS_FROM = "127.0.0.2", "127.0.0.3", "127.0.0.4"
PATH = "/_event/?EIO=4&transport="
WAIT_SECONDS = 5.0
PIECE = 60_000
POSTED = 250_000
EMPTY_FRAGMENTS = 2_000
EVENTS_AT_ONCE = 10
# Of each kind of packet at once, because one may have to wait for a server that reads no more.
SENDERS = 6
ENTER = b"40/_event,{}"
_SID = re.compile(rb'"sid":"([^"]+)"')

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Strength:
    """How much is done in one attack."""

    silent: int = 2_000
    """Connections that say nothing, half of a head, or nothing after the handshake."""
    sockets: int = 20
    """Sockets of one account that send state events."""
    events_per_second: int = 4_000
    """Over all those sockets, as long as the server takes them."""
    sign_ins: int = 300
    """Wrong passwords, each from another address."""
    packet_bytes: int = 150_000_000
    """Binary and malformed packets."""
    seconds: float = 40.0


def attack(
    host: str, cookies: list[str], event: dict[str, object], strength: Strength
) -> dict[str, int]:
    """Everything at once with the cookies of two accounts; how often what was done and answered."""
    began = time.process_time()
    done = asyncio.run(Attack(host, cookies, event, strength).run())
    return {**done, "cpu_ms": round((time.process_time() - began) * 1000)}


class Attack:
    """One attack on the server at `host` (address:port)."""

    def __init__(
        self, host: str, cookies: list[str], event: dict[str, object], strength: Strength
    ) -> None:
        self._host = host
        # What one account sends waits for itself, so packets come from another than the flood.
        flood, self._cookie = ({"Cookie": f"{COOKIE_NAME}={cookie}"} for cookie in cookies)
        self._flood_cookie = flood
        self._event = event
        self._strength = strength
        self._done: Counter[str] = Counter()
        self._over = asyncio.Event()

    async def run(self) -> dict[str, int]:
        """Attack for the strength's seconds."""
        ends = time.monotonic() + self._strength.seconds
        each = self._strength.packet_bytes // len(self._packets()) // SENDERS
        work = [
            *(self._silent(number) for number in range(self._strength.silent)),
            *(self._flood(ends) for _ in range(self._strength.sockets)),
            *(self._wrong_sign_in(number) for number in range(self._strength.sign_ins)),
            *(
                self._send_packets(name, way, each, ends)
                for name, way in self._packets().items()
                for _ in range(SENDERS)
            ),
        ]
        tasks = [asyncio.create_task(one) for one in work]
        await asyncio.sleep(max(0.0, ends - time.monotonic()))
        self._over.set()
        await asyncio.wait(tasks, timeout=WAIT_SECONDS)
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception) and not isinstance(ended, OSError | EOFError):
                self._done[f"fault of the attacker: {type(ended).__name__}"] += 1
        return dict(sorted(self._done.items()))

    async def _silent(self, number: int) -> None:
        # Not all in one instant: the queue of the listening socket would be what is measured.
        await asyncio.sleep(number * self._strength.seconds / 4 / self._strength.silent)
        first = (
            b"",
            b"GET / HTTP/1.1\r\nHost: x\r\nX-Half: ",
            handshake(self._host, f"{PATH}websocket", {}),
            handshake(self._host, f"{PATH}websocket", {}),
        )[number % 4]
        async with self._connected(SILENT_FROM) as (reader, writer):
            self._done["silent connections"] += 1
            writer.write(first)
            over = asyncio.create_task(self._over.wait())
            closed = asyncio.create_task(_drained(reader))
            await asyncio.wait({over, closed}, return_when=asyncio.FIRST_COMPLETED)
            if closed.done():
                self._done["silent connections closed by the server"] += 1
            over.cancel()
            closed.cancel()

    async def _flood(self, ends: float) -> None:
        packet = encode(b"42/_event," + orjson.dumps(["event", self._event]))
        pause = EVENTS_AT_ONCE * self._strength.sockets / self._strength.events_per_second
        while time.monotonic() < ends:
            with suppress(OSError, EOFError, TimeoutError):
                async with self._websocket(FLOOD_FROM, self._flood_cookie) as (reader, writer):
                    writer.write(encode(ENTER))
                    reading = asyncio.create_task(_drained(reader))
                    while time.monotonic() < ends and not reading.done():
                        writer.write(packet * EVENTS_AT_ONCE)
                        await asyncio.wait_for(writer.drain(), WAIT_SECONDS)
                        self._done["state events"] += EVENTS_AT_ONCE
                        await asyncio.sleep(pause)
                    self._done["flooding sockets closed by the server"] += reading.done()
                    reading.cancel()
            await asyncio.sleep(0.2)

    async def _wrong_sign_in(self, number: int) -> None:
        address = f"127.0.{1 + number // 250}.{1 + number % 250}"
        body = urlencode({"email": "pessoa1@load-1.example", "password": f"wrong {number}"})
        async with self._connected(address) as (reader, writer):
            writer.write(self._http("POST", "/auth/login", body.encode(), origin=True))
            status = (await reader.readline()).split()[1:2] or [b"none"]
            self._done[f"wrong sign-ins answered {status[0].decode()}"] += 1

    def _packets(self) -> dict[str, Callable[[], Awaitable[int]]]:
        return {
            "binary frames of nobody": self._binary_of_nobody,
            "binary events with endless attachments": self._attachments,
            "endless fragments": self._fragments,
            "text that is no packet": self._no_packets,
            "polled packets": self._polled,
            "malformed polled packets": self._polled_malformed,
            "polled packets of nobody": self._polled_by_nobody,
        }

    async def _send_packets(
        self, name: str, way: Callable[[], Awaitable[int]], total: int, ends: float
    ) -> None:
        sent = 0
        while sent < total and time.monotonic() < ends:
            count = 0
            with suppress(OSError, EOFError, TimeoutError):
                count = await way()
            sent += count
            # Evenly over the time: this is about what is kept, and not about how fast it comes.
            await asyncio.sleep(self._strength.seconds * 0.7 * count / total if count else 0.1)
        self._done[f"KB of {name}"] += sent // 1024

    async def _binary_of_nobody(self) -> int:
        return await self._frames({}, repeat(encode(bytes(PIECE), Opcode.BINARY), 20))

    async def _attachments(self) -> int:
        promise = b'451000000-/_event,["event",{"_placeholder":true,"num":0}]'
        pieces = [encode(ENTER), encode(promise), *repeat(encode(bytes(PIECE), Opcode.BINARY), 20)]
        return await self._frames(self._cookie, iter(pieces))

    async def _fragments(self) -> int:
        first = _fragment(b"42", Opcode.TEXT)
        empty = _fragment(b"", Opcode.CONTINUATION) * EMPTY_FRAGMENTS
        pieces = [first, *repeat(_fragment(b"x" * PIECE, Opcode.CONTINUATION), 6), *[empty] * 3]
        return await self._frames(self._cookie, iter(pieces))

    async def _no_packets(self) -> int:
        kinds = cycle((b"4" + b"9" * PIECE, b"46" + b"[" * PIECE, b"4" + b"\xff" * PIECE, b"z"))
        return await self._frames(self._cookie, (encode(next(kinds)) for _ in range(20)))

    async def _polled(self) -> int:
        """An account's polling connections: a promise, then bodies of what is no packet."""
        async with self._connected(PACKETS_FROM) as (reader, writer):
            writer.write(self._http("GET", f"{PATH}polling", cookie=True))
            found = _SID.search(await _answer(reader))
        if found is None:
            self._done["polling sessions refused"] += 1
            return 0
        path = f"{PATH}polling&sid={found[1].decode()}"
        # The entry and what is promised race each other.
        promise = b'4599999999-/_event,["event",{"_placeholder":true,"num":0}]'
        await asyncio.gather(self._post(path, ENTER), self._post(path, promise))
        bodies = cycle((b"b" + b"A" * (POSTED - 1), b"42/x," + b"[" * (POSTED - 5)))
        return sum([await self._post(path, next(bodies)) for _ in range(8)])

    async def _polled_malformed(self) -> int:
        """A body at once after each handshake, so that all of them are read and looked at."""
        sent = 0
        for body in (b"42/_event," + b"[" * (POSTED - 10), b"\x1e" * POSTED, b"b" * POSTED):
            async with self._connected(PACKETS_FROM) as (reader, writer):
                writer.write(self._http("GET", f"{PATH}polling", cookie=True))
                found = _SID.search(await _answer(reader))
            if found is None:
                self._done["polling sessions refused"] += 1
                continue
            sent += await self._post(f"{PATH}polling&sid={found[1].decode()}", body)
        return sent

    async def _polled_by_nobody(self) -> int:
        """Bodies under the id that everybody without a session is given."""
        body = b"b" + b"A" * (POSTED - 1)
        path = f"{PATH}polling&sid=unauthorized"
        return sum([await self._post(path, body, cookie=False) for _ in range(4)])

    async def _post(self, path: str, body: bytes, cookie: bool = True) -> int:
        """The bytes that were sent, whatever the answer."""
        with suppress(OSError, EOFError, TimeoutError):
            async with self._connected(PACKETS_FROM) as (reader, writer):
                writer.write(self._http("POST", path, body, cookie=cookie))
                await asyncio.wait_for(writer.drain(), WAIT_SECONDS)
                head = await asyncio.wait_for(reader.readline(), WAIT_SECONDS)
                status = head.split()[1:2] or [b"none"]
                self._done[f"polled bodies answered {status[0].decode()}"] += 1
            return len(body)
        self._done["polled bodies without an answer"] += 1
        return len(body)

    async def _frames(self, headers: dict[str, str], pieces: Iterator[bytes]) -> int:
        sent = 0
        with suppress(OSError, TimeoutError):
            async with self._websocket(PACKETS_FROM, headers) as (reader, writer):
                reading = asyncio.create_task(_drained(reader))
                for piece in pieces:
                    if reading.done():
                        break
                    writer.write(piece)
                    sent += len(piece)
                    await asyncio.wait_for(writer.drain(), WAIT_SECONDS)
                self._done["sockets with packets closed by the server"] += reading.done()
                reading.cancel()
        return sent

    @asynccontextmanager
    async def _connected(self, address: str) -> AsyncIterator[Streams]:
        host, port = self._host.split(":")
        try:
            opening = asyncio.open_connection(host, int(port), local_addr=(address, 0))
            reader, writer = await asyncio.wait_for(opening, WAIT_SECONDS)
        except (OSError, TimeoutError):
            self._done["connections that did not come about"] += 1
            raise
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    @asynccontextmanager
    async def _websocket(self, address: str, headers: dict[str, str]) -> AsyncIterator[Streams]:
        async with self._connected(address) as (reader, writer):
            writer.write(handshake(self._host, f"{PATH}websocket&token=t", headers))
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WAIT_SECONDS)
            if b" 101 " not in head:
                self._done[f"sockets refused with {head.split()[1].decode()}"] += 1
                raise ConnectionError("the server refused the socket")
            yield reader, writer

    def _http(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        origin: bool = False,
        cookie: bool = False,
    ) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}"]
        if cookie:
            lines.append(f"Cookie: {self._cookie['Cookie']}")
        if origin:
            lines += [
                f"Origin: http://{self._host}",
                "Content-Type: application/x-www-form-urlencoded",
            ]
        lines += [f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(lines).encode() + body


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WAIT_SECONDS)
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
    if fields.get(b"transfer-encoding") == b"chunked":
        return await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), WAIT_SECONDS)
    return await asyncio.wait_for(
        reader.readexactly(int(fields.get(b"content-length", b"0"))), WAIT_SECONDS
    )


async def _drained(reader: asyncio.StreamReader) -> None:
    with suppress(OSError):
        while await reader.read(65_536):
            pass


def _fragment(payload: bytes, opcode: Opcode) -> bytes:
    whole = encode(payload, opcode)
    return bytes((whole[0] & ~FINAL,)) + whole[1:]
