"""The proxy of the bad-network tests does what its faults are named after."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from tests.support.network.proxy import HOST, Proxy, Upgrades

PATIENCE = 10
LATENCY = 0.1
HELD = 0.3


async def _echo(socket: ServerConnection) -> None:
    async for message in socket:
        await socket.send(message)


@pytest.fixture
async def echo() -> AsyncIterator[Server]:
    async with serve(_echo, HOST, 0, compression=None) as server:
        yield server


@pytest.fixture
async def proxy(echo: Server) -> AsyncIterator[Proxy]:
    (listener,) = echo.sockets
    async with asyncio.timeout(PATIENCE), Proxy(listener.getsockname()[1]) as proxy:
        yield proxy


def _connect(proxy: Proxy) -> connect:
    return connect(f"ws://{HOST}:{proxy.port}/a?b=c", compression=None, open_timeout=PATIENCE)


async def _echoed(socket: ClientConnection, text: str) -> str:
    await socket.send(text)
    return str(await socket.recv())


async def test_without_a_fault_everything_passes(proxy: Proxy) -> None:
    async with _connect(proxy) as socket:
        for text in ("olá", "x" * 200, "y" * 70_000):
            assert await _echoed(socket, text) == text
        assert proxy.websockets() == 1

    (connection,) = proxy.accepted
    assert (connection.path, connection.websocket) == ("/a?b=c", True)


async def test_an_upgrade_can_be_refused_while_other_requests_pass(proxy: Proxy) -> None:
    proxy.upgrades = Upgrades.REFUSED

    with pytest.raises(InvalidStatus) as refusal:
        await _connect(proxy)
    assert refusal.value.response.status_code == 403

    # The websocket library's server refuses plain requests by itself, so it was asked.
    reader, writer = await asyncio.open_connection(HOST, proxy.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"426" in await reader.readline()
    writer.close()


async def test_an_upgrade_can_hang(proxy: Proxy) -> None:
    proxy.upgrades = Upgrades.HANGING

    with pytest.raises(TimeoutError):
        await connect(f"ws://{HOST}:{proxy.port}/", open_timeout=HELD)


async def test_a_cut_is_felt_at_once_and_new_connections_are_taken(proxy: Proxy) -> None:
    async with _connect(proxy) as socket:
        proxy.cut()
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    async with _connect(proxy) as socket:
        assert await _echoed(socket, "again") == "again"


async def test_a_cut_in_a_frame_delivers_only_a_part_of_it(proxy: Proxy) -> None:
    async with _connect(proxy) as socket:
        proxy.cut_mid_frame()
        with pytest.raises(ConnectionClosed):
            await _echoed(socket, "never whole")


async def test_a_blackhole_holds_what_is_sent_and_forwards_it_afterwards(proxy: Proxy) -> None:
    async with _connect(proxy) as socket:
        with proxy.blackhole():
            await socket.send("held")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(socket.recv(), HELD)
            with pytest.raises(TimeoutError):
                await connect(f"ws://{HOST}:{proxy.port}/", open_timeout=HELD)
        assert await socket.recv() == "held"


async def test_latency_is_added_in_each_direction_and_keeps_the_order(proxy: Proxy) -> None:
    async with _connect(proxy) as socket:
        proxy.latency = LATENCY
        begun = monotonic()
        for number in range(20):
            await socket.send(str(number))
        assert [await socket.recv() for _ in range(20)] == [str(number) for number in range(20)]
        # Late together, not one after the other.
        assert 2 * LATENCY <= monotonic() - begun < 20 * LATENCY


async def test_frames_with_a_text_are_dropped_and_others_pass(proxy: Proxy) -> None:
    async with _connect(proxy) as socket:
        proxy.dropped = "secret"
        await socket.send("a secret")
        assert await _echoed(socket, "open") == "open"
        proxy.dropped = ""
        assert await _echoed(socket, "a secret") == "a secret"


async def test_connections_can_be_refused_and_taken_again_on_the_same_port(proxy: Proxy) -> None:
    async with _connect(proxy) as socket:
        await proxy.refuse()
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(HOST, proxy.port)

    await proxy.accept()
    async with _connect(proxy) as socket:
        assert await _echoed(socket, "back") == "back"


async def test_requests_for_a_path_can_be_reset_and_are_remembered(proxy: Proxy) -> None:
    proxy.rejected = "/a"

    with pytest.raises((OSError, InvalidMessage)):
        await _connect(proxy)
    async with connect(f"ws://{HOST}:{proxy.port}/other", compression=None) as socket:
        assert await _echoed(socket, "passes") == "passes"

    assert [connection.path for connection in proxy.accepted] == ["/a?b=c", "/other"]


async def test_a_frame_can_be_put_in_the_servers_mouth(proxy: Proxy) -> None:
    async with _connect(proxy) as socket:
        assert await _echoed(socket, "from the server") == "from the server"
        proxy.inject("from the proxy")
        assert await socket.recv() == "from the proxy"
