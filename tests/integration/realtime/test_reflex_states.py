"""What is kept of a tab lasts as long as the tab, and not much longer."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
import reflex as rx
from reflex.istate.manager.memory import StateManagerMemory
from reflex.state import State

from clinic_chat.realtime import reflex_states as tabs
from clinic_chat.realtime.reflex_states import (
    LOST_SECONDS,
    MOST_LOST,
    REFRESH_SECONDS,
    STATE_SECONDS,
    ReflexStates,
)

SESSION = (uuid4(), uuid4())


class _Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def time(self) -> float:
        return self.now

    monotonic = time


class _Namespace:
    """The tokens of Reflex's event namespace."""

    def __init__(self) -> None:
        self.sid_to_token: dict[str, str] = {}


class _App:
    """What of the app the states need: who is connected, and the real state manager."""

    def __init__(self) -> None:
        self.event_namespace = _Namespace()
        self._state = State
        self.state_manager = StateManagerMemory(token_expiration=STATE_SECONDS)  # type: ignore[abstract]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    """The clock of both the tabs and Reflex's manager."""
    clock = _Clock()
    monkeypatch.setattr(tabs, "monotonic", clock.time)
    monkeypatch.setattr("reflex.istate.manager.memory.time", clock)
    return clock


async def _later(app: Any, states: ReflexStates, clock: _Clock, seconds: float) -> list[str]:
    """Whose states are there after so long."""
    end = clock.now + seconds
    while clock.now < end:
        clock.now += REFRESH_SECONDS
        app.state_manager._purge_expired_tokens()
        await states.refresh()
    return sorted(key.split("/")[0] for key in app.state_manager.states)


async def test_a_state_is_there_while_its_tab_is_and_goes_soon_after_it_closed(
    clock: _Clock,
) -> None:
    app: Any = _App()
    states = ReflexStates(app)
    for sid, token in (("s1", "open"), ("s2", "closed"), ("s3", "lost")):
        app.event_namespace.sid_to_token[sid] = token
        await app.state_manager.get_state(rx.BaseStateToken(ident=token, cls=State))

    assert await _later(app, states, clock, 3_600) == ["closed", "lost", "open"]

    del app.event_namespace.sid_to_token["s2"]
    states.lost("s3", SESSION)
    del app.event_namespace.sid_to_token["s3"]
    assert await _later(app, states, clock, 2 * STATE_SECONDS) == ["lost", "open"]
    assert await _later(app, states, clock, LOST_SECONDS + STATE_SECONDS) == ["open"]
    await app.state_manager.close()


async def test_a_connection_that_never_had_a_state_leaves_none(clock: _Clock) -> None:
    app: Any = _App()
    states = ReflexStates(app)
    states.lost("unknown", SESSION)
    assert await _later(app, states, clock, 60) == []


async def test_of_one_session_the_tabs_lost_last_are_kept_and_of_others_all(clock: _Clock) -> None:
    app: Any = _App()
    states = ReflexStates(app)
    mine = [f"mine {n}" for n in range(MOST_LOST + 5)]
    for token in (*mine, "another's"):
        await app.state_manager.get_state(rx.BaseStateToken(ident=token, cls=State))
        app.event_namespace.sid_to_token["s"] = token
        states.lost("s", SESSION if token in mine else (uuid4(), uuid4()))
        del app.event_namespace.sid_to_token["s"]

    kept = await _later(app, states, clock, 2 * STATE_SECONDS)
    assert kept == sorted([*mine[5:], "another's"])
    await app.state_manager.close()
