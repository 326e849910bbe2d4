"""Durable readers of the log: no event is skipped or taken twice, whatever becomes of a process."""

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.events.log import CommittedEvent, last_seq
from clinic_chat.domain.events.readers import LogReader
from clinic_chat.domain.messages.message import Message
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.reports.daily_messages import DayCount, count_messages, daily_messages
from clinic_chat.storage.database import Database
from clinic_chat.workers import log_worker
from clinic_chat.workers.log_worker import LogWorker, Reader
from tests.conftest import Clinics
from tests.support.sending import send_message

COUNTS = Reader("daily_messages", count_messages)
KILLS = 8
BUSY_SECONDS = 0.15
# Reads without a pause, and says when it has begun.
WORKER = """
import asyncio, sys
from clinic_chat.storage.database import Database
from clinic_chat.workers import log_worker
from clinic_chat.workers.readers import READERS

async def main(url):
    log_worker.BATCH = 3
    worker = log_worker.LogWorker(Database(url), READERS)
    print("begun", flush=True)
    while True:
        for reader in READERS:
            await worker.catch_up(reader)

asyncio.run(main(sys.argv[1]))
"""


async def write(scope: ClinicScope, number: int) -> str:
    stored = await receive_message(
        scope,
        name="Paula",
        phone=f"+55119876{number % 7:05}",
        body="Oi",
        external_id=f"{number}",
    )
    return stored.message.conversation_id


async def truth(scope: ClinicScope) -> Counter[str]:
    """How many messages there are of each direction."""
    async with scope.read() as session:
        return Counter(await session.scalars(select(Message.direction)))


async def counted(scope: ClinicScope) -> Counter[str]:
    found: Counter[str] = Counter()
    for day in await daily_messages(scope):
        found.update({"inbound": day.inbound, "outbound": day.outbound})
    return +found


async def test_each_message_is_counted_once_on_its_day_in_the_clinics_zone(
    clinics: Clinics,
) -> None:
    # In São Paulo it is still the 6th.
    with time_machine.travel(datetime(2030, 5, 7, 2, 30, tzinfo=UTC), tick=False) as clock:
        conversation = await write(clinics.aurora, 0)
        clock.shift(timedelta(hours=1))
        await send_message(clinics.ana, conversation, "Bom dia", "1")
        await write(clinics.aurora, 7)
        await write(clinics.boreal, 0)
    worker = LogWorker(clinics.database, (COUNTS,))

    for _ in range(2):
        await worker.catch_up(COUNTS)

    sixth, seventh = datetime(2030, 5, 6).date(), datetime(2030, 5, 7).date()
    assert await daily_messages(clinics.aurora) == [
        DayCount(seventh, inbound=1, outbound=1),
        DayCount(sixth, inbound=1, outbound=0),
    ]
    assert await counted(clinics.boreal) == {"inbound": 1}


async def test_readers_that_are_killed_again_and_again_skip_nothing_and_count_nothing_twice(
    any_database: Database, clinics: Clinics
) -> None:
    writing = asyncio.create_task(_write_all(clinics.aurora, 150))
    for _ in range(KILLS):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WORKER, any_database.url),
            cwd=Path(__file__).parents[3],
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"begun\n"
        await asyncio.sleep(BUSY_SECONDS)
        process.send_signal(signal.SIGKILL)
        await process.wait()
    await writing

    # What a killed process held is free when its lease is over.
    later = datetime.now(UTC) + log_worker.LEASE + timedelta(seconds=1)
    with time_machine.travel(later, tick=True):
        await LogWorker(any_database, (COUNTS,)).catch_up(COUNTS)

    assert await counted(clinics.aurora) == await truth(clinics.aurora) == {"inbound": 150}
    async with clinics.aurora.read() as session:
        (place,) = (await session.scalars(select(LogReader))).all()
    assert place.cursor == await last_seq(clinics.aurora)


async def _write_all(scope: ClinicScope, messages: int) -> None:
    for number in range(messages):
        await write(scope, number)
        await asyncio.sleep(0.005)


async def test_two_processes_read_at_once_and_nothing_is_taken_twice(clinics: Clinics) -> None:
    other = Database(clinics.database.url)
    try:
        for number in range(60):
            await write(clinics.aurora, number)
        workers = [LogWorker(database, (COUNTS,)) for database in (clinics.database, other)]
        await asyncio.gather(*(worker.catch_up(COUNTS) for worker in workers * 5))
    finally:
        await other.close()

    assert await counted(clinics.aurora) == {"inbound": 60}


async def test_trouble_in_one_clinic_keeps_no_other_back_and_is_tried_again(
    clinics: Clinics, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = clinics.aurora.clinic_id
    taken: Counter[object] = Counter()

    def take(_: Session, events: list[CommittedEvent]) -> None:
        if events[0].clinic_id == broken:
            raise RuntimeError("trouble")
        taken.update(event.clinic_id for event in events)

    now = 100.0
    monkeypatch.setattr(log_worker, "monotonic", lambda: now)
    reader = Reader("trouble", take)
    worker = LogWorker(clinics.database, (reader,))
    await write(clinics.aurora, 0)
    await write(clinics.boreal, 0)

    await worker.catch_up(reader)
    assert taken == {clinics.boreal.clinic_id: 1}

    whose, broken = broken, clinics.boreal.clinic_id
    await worker.catch_up(reader)
    assert taken[whose] == 0
    now += 2
    await worker.catch_up(reader)
    assert taken[whose] == 1


@pytest.fixture
async def running(clinics: Clinics) -> AsyncIterator[LogWorker]:
    worker = LogWorker(clinics.database, (replace(COUNTS, every_seconds=0.01),))
    async with worker.lifespan():
        yield worker


@pytest.mark.usefixtures("running")
async def test_a_commit_wakes_the_readers(clinics: Clinics) -> None:
    for number in range(3):
        await write(clinics.aurora, number)
        async with asyncio.timeout(log_worker.LOOK_SECONDS - 1):
            while (await counted(clinics.aurora)) != {"inbound": number + 1}:
                pass


async def test_an_event_is_taken_in_a_transaction_that_writes_all_or_nothing(
    clinics: Clinics,
) -> None:
    await write(clinics.aurora, 0)

    def half(session: Session, events: list[CommittedEvent]) -> None:
        count_messages(session, events)
        session.flush()
        raise RuntimeError("in the middle")

    worker = LogWorker(clinics.database, (replace(COUNTS, take=half),))
    await worker.catch_up(replace(COUNTS, take=half))
    assert await counted(clinics.aurora) == {}

    await LogWorker(clinics.database, (COUNTS,)).catch_up(COUNTS)
    assert await counted(clinics.aurora) == {"inbound": 1}
