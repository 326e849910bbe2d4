"""Who gets to the sockets, and that nothing is kept of who does not."""

import asyncio
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

from clinic_chat.domain.sessions import COOKIE_NAME, Sessions
from clinic_chat.realtime.live import Live
from clinic_chat.realtime.wire import polling
from clinic_chat.realtime.wire import server as wire_server
from clinic_chat.services import Services
from clinic_chat.settings import Settings
from tests.conftest import PASSWORD, Clinics
from tests.integration.own_server import HOST, Raw, event, eventually, serving

TEXT, BINARY = 1, 2
ADDRESS = "/_event/?EIO=4&transport="
ENTER = b"40/_event,{}"
ENDLESS = '45999999999-/_event,["event",{"_placeholder":true,"num":0}]'
REFUSED = '44/_event,{"message": "unauthorized"}'


class _Framework:
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
    live: Live
    sessions: Sessions

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
            "callers": self.live.callers.count(),
            "turns": len(self.live._visitors),
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
        assert (await self.get()).text.startswith("40/_event")


@pytest.fixture
def limits() -> dict[str, int]:
    """Settings of the process that a test changes."""
    return {}


@pytest_asyncio.fixture
async def place(clinics: Clinics, limits: dict[str, int]) -> AsyncIterator[Place]:
    url = clinics.database.url
    services = Services(Settings(database_url=url, secret_key="tests", **limits))
    live = Live(services)
    live.attach(SimpleNamespace(event_namespace=_Framework()))  # type: ignore[arg-type]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await live.sio.handle_request(scope, receive, send)

    async with live.lifespan(), serving(app) as port:
        yield Place(port, live, services.sessions)
    await services.close()


async def _nothing_is_left(place: Place) -> None:
    await eventually(lambda: not any(place.kept().values()))


async def test_without_a_session_a_poll_is_told_so_and_nothing_is_kept(place: Place) -> None:
    async with place.polls() as stranger:
        posts = [stranger.post(text) for text in (ENTER.decode(), ENDLESS, "b" + "A" * 100_000)]
        await asyncio.gather(*posts)

        assert (await stranger.get()).text == REFUSED
        assert not any(place.kept().values())


@pytest.mark.parametrize("cookie", ["", f"{COOKIE_NAME}=", f"{COOKIE_NAME}=garbage", "other=1"])
async def test_without_a_session_a_websocket_is_told_so_and_closed(
    place: Place, cookie: str
) -> None:
    async with place.socket(cookie) as stranger:
        await stranger.frame(TEXT, ENTER)

        assert await stranger.text() == REFUSED
        assert await stranger.text() == ""
        assert not any(place.kept().values())


@pytest.mark.parametrize(
    "body", [ENDLESS, "bAAAA", "46-x", "43/_event,1[]", "5", "", "2probe", "\x1e".join("3" * 17)]
)
async def test_a_polled_packet_that_no_page_sends_ends_its_connection(
    place: Place, body: str
) -> None:
    async with place.polls(await place.cookie("ana")) as ana:
        await ana.enter()

        assert (await ana.post(body)).status_code == 400
        assert (await ana.get()).status_code == 400
        await _nothing_is_left(place)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
async def test_an_event_of_endless_attachments_ends_its_websocket(
    place: Place, opcode: int
) -> None:
    async with place.socket(await place.cookie("ana")) as ana:
        await ana.frame(TEXT, ENTER)
        assert (await ana.text()).startswith("40/_event")

        await ana.frame(opcode, ENDLESS.encode())

        assert await ana.text() == ""
        await _nothing_is_left(place)


async def test_a_connection_that_ends_while_it_enters_leaves_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    entering, may_enter = asyncio.Event(), asyncio.Event()

    async def slowly(*_: Any) -> None:
        entering.set()
        await may_enter.wait()

    monkeypatch.setattr(_Framework, "on_connect", slowly)
    async with place.polls(await place.cookie("ana")) as ana:
        enters = asyncio.create_task(ana.post(ENTER.decode()))
        await entering.wait()
        for socket in list(place.live.sio.eio.sockets.values()):
            await socket.close(wait=False, abort=True)
        may_enter.set()
        await enters

        await _nothing_is_left(place)


async def test_a_poll_belongs_to_the_session_that_opened_it(place: Place) -> None:
    ana, carla = await place.cookie("ana"), await place.cookie("carla")
    async with place.polls(ana) as own:
        await own.enter()
        async with httpx.AsyncClient(base_url=f"http://{HOST}:{place.port}") as thief:
            for headers in ({}, {"Cookie": carla}, {"Cookie": f"{COOKIE_NAME}=x"}):
                read = await thief.get(own.address, headers=headers)
                wrote = await thief.post(own.address, headers=headers, content="41/_event,")
                unknown = await thief.get(f"{ADDRESS}polling&sid=nobodys", headers=headers)
                assert read.status_code == wrote.status_code == unknown.status_code == 400
                assert read.content == unknown.content

        await own.post(f"42/_event,1{json.dumps(['markers:get', {'ids': []}])}")
        assert '"ok":true' in (await own.get()).text


async def test_no_upgrade_and_no_script_can_read_a_poll(place: Place) -> None:
    cookie = await place.cookie("ana")
    async with place.polls(cookie) as ana:
        assert (await ana.web.get(f"{ana.address}&j=0")).status_code == 400
        async with Raw.to(place.port) as raw:
            address = ana.address.replace("polling", "websocket")
            assert b" 400 " in await raw.upgrade(address, Cookie=cookie)


async def test_who_polls_and_fetches_nothing_is_cut_off(place: Place) -> None:
    async with place.polls(await place.cookie("ana")) as ana:
        await ana.enter()
        (caller,) = place.live.callers.all()

        for _ in range(12):
            await place.live._emit(
                "feed", {"text": "x" * (polling.MAX_UNSENT_BYTES // 10)}, caller.sid
            )

        await _nothing_is_left(place)


async def test_who_enters_no_namespace_is_closed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_server, "ENTER_SECONDS", 0.2)
    async with place.socket(await place.cookie("ana")) as ana:
        assert await ana.text() in ("1", "")
        await _nothing_is_left(place)


async def test_who_is_signed_out_while_connecting_does_not_get_in(place: Place) -> None:
    cookie = await place.cookie("ana")
    async with place.socket(cookie) as ana:
        identity = await place.sessions.find(cookie.partition("=")[2])
        assert identity is not None
        await place.live.end_session(identity.session_id)

        await ana.frame(TEXT, ENTER)

        assert json.loads((await ana.text()).partition(",")[2])["message"] == "unauthorized"


@pytest.mark.parametrize("limits", [{"sockets_per_account": 3}])
async def test_a_person_has_so_many_sockets_and_a_colleague_has_others(place: Place) -> None:
    ana, bruno = await place.cookie("ana"), await place.cookie("bruno")
    async with place.socket(ana), place.socket(await place.cookie("ana")):
        async with place.socket(ana):
            async with Raw.to(place.port) as fourth:
                assert b" 503 " in await fourth.upgrade(f"{ADDRESS}websocket", Cookie=ana)
            async with place.socket(bruno):
                pass
        await eventually(lambda: place.live.handshakes.count() == 2)
        async with place.socket(ana):
            pass


@pytest.mark.parametrize("limits", [{"connects_per_minute": 4}])
async def test_a_person_connects_so_often_in_a_minute(place: Place) -> None:
    ana = await place.cookie("ana")
    for _ in range(4):
        async with place.socket(ana):
            pass
    async with Raw.to(place.port) as fifth:
        head = await fifth.upgrade(f"{ADDRESS}websocket", Cookie=ana)
    assert b" 503 " in head
    assert b"retry-after" in head.lower()


@pytest.mark.parametrize(
    "neighbours", ['prefs={"a": "b", "c": [1, 2]}', "a=b=c", "ação=é", 'q="un;closed', "=;;=,"]
)
async def test_a_neighbours_cookie_does_not_hide_the_own(place: Place, neighbours: str) -> None:
    async with place.socket(f"{neighbours}; {await place.cookie('ana')}") as ana:
        await ana.frame(TEXT, ENTER)
        assert (await ana.text()).startswith('40/_event,{"sid"')


async def test_what_a_tab_says_without_being_in_is_not_heard(place: Place) -> None:
    async with place.socket(await place.cookie("ana")) as ana:
        await ana.frame(TEXT, event("markers:get", {"ids": []}))
        await ana.frame(TEXT, ENTER)
        assert (await ana.text()).startswith('40/_event,{"sid"')
