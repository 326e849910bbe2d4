"""The bus keeps nobody waiting for the database, and ends when it is told to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.events import log
from clinic_chat.domain.events.log import CommittedEvent
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.realtime.events import bus as bus_module
from clinic_chat.realtime.events.bus import Bus
from clinic_chat.storage.database import Database, StorageUnavailable

pytestmark = pytest.mark.usefixtures("any_database")

if TYPE_CHECKING:
    from tests.conftest import Clinics

# Steps of the event loop between something that comes in and the end.
STEPS = 6


async def test_the_bus_ends_although_something_comes_in_at_that_moment(database: Database) -> None:
    async def nothing() -> None:
        pass

    for steps in range(STEPS):
        bus = Bus(database)
        running = asyncio.create_task(bus.run())
        await _step(STEPS)
        bus.call(nothing)
        await _step(steps)
        running.cancel()
        async with asyncio.timeout(3):
            await asyncio.wait([running])
        assert running.cancelled(), f"{steps} steps after"


async def _step(steps: int) -> None:
    for _ in range(steps):
        await asyncio.sleep(0)


async def test_nobody_waits_for_a_look_that_the_database_does_not_answer(
    clinics: Clinics, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope, database = clinics.aurora, clinics.database
    looks, answers = asyncio.Event(), asyncio.Event()
    last_seqs = log.last_seqs

    async def later(*arguments: Any) -> dict[UUID, int]:
        looks.set()
        await answers.wait()
        return await last_seqs(*arguments)

    monkeypatch.setattr(bus_module, "last_seqs", later)
    monkeypatch.setattr(bus_module, "LOOK_SECONDS", 0)
    bus = Bus(database)
    delivered: asyncio.Queue[list[CommittedEvent]] = asyncio.Queue()
    bus.on_events(lambda _, events: delivered.put(events))
    await bus.watch(scope.clinic_id)
    running = asyncio.create_task(bus.run())

    async with asyncio.timeout(5):
        await looks.wait()
        database.on_commit(bus.committed)
        await _deliver(scope, "first")
        assert [event.seq for event in await delivered.get()] == [1]

        # What another process writes comes with the answer.
        database._listeners.clear()
        await _deliver(scope, "second")
        answers.set()
        assert [event.seq for event in await delivered.get()] == [2]
    running.cancel()
    await asyncio.wait([running])
    assert delivered.empty()


async def _deliver(scope: ClinicScope, external_id: str) -> None:
    await receive_message(
        scope, name="Lia", phone="+5521900000001", body="Bom dia", external_id=external_id
    )


async def test_what_could_not_be_read_is_delivered_by_the_next_look(
    clinics: Clinics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "LOOK_SECONDS", 0)
    bus = Bus(clinics.database)
    clinics.database.on_commit(bus.committed)
    tries: asyncio.Queue[list[int]] = asyncio.Queue()
    failures = iter([StorageUnavailable()])

    async def publish(_: UUID, events: list[CommittedEvent]) -> None:
        await tries.put([event.seq for event in events])
        for failure in failures:
            raise failure

    bus.on_events(publish)
    await bus.watch(clinics.aurora.clinic_id)
    running = asyncio.create_task(bus.run())
    async with asyncio.timeout(5):
        await _deliver(clinics.aurora, "first")
        assert [await tries.get(), await tries.get()] == [[1], [1]]
    running.cancel()
    await asyncio.wait([running])
    assert tries.empty()
