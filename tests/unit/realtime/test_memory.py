"""When the server looks for what a crowd left behind."""

import asyncio

import pytest

from clinic_chat.realtime import memory as tidying
from clinic_chat.realtime.memory import (
    CALM_LOOKS,
    REMAINING_SHARE,
    SPIKE_TABS,
    TRIM_AFTER_TABS,
    MemoryTrimmer,
)
from clinic_chat.storage.database import StorageUnavailable


class Place:
    """How many tabs there are, and how many have left."""

    def __init__(self) -> None:
        self.tabs = 0
        self.left = 0
        self._tidying = MemoryTrimmer(lambda: self.tabs, lambda: self.left, nothing)

    def look(self, tabs: int, times: int) -> int:
        """How often it was time to tidy up while there were so many tabs."""
        self.tabs = tabs
        return sum(self._tidying.is_time() for _ in range(times))


async def nothing() -> None:
    """Nobody keeps anything here."""


def test_it_is_tidied_once_when_a_crowd_has_been_gone_for_a_while() -> None:
    place = Place()

    assert place.look(2 * SPIKE_TABS, 10) == 0
    assert place.look(3, CALM_LOOKS) == 0
    assert place.look(3, 1) == 1
    assert place.look(3, 100) == 0


def test_a_crowd_that_comes_back_is_not_disturbed() -> None:
    place = Place()
    place.look(2 * SPIKE_TABS, 1)

    for _ in range(5):
        assert place.look(0, CALM_LOOKS) == 0
        assert place.look(2 * SPIKE_TABS, 1) == 0


def test_neither_a_crowd_that_shrinks_nor_a_few_who_leave_are_the_end_of_a_crowd() -> None:
    place = Place()

    assert place.look(2 * SPIKE_TABS, 1) == 0
    assert place.look(int(2 * SPIKE_TABS * REMAINING_SHARE) + 1, 100) == 0
    assert Place().look(SPIKE_TABS - 1, 1) == 0
    few = Place()
    few.look(SPIKE_TABS - 1, 1)
    assert few.look(0, 100) == 0


def test_the_next_crowd_is_tidied_after_as_well() -> None:
    place = Place()

    for _ in range(3):
        assert place.look(2 * SPIKE_TABS, 1) == 0
        assert place.look(0, CALM_LOOKS + 1) == 1


def test_where_there_is_no_crowd_it_is_tidied_when_many_have_left() -> None:
    place = Place()

    for _ in range(3):
        place.left += TRIM_AFTER_TABS - 1
        assert place.look(SPIKE_TABS - 1, 10) == 0
        place.left += 1
        assert place.look(SPIKE_TABS - 1, 10) == 1


def test_the_many_of_a_crowd_that_leaves_are_tidied_after_once() -> None:
    place = Place()
    place.look(2 * TRIM_AFTER_TABS, 1)

    place.left += 2 * TRIM_AFTER_TABS
    assert place.look(0, CALM_LOOKS) == 0
    assert place.look(0, 100) == 1


async def test_a_database_that_is_away_does_not_end_the_tidying(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tidying, "LOOK_SECONDS", 0)
    tidied = 0
    again = asyncio.Event()
    left = iter(range(0, 100 * TRIM_AFTER_TABS, TRIM_AFTER_TABS))

    async def away() -> None:
        nonlocal tidied
        tidied += 1
        if tidied > 1:
            again.set()
        raise StorageUnavailable

    task = asyncio.create_task(MemoryTrimmer(lambda: 0, lambda: next(left), away).run())
    try:
        await asyncio.wait_for(again.wait(), timeout=5)
    finally:
        task.cancel()
