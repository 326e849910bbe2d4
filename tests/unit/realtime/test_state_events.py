"""State events: what is kept of one, and whose turn it is."""

import asyncio
from typing import Any

import pytest

from clinic_chat.realtime.admission.pace import AT_ONCE, EventTurns, Pace
from clinic_chat.realtime.state_events import (
    MAX_PATH,
    MAX_PAYLOAD_BYTES,
    MAX_ROUTER_BYTES,
    bounded,
    size,
)

ROUTER = {"pathname": "/c/1", "asPath": "/c/1?m=5", "query": {"m": "5"}}


def nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


def test_an_event_of_a_page_is_kept_without_what_pages_do_not_send() -> None:
    event = {"name": "x", "payload": {"text": "Priya"}, "router_data": ROUTER}

    assert bounded({**event, "token": "t" * 9_999, "padding": "x" * 99_999}) == event


@pytest.mark.parametrize(
    "event",
    [
        {"router_data": {"pathname": "/" + "x" * MAX_PATH}},
        {"router_data": {"pathname": ["/"]}},
        {"router_data": {**ROUTER, "padding": "x" * MAX_ROUTER_BYTES}},
        {"router_data": {"pathname": "/", **{f"{n}": "" for n in range(MAX_ROUTER_BYTES // 4)}}},
        {"payload": {"text": "x" * MAX_PAYLOAD_BYTES}},
        {"payload": {"text": [None] * MAX_PAYLOAD_BYTES}},
        {"payload": {"half": "\ud800" * MAX_PAYLOAD_BYTES}},
        {"payload": {"deep": nested(900)}, "router_data": {"deep": nested(100_000)}},
    ],
    ids=lambda event: next(iter(next(iter(event.values())))),
)
def test_an_event_with_a_part_that_is_too_long_is_not_kept(event: dict[str, Any]) -> None:
    assert bounded({"name": "x", **event}) is None


def test_what_orjson_does_not_take_has_a_size_too() -> None:
    assert size({"n": 2**70, "half": "\ud800"}) < 100


async def test_one_persons_events_wait_for_each_other_and_not_for_a_colleagues() -> None:
    flood, colleague = EventTurns(per_minute=60_000), EventTurns(per_minute=60_000)
    begun = 0

    async def event(turns: EventTurns) -> None:
        nonlocal begun
        await turns.take()
        begun += 1

    events = [asyncio.create_task(event(flood)) for _ in range(20)]
    await asyncio.sleep(0)
    assert begun == AT_ONCE

    async with asyncio.timeout(1):
        await event(colleague)
    assert begun == AT_ONCE + 1

    for number in range(len(events)):
        flood.give()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert begun == min(AT_ONCE + 2 + number, len(events) + 1)
    await asyncio.gather(*events)


async def test_who_gives_up_waiting_leaves_the_turn_to_others() -> None:
    turns = EventTurns(per_minute=60_000)
    for _ in range(AT_ONCE):
        await turns.take()
    gone, next_one = asyncio.create_task(turns.take()), asyncio.create_task(turns.take())
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    turns.give()

    async with asyncio.timeout(1):
        await next_one


def test_a_pace_lets_a_burst_through_and_then_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr("clinic_chat.realtime.admission.pace.monotonic", lambda: now)
    pace = Pace(rate=10, burst=3)

    assert [pace.wait() for _ in range(5)] == pytest.approx([0, 0, 0, 0.1, 0.2])
    now += 0.5
    assert [pace.wait() for _ in range(4)] == pytest.approx([0, 0, 0, 0.1])


def test_what_a_pace_refuses_costs_nothing() -> None:
    pace = Pace(rate=1, burst=3)
    assert [pace.try_take() for _ in range(5)] == [True] * 3 + [False] * 2

    # As if half a second had passed twice: what was refused meanwhile is not owed.
    pace._at -= 0.5
    assert not pace.try_take()
    pace._at -= 0.6
    assert pace.try_take()
