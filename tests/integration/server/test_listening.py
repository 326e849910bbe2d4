"""Where the server listens, and whose word about a request's client it takes."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from clinic_chat.server import graceful_server
from clinic_chat.server.graceful_server import GracefulServer
from clinic_chat.server.listening import lacks_ipv6, open_listeners, url_of
from clinic_chat.settings import Settings
from tests.conftest import TEST_KEY
from tests.support.servers.own_server import eventually

FORWARDED = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
FAR_AWAY = ["https", "203.0.113.9"]

Running = Callable[..., AbstractAsyncContextManager[int]]


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


async def who(scope: Scope, receive: Receive, send: Send) -> None:
    """Says how the request looks to the application."""
    body = json.dumps([scope["scheme"], scope["client"][0]]).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Running:
    """Starts the server of the product around a small application; its port."""

    @asynccontextmanager
    async def running(host: str, **settings: Any) -> AsyncIterator[int]:
        monkeypatch.setattr(
            graceful_server, "get_settings", lambda: Settings(secret_key=TEST_KEY, **settings)
        )
        # A port that is free for both families.
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port: int = probe.getsockname()[1]
        server = GracefulServer(lambda: who, host, port)
        server.config.lifespan = "off"
        # Not `run`, which takes the process's signals over.
        serving = asyncio.create_task(server._serve(open_listeners(host, port)))
        await eventually(lambda: server.started)
        try:
            yield port
        finally:
            server.should_exit = True
            await serving

    return running


async def asked(port: int, host: str = "127.0.0.1", **headers: str) -> object:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://{host}:{port}/", headers=headers)
        return answer.json()


@needs_ipv6
async def test_two_colons_are_every_address_and_peers_have_their_own_names(
    running: Running,
) -> None:
    with capture_logs() as said:
        async with running("::") as port:
            assert await asked(port) == ["http", "127.0.0.1"]
            assert await asked(port, "[::1]") == ["http", "::1"]

    (line,) = [line for line in said if line["event"] == "server.listening"]
    assert line["addresses"] == [f"http://[::]:{port}", f"http://0.0.0.0:{port}"]


@needs_ipv6
async def test_a_proxy_on_this_machine_is_believed_by_whichever_way_it_comes(
    running: Running,
) -> None:
    async with running("::") as port:
        assert await asked(port, **FORWARDED) == FAR_AWAY
        assert await asked(port, "[::1]", **FORWARDED) == FAR_AWAY


async def test_only_hops_that_are_named_are_believed(running: Running) -> None:
    async with running("127.0.0.1", trusted_proxies="192.0.2.1, 198.51.100.0/24") as port:
        assert await asked(port, **FORWARDED) == ["http", "127.0.0.1"]
    async with running("127.0.0.1", trusted_proxies="127.0.0.0/8, 192.0.2.0/24") as port:
        # What stands before the last hop that nobody named, anybody may have written.
        chain = {**FORWARDED, "X-Forwarded-For": "10.9.9.9, 203.0.113.9, 192.0.2.7"}
        assert await asked(port, **chain) == FAR_AWAY


async def test_a_machine_without_ipv6_is_served_by_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_ipv6(family: int, *arguments: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(97, "Address family not supported by protocol")
        return real(family, *arguments)

    real = socket.socket
    monkeypatch.setattr(socket, "socket", without_ipv6)
    listeners = open_listeners("::", 0)

    assert [url_of(listener).rpartition(":")[0] for listener in listeners] == ["http://0.0.0.0"]
    assert lacks_ipv6("::", listeners)
    listeners[0].close()


async def test_of_two_that_bound_a_port_the_second_ends() -> None:
    second, first = (socket.socket() for _ in range(2))
    with first, second:
        for one in (second, first):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        second.bind(("127.0.0.1", 0))
        first.bind(second.getsockname())
        first.listen()
        server = GracefulServer(lambda: who, *second.getsockname())
        server.config.lifespan = "off"
        with capture_logs() as said, pytest.raises(SystemExit):
            await server._serve([second])

    assert [line["event"] for line in said] == ["server.cannot_listen"]
