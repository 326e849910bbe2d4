"""A tab has the states that it uses, and everybody sees the same as if it had all of them."""

from __future__ import annotations

import pytest
import reflex as rx
from reflex.state import BaseState, State

from clinic_chat.realtime.reflex_substates import Substates, when_used


class Unused(rx.State):
    """A state that nobody uses."""

    text: str = "at first"


class Used(rx.State):
    """A state that a tab uses."""

    number: int = 1


@pytest.fixture
def eager() -> State:
    """A tab's state as Reflex makes it."""
    return State(_reflex_internal_init=True)  # type: ignore[call-arg]


@pytest.fixture
def lazy(eager: State, monkeypatch: pytest.MonkeyPatch) -> State:
    """The same as it is made here."""
    assert Unused.get_name() in eager.substates
    monkeypatch.setattr(BaseState, "__init__", when_used(BaseState.__init__))
    return State(_reflex_internal_init=True)  # type: ignore[call-arg]


def used(state: State) -> list[str]:
    assert isinstance(state.substates, Substates)
    return state.substates.used()


def test_a_page_is_told_the_same(eager: State, lazy: State) -> None:
    assert lazy.dict() == eager.dict()
    assert used(lazy) == []


def test_a_state_is_made_when_it_is_used_and_belongs_to_its_tab(eager: State, lazy: State) -> None:
    other = State(_reflex_internal_init=True)  # type: ignore[call-arg]
    path = Used.get_full_name().split(".")
    for root in (eager, lazy):
        root.get_substate(path).number = 7
        assert Used.get_full_name() in root.get_delta()

    assert lazy.get_delta() == eager.get_delta()
    assert lazy.get_substate(path).parent_state is lazy
    assert used(lazy) == [Used.get_name()]
    assert other.get_substate(path).number == 1  # type: ignore[attr-defined]
    for root in (eager, lazy):
        root._clean()
    assert lazy.get_delta() == eager.get_delta() == {}
    lazy.substates.clear()
    assert used(lazy) == []


def test_a_name_that_is_none_is_refused(lazy: State) -> None:
    with pytest.raises(ValueError, match="Invalid path"):
        lazy.get_substate(["nobody"])
