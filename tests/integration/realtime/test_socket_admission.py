"""Who gets to the sockets, and that nothing is kept of who does not."""

import asyncio
import json
import logging
import re
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from clinic_chat.realtime.transport import engineio_server as wire_server
from clinic_chat.realtime.transport import polling
from tests.integration.realtime.sockets import (
    ADDRESS,
    BINARY,
    ENTER,
    TEXT,
    Framework,
    Place,
    enters,
    limits,
    place,
)
from tests.support.servers.own_server import HOST, Raw, event, eventually, frame

pytestmark = pytest.mark.usefixtures("any_database")

__all__ = ["limits", "place"]
ENDLESS = '45999999999-/_event,["event",{"_placeholder":true,"num":0}]'
ANSWER_SECONDS = 10
REFUSED = '44/_event,{"message":"unauthorized"}'


async def _nothing_is_left(place: Place) -> None:
    await eventually(lambda: not any(place.kept().values()))


async def test_a_person_checks_their_own_password_only_so_often_in_all_their_tabs(
    place: Place,
) -> None:
    cookie = await place.cookie("ana")
    async with place.socket(cookie) as one, place.socket(cookie) as other:
        await enters(one)
        await enters(other)
        first, second = [c.visitor.account.passwords for c in place.live.connections.all()]

        assert first is second
        limit = place.services.settings.login_attempts_per_minute
        assert [first.try_take() for _ in range(limit + 1)] == [True] * limit + [False]


async def test_without_a_session_a_poll_is_told_so_and_nothing_is_kept(place: Place) -> None:
    async with place.polls() as stranger:
        assert (await stranger.post(ENTER.decode())).status_code == 200
        for text in (ENDLESS, "b" + "A" * 100_000):
            assert (await stranger.post(text)).status_code == 400

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


@pytest.mark.parametrize("signed_in", [False, True])
async def test_who_enters_and_misbehaves_in_one_breath_is_no_fault_of_ours(
    place: Place, caplog: pytest.LogCaptureFixture, signed_in: bool
) -> None:
    async with place.socket(await place.cookie("ana") if signed_in else "") as client:
        await client.say(frame(TEXT, ENTER) + frame(BINARY, b"x"))

        await client.ended()
        await _nothing_is_left(place)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


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
        await enters(ana)

        await ana.frame(opcode, ENDLESS.encode())

        assert await ana.text() == ""
        await _nothing_is_left(place)


@pytest.mark.parametrize("query", ["EIO=4&transport=websocket&j=1", f"sid={'x' * 2_000}"])
async def test_a_websocket_that_is_refused_by_http_is_no_fault_of_ours(
    place: Place, caplog: pytest.LogCaptureFixture, query: str
) -> None:
    async with Raw.to(place.port) as raw:
        head = await raw.upgrade(f"/_event/?{query}", Cookie=await place.cookie("ana"))

        assert re.match(rb"HTTP/1.1 4\d\d ", head)
        assert await raw.text() == ""
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_connection_that_ends_while_it_enters_leaves_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    entering, may_enter = asyncio.Event(), asyncio.Event()

    async def slowly(*_: Any) -> None:
        entering.set()
        await may_enter.wait()

    monkeypatch.setattr(Framework, "on_connect", slowly)
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


async def test_two_posts_at_a_time_end_their_connection_and_both_are_answered(
    place: Place,
) -> None:
    async with place.polls(await place.cookie("ana")) as ana:
        await ana.enter()
        # Beyond what may come at once, a post waits with its packets.
        for visitor in place.live.handshakes._visitors:
            while visitor.pace.wait() < 0.5:
                pass

        async with asyncio.timeout(ANSWER_SECONDS):
            answers = await asyncio.gather(*(ana.post("3") for _ in range(2)))

        assert [answer.status_code for answer in answers] == [400, 400]
        await _nothing_is_left(place)


async def test_posts_that_end_a_connection_while_it_enters_leave_nothing(place: Place) -> None:
    cookie = await place.cookie("ana")
    for _ in range(5):
        async with place.polls(cookie) as ana:
            bodies = (ENTER.decode(), ENDLESS, ENTER.decode(), "b" * 100_000)
            await asyncio.gather(*(ana.post(body) for body in bodies))

    await _nothing_is_left(place)


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
        (connection,) = place.live.connections.all()

        for _ in range(12):
            await place.live._emit(
                "feed", {"text": "x" * (polling.MAX_UNSENT_BYTES // 10)}, connection.sid
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


@pytest.mark.parametrize("limits", [{"connections_per_address": 5}])
async def test_an_address_has_so_many_sockets_whoever_they_are(place: Place) -> None:
    cookies = [await place.cookie(who) for who in ("ana", "bruno", "carla", "ana", "bruno")]
    async with AsyncExitStack() as open_sockets:
        for cookie in cookies:
            await open_sockets.enter_async_context(place.socket(cookie))
        async with Raw.to(place.port) as sixth:
            head = await sixth.upgrade(f"{ADDRESS}websocket", Cookie=await place.cookie("ana"))
            assert b" 503 " in head
    await eventually(lambda: place.live.handshakes.count() == 0)
    async with place.socket(cookies[0]):
        pass


@pytest.mark.parametrize("limits", [{"connects_per_minute": 1}])
async def test_an_address_connects_so_often_in_a_minute_with_a_session_or_without(
    place: Place,
) -> None:
    for _ in range(10):
        async with place.socket():
            pass
    async with Raw.to(place.port) as next_one:
        head = await next_one.upgrade(f"{ADDRESS}websocket", Cookie=await place.cookie("ana"))
    assert b" 503 " in head


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
        await enters(ana)


async def test_what_a_tab_says_without_being_in_is_not_heard(place: Place) -> None:
    async with place.socket(await place.cookie("ana")) as ana:
        await ana.frame(TEXT, event("markers:get", {"ids": []}))
        await enters(ana)


@pytest.mark.parametrize("limits", [{"plain": True}])
async def test_the_websockets_of_another_server_have_the_same_rules(place: Place) -> None:
    async with place.socket() as stranger:
        await stranger.frame(TEXT, ENTER)
        assert await stranger.text() == REFUSED
    async with place.socket(await place.cookie("ana")) as ana:
        await enters(ana)
        await ana.frame(TEXT, ENDLESS.encode())
        await ana.frame(TEXT, b'42/_event,1["markers:get",{"ids":[]}]')

        assert '"ok":true' in await ana.text()
        assert place.kept()["attachments"] == 0
    await _nothing_is_left(place)
