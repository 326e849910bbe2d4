"""The product's sockets on its web server, in the test's own process, without Reflex."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from starlette.types import Receive, Scope, Send

from clinic_chat.domain.accounts.sessions import COOKIE_NAME, Sessions
from clinic_chat.realtime.server import RealtimeServer
from clinic_chat.services import Services
from clinic_chat.settings import Settings
from tests.conftest import PASSWORD, TEST_KEY, Clinics
from tests.support.servers.own_server import HOST, Raw, serving

TEXT, BINARY = 1, 2
ADDRESS = "/_event/?EIO=4&transport="
ENTER = b"40/_event,{}"
ENTERED = '40/_event,{"sid"'
# What a tab is told first, and takes when it is in.
IDENTITY = '42/_event,["session:identity"'


class Framework:
    """Reflex's part of a connection, which has no say here."""

    namespace = "/_event"
    app = SimpleNamespace(event_processor=SimpleNamespace(_futures={}))
    sid_to_token: dict[str, str] = {}  # noqa: RUF012 - nobody changes it

    async def on_connect(self, sid: str, environ: Any, auth: Any) -> None:
        pass

    def on_disconnect(self, sid: str) -> None:
        pass


@dataclass
class Place:
    """The sockets of a process, and who can sign in to it."""

    port: int
    services: Services
    live: RealtimeServer

    @property
    def sessions(self) -> Sessions:
        """Who is signed in."""
        return self.services.sessions

    async def cookie(self, who: str) -> str:
        """The Cookie header of a new session."""
        clinic = "boreal" if who == "carla" else "aurora"
        cookie = await self.sessions.sign_in(f"{who}@{clinic}.example", PASSWORD)
        return f"{COOKIE_NAME}={cookie}"

    def kept(self) -> dict[str, int]:
        """What there is of connections, by where it is."""
        sio = self.live.sio
        return {
            "sockets": len(sio.eio.sockets),
            "requests": len(sio.environ),
            "attachments": len(sio._binary_packet),
            "namespaces": len(sio.manager.rooms),
            "entering": len(sio._outside),
            "visitors": self.live.handshakes.count(),
            "connections": self.live.connections.count(),
        }

    @asynccontextmanager
    async def polls(self, cookie: str = "") -> AsyncIterator["Poller"]:
        """A client that polls, after its handshake."""
        headers = {"Cookie": cookie} if cookie else {}
        async with httpx.AsyncClient(base_url=f"http://{HOST}:{self.port}", headers=headers) as web:
            greeting = await web.get(f"{ADDRESS}polling")
            assert greeting.status_code == 200, greeting.text
            sid = json.loads(greeting.text[1:])["sid"]
            yield Poller(web, f"{ADDRESS}polling&sid={sid}")

    @asynccontextmanager
    async def socket(self, cookie: str = "") -> AsyncIterator[Raw]:
        """A websocket, after Engine.IO's greeting."""
        async with Raw.to(self.port) as raw:
            head = await raw.upgrade(f"{ADDRESS}websocket&token={uuid4()}", Cookie=cookie)
            assert b" 101 " in head, head
            assert (await raw.text()).startswith("0{")
            yield raw


@dataclass
class Poller:
    """A client that polls."""

    web: httpx.AsyncClient
    address: str

    async def get(self, **headers: str) -> httpx.Response:
        return await self.web.get(self.address, headers=headers)

    async def post(self, body: str) -> httpx.Response:
        return await self.web.post(self.address, content=body)

    async def enter(self) -> None:
        assert (await self.post(ENTER.decode())).status_code == 200
        told, entered = (await self.get()).text.split("\x1e")[:2]
        assert told.startswith(IDENTITY), told
        assert entered.startswith(ENTERED), entered


async def enters(raw: Raw, auth: object = None) -> None:
    """Enter the namespace over a websocket, with what a page says about itself in `auth`."""
    await raw.frame(TEXT, f"40/_event,{json.dumps(auth or {})}".encode())
    assert (await raw.text()).startswith(IDENTITY)
    assert (await raw.text()).startswith(ENTERED)


@pytest.fixture
def limits() -> dict[str, Any]:
    """Settings of the process that a test changes."""
    return {}


@pytest_asyncio.fixture
async def place(clinics: Clinics, limits: dict[str, Any]) -> AsyncIterator[Place]:
    url = clinics.database.url
    services = Services(Settings(database_url=url, secret_key=TEST_KEY, **limits))
    live = RealtimeServer(services)
    live.attach(SimpleNamespace(event_namespace=Framework()))  # type: ignore[arg-type]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await live.sio.handle_request(scope, receive, send)

    async with live.lifespan(), serving(app, plain="plain" in limits) as port:
        yield Place(port, services, live)
    await services.close()
