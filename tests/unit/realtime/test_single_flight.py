"""What is kept to be sent again: never out of date where it matters, never without end."""

import asyncio
import weakref
from contextvars import ContextVar
from dataclasses import dataclass

import pytest

from clinic_chat.cache.single_flight import SingleFlightCache


@dataclass(frozen=True)
class Row:
    """A row of a page."""

    name: str


async def test_who_asks_while_an_answer_is_read_waits_for_it() -> None:
    recent: SingleFlightCache[int] = SingleFlightCache("test", seconds=60)
    go, reads = asyncio.Event(), 0

    async def read() -> int:
        nonlocal reads
        reads += 1
        await go.wait()
        return reads

    asked = [asyncio.create_task(recent.get("clinic", read)) for _ in range(3)]
    await asyncio.sleep(0)
    # One who leaves takes the answer from nobody.
    asked[0].cancel()
    go.set()
    assert await asyncio.gather(*asked[1:]) == [1, 1]
    assert await recent.get("clinic", read) == 1
    assert await recent.get("another", read) == 2


async def test_an_old_answer_and_a_failure_are_not_given_again() -> None:
    recent: SingleFlightCache[str] = SingleFlightCache("test", seconds=0)

    async def fails() -> str:
        raise OSError("no database")

    async def works() -> str:
        return "read"

    with pytest.raises(OSError, match="no database"):
        await SingleFlightCache[str]("test", seconds=60).get("clinic", fails)
    kept: SingleFlightCache[str] = SingleFlightCache("test", seconds=60)
    with pytest.raises(OSError, match="no database"):
        await kept.get("clinic", fails)
    assert await kept.get("clinic", works) == "read"

    async def newer() -> str:
        return "read again"

    assert await recent.get("clinic", works) == "read"
    assert await recent.get("clinic", newer) == "read again"


@dataclass(frozen=True)
class Event:
    """What somebody's browser asked for, with all that is at hand while it is answered."""

    body: str


async def test_a_kept_answer_keeps_nothing_of_who_asked_first() -> None:
    handled: ContextVar[Event] = ContextVar("handled")
    recent: SingleFlightCache[str] = SingleFlightCache("test", seconds=60)
    gone = asyncio.Event()

    async def read() -> str:
        return "read"

    async def ask() -> None:
        event = Event("a patient's words")
        weakref.finalize(event, gone.set)
        handled.set(event)
        assert await recent.get("clinic", read) == "read"

    await asyncio.create_task(ask())
    await asyncio.wait_for(gone.wait(), timeout=5)


async def test_an_old_answer_is_forgotten_though_nobody_asks_again() -> None:
    recent: SingleFlightCache[Row] = SingleFlightCache("test", seconds=0.01)
    forgotten = asyncio.Event()

    async def read() -> Row:
        row = Row("Ana")
        weakref.finalize(row, forgotten.set)
        return row

    assert (await recent.get("clinic", read)).name == "Ana"
    await asyncio.wait_for(forgotten.wait(), timeout=5)
