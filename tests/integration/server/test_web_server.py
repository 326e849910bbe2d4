"""What an unfinished, endless or silent connection costs: little, and not for long."""

import asyncio
import resource
from contextlib import AsyncExitStack
from functools import partial

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from websockets.frames import CloseCode

from clinic_chat.realtime.transport.uvicorn import http_protocol as http
from clinic_chat.realtime.transport.uvicorn import websocket_protocol as protocol
from clinic_chat.realtime.transport.uvicorn.connection_limits import (
    ConnectionLimits,
    raise_file_limit,
)
from clinic_chat.server.graceful_server import GracefulServer
from clinic_chat.settings import get_settings
from tests.support.servers.own_server import Raw, eventually, frame, limits, serving

SHORT = 0.3
TEXT, BINARY, CONTINUATION, PING = 1, 2, 0, 9
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers a request with the length of its body, and a websocket with what it said."""
    if scope["type"] == "http":
        body = await Request(scope, receive).body()
        await PlainTextResponse(str(len(body)))(scope, receive, send)
        return
    await send({"type": "websocket.accept"})
    await receive()
    while (said := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": str(said.get("text"))})


@pytest.fixture
def _short_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEAD_SECONDS", "BODY_SECONDS", "STALLED_SECONDS"):
        monkeypatch.setattr(http, name, SHORT)


@pytest.mark.usefixtures("_short_deadlines")
@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"G",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: ",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        GET + b"\r\n",
        GET + b"GET / HT",
    ],
    ids=["nothing", "a letter", "a head", "a body", "a chunk", "a line end", "a second head"],
)
async def test_what_is_not_finished_in_time_is_closed(said: bytes) -> None:
    connections = limits()
    async with serving(echo, connections) as port, Raw.to(port) as client:
        await client.say(said)
        await client.ended()

        assert connections.count() == 0


@pytest.mark.usefixtures("_short_deadlines")
async def test_an_answer_that_nobody_reads_is_given_up() -> None:
    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not (await _disconnected(receive)):
            await send({"type": "http.response.body", "body": bytes(1_000_000), "more_body": True})

    connections = limits()
    async with serving(endless, connections) as port, Raw.to(port) as client:
        await client.say(GET)
        assert await client.reader.readuntil(b"\r\n\r\n")
        await eventually(lambda: connections.count() == 0)


async def _disconnected(receive: Receive) -> bool:
    try:
        async with asyncio.timeout(0.001):
            return (await receive())["type"] == "http.disconnect"
    except TimeoutError:
        return False


@pytest.mark.parametrize(
    "parts",
    [
        [b"GET / HTTP/1.1\r\nHost: x\r\n"] + [b"A: " + b"a" * 4_000 + b"\r\n"] * 100,
        [b"GET / HTTP/1.1\r\nHost: x\r\nA: "] + [b"a" * 4_000] * 100,
        [b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"],
        [b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: a\r\n" * 200 + b"\r\n"],
        [b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"]
        + [b"A: " + b"a" * 4_000 + b"\r\n"] * 100,
        [GET * 1_000],
    ],
    ids=["many", "one value", "an address", "very many short", "trailers", "a thousand requests"],
)
async def test_a_head_without_end_is_refused_before_it_is_kept(parts: list[bytes]) -> None:
    async with serving(echo) as port, Raw.to(port) as client:
        for part in parts:
            await client.say(part)
        answered = await client.ended()

        assert answered.count(b"200 OK") <= http.MAX_PIPELINED + 1
        async with Raw.to(port) as other:
            await other.say(GET)
            assert b"200 OK" in await other.hears()


async def test_an_honest_body_of_many_small_chunks_arrives() -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
    async with serving(echo) as port, Raw.to(port) as client:
        await client.say(head + b"Connection: close\r\n\r\n")
        await client.say(b"1\r\nx\r\n" * 30_000 + b"0\r\n\r\n")

        assert (await client.ended()).endswith(b"\r\n\r\n30000")


async def test_one_address_has_only_its_part_of_the_connections() -> None:
    connections = limits(per_address=5)
    async with serving(echo, connections) as port:
        async with AsyncExitStack() as clients:
            opened = [await clients.enter_async_context(Raw.to(port)) for _ in range(8)]
            for client in opened:
                await client.say(GET)
            answers = [await client.hears() for client in opened]

        assert sum(b"200 OK" in answer for answer in answers) == 5
        assert answers[5:] == [b"", b"", b""]


async def test_who_says_nothing_makes_room_for_who_does() -> None:
    connections = ConnectionLimits(10, 1_000, "127.0.0.1", files=1_000_000)
    async with serving(echo, connections) as port:
        silent = [Raw.to(port) for _ in range(30)]
        opened = [await client.__aenter__() for client in silent]

        async with Raw.to(port) as client:
            await client.say(GET)
            assert b"200 OK" in await client.hears()
        assert connections.count() <= 10
        assert await opened[0].ended() == b""
        for connection in silent:
            await connection.__aexit__(None, None, None)


def test_the_process_may_open_as_many_files_as_the_system_grants() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
        assert raise_file_limit() == hard
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    # Beyond what is left for files, nobody is let in.
    assert ConnectionLimits(10_000, 10_000, "", files=1_024).in_all < 1_024


@pytest.mark.parametrize(
    "frames",
    [
        frame(BINARY, b"x"),
        frame(BINARY, b"x", fin=False) + frame(CONTINUATION, b"y"),
        frame(TEXT, b"x", fin=False) + frame(CONTINUATION, fin=False) * 10,
        frame(TEXT, b"x", fin=False) + frame(CONTINUATION, b"y", fin=False) * 200,
        frame(PING) * 1_000,
        frame(10) * 1_000,
        frame(TEXT, b"x") * 10_000,
    ],
    ids=["binary", "binary in parts", "empty parts", "many parts", "pings", "pongs", "a flood"],
)
async def test_frames_that_no_page_sends_close_the_websocket(frames: bytes) -> None:
    async with serving(echo) as port, Raw.to(port) as client:
        assert b"101" in await client.upgrade()
        await client.say(frames)
        await client.ended()


async def test_a_message_in_parts_and_a_ping_are_taken() -> None:
    async with serving(echo) as port, Raw.to(port) as client:
        await client.upgrade()
        await client.say(frame(TEXT, b"o", fin=False) + frame(CONTINUATION, b"i"))

        assert await client.text() == "oi"
        await client.frame(PING, b"?")
        assert await client.hears() == b"\x8a\x01?"


async def test_a_websocket_keeps_its_place_and_gives_it_back() -> None:
    connections = limits()
    async with serving(echo, connections) as port:
        async with Raw.to(port) as client:
            await client.upgrade()
            await client.frame(TEXT, b"x")
            assert await client.text() == "x"
            assert connections.count() == 1
        await eventually(lambda: connections.count() == 0)


async def test_nothing_about_a_websocket_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with serving(echo) as port, Raw.to(port) as client:
        await client.upgrade("/_event/?token=a-tab-of-anas")
        await client.frame(TEXT, b"x")
        assert await client.text() == "x"

    assert "a-tab-of-anas" not in caplog.text
    assert "connection open" not in caplog.text


def test_the_server_that_is_served_counts_connections_and_bounds_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLINIC_CHAT_CONNECTIONS_PER_ADDRESS", "7")
    get_settings.cache_clear()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
        config = GracefulServer("unknown:app", "127.0.0.1", 0).config
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        get_settings.cache_clear()

    for made, expected in (
        (config.http, http.BoundedHttpProtocol),
        (config.ws, protocol.FrameProtocol),
    ):
        assert isinstance(made, partial)
        assert made.func is expected
        assert made.keywords["limits"].per_address == 7


def test_a_close_frame_names_its_reason() -> None:
    assert protocol._close_frame(CloseCode.UNSUPPORTED_DATA) == b"\x88\x02\x03\xeb"
