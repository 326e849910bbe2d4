"""State events on the server's own socket: what of them reaches the framework, and when."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from clinic_chat.realtime.admission.pace import AT_ONCE
from clinic_chat.realtime.gate import FRAMEWORK_EVENTS
from clinic_chat.realtime.state_events import MAX_PATH, MAX_PAYLOAD_BYTES, MAX_ROUTER_BYTES
from tests.integration.realtime.sockets import (
    ADDRESS,
    TEXT,
    Framework,
    Place,
    enters,
    limits,
    place,
)
from tests.support.servers.own_server import Raw, event, eventually

__all__ = ["limits", "place"]

HYDRATE = FRAMEWORK_EVENTS[0]
TOO_LONG = [
    {"router_data": {"pathname": "/" + "x" * MAX_PATH}},
    {"router_data": {"pathname": "/", "padding": "x" * MAX_ROUTER_BYTES}},
    {"payload": {"text": "x" * MAX_PAYLOAD_BYTES}},
]


class Recorder:
    """What the framework was handed, and events that go on until the test ends them."""

    def __init__(self) -> None:
        self.connects: list[tuple[Any, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.running: dict[int, asyncio.Future[None]] = {}

    def begin(self, _: Any, _sid: str, data: dict[str, Any]) -> None:
        self.events.append(data)
        self.running[len(self.events)] = asyncio.get_running_loop().create_future()


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()

    async def on_connect(_: Any, _sid: str, request: Any, auth: Any) -> None:
        recorder.connects.append((request, auth))

    async def on_event(framework: Any, sid: str, data: dict[str, Any]) -> None:
        recorder.begin(framework, sid, data)

    monkeypatch.setattr(Framework, "on_connect", on_connect)
    monkeypatch.setattr(Framework, "on_event", on_event, raising=False)
    processor = SimpleNamespace(_futures=recorder.running)
    monkeypatch.setattr(Framework, "app", SimpleNamespace(event_processor=processor))
    return recorder


@pytest.mark.parametrize("long", TOO_LONG, ids=["a path", "an address", "a payload"])
async def test_an_event_that_is_too_long_does_not_reach_the_framework(
    place: Place, recorder: Recorder, long: dict[str, Any]
) -> None:
    async with place.socket(await place.cookie("ana")) as ana:
        await enters(ana)
        await ana.frame(TEXT, event("event", {"name": HYDRATE, **long}))
        await ana.frame(TEXT, event("event", {"name": HYDRATE, "padding": "x", "token": "t"}))

        await eventually(lambda: recorder.events)
    assert recorder.events == [{"name": HYDRATE}]


@pytest.mark.parametrize("long", TOO_LONG, ids=["a path", "an address", "a payload"])
async def test_an_event_that_comes_with_the_connection_has_the_same_bounds(
    place: Place, recorder: Recorder, long: dict[str, Any]
) -> None:
    for first in ({"name": HYDRATE, **long}, {"name": HYDRATE, "padding": "x"}):
        async with place.socket(await place.cookie("ana")) as ana:
            said = {"event": first, "state_schema": "s" * 65, "more": "x" * 9_999}
            await ana.frame(TEXT, f"40/_event,{json.dumps(said)}".encode())
            await eventually(lambda: place.live.connections.count() == 1)
        await eventually(lambda: place.live.connections.count() == 0)

    assert [auth for _, auth in recorder.connects] == [{}, {"event": {"name": HYDRATE}}]


async def test_one_persons_events_are_begun_in_turns(place: Place, recorder: Recorder) -> None:
    mine, theirs = await place.cookie("ana"), await place.cookie("bruno")
    async with place.socket(mine) as one, place.socket(mine) as two, place.socket(theirs) as bruno:
        for tab in (one, two, bruno):
            await enters(tab)
        for _ in range(5):
            await one.frame(TEXT, event("event", {"name": HYDRATE}))
            await two.frame(TEXT, event("event", {"name": HYDRATE}))
        await eventually(lambda: len(recorder.events) >= AT_ONCE)
        await bruno.frame(TEXT, event("event", {"name": HYDRATE, "payload": {"by": "bruno"}}))
        await eventually(lambda: len(recorder.events) >= AT_ONCE + 1)

        assert recorder.events[AT_ONCE] == {"name": HYDRATE, "payload": {"by": "bruno"}}
        for ended in range(1, 12):
            assert len(recorder.events) <= AT_ONCE + ended
            await eventually(lambda ended=ended: ended in recorder.running)  # type: ignore[misc]
            recorder.running[ended].set_result(None)
        assert len(recorder.events) == 11


async def test_the_framework_learns_of_a_request_only_a_token_bound_to_the_session(
    place: Place, recorder: Recorder
) -> None:
    token = str(uuid4())
    for who, query in (("ana", f"&token={token}"), ("bruno", f"&token={token}"), ("ana", "")):
        async with Raw.to(place.port) as raw:
            head = await raw.upgrade(
                f"{ADDRESS}websocket{query}", Cookie=await place.cookie(who), **{"X-More": "1"}
            )
            assert b" 101 " in head
            assert (await raw.text()).startswith("0{")
            await enters(raw)

    requests = [request for request, _ in recorder.connects]
    assert all(list(request) == ["QUERY_STRING"] for request in requests)
    tokens = [request["QUERY_STRING"].partition("token=")[2] for request in requests]
    assert len({*tokens, token, ""}) == len(tokens) + 2


@pytest.mark.parametrize("limits", [{"connects_per_minute": 1_000}])
async def test_a_flood_of_refused_connections_is_counted_and_not_logged_one_by_one(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(100):
        async with place.socket() as stranger:
            await stranger.frame(TEXT, b"40/_event,{}")
            assert "unauthorized" in await stranger.text()

    assert capsys.readouterr().out.count("socket.refused") <= 2
