"""Retention of the event log: old events go, and who was away for longer gets everything anew."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from clinic_chat.doctor.examination import examine_database
from clinic_chat.doctor.finding import Verdict
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.events.log import CommittedEvent, Event, events_after, last_seq
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.queries.inbox import overview
from clinic_chat.domain.queries.thread import read_thread_start
from clinic_chat.domain.retention import events as retention
from clinic_chat.domain.retention.events import delete_events
from clinic_chat.realtime.feeds import inbox, thread
from clinic_chat.storage.database import Database
from clinic_chat.workers.log_worker import LogWorker, Reader
from clinic_chat.workers.retention_worker import RetentionWorker
from tests.conftest import Clinics

THEN = datetime(2029, 1, 10, 9, tzinfo=UTC)
KEPT = timedelta(days=30)
pytestmark = pytest.mark.usefixtures("any_database")


async def write(scope: ClinicScope, number: int, key: str) -> str:
    """Messages of one patient; the conversation's id."""
    for one in range(number):
        stored = await receive_message(
            scope, name="Paula", phone="+5511987650001", body="oi", external_id=f"{key}-{one}"
        )
    return stored.message.conversation_id


async def kept(scope: ClinicScope) -> list[int]:
    async with scope.read() as session:
        return list(await session.scalars(select(Event.seq).order_by(Event.seq)))


async def test_old_events_go_and_recent_ones_stay(clinics: Clinics, any_database: Database) -> None:
    with time_machine.travel(THEN, tick=False) as clock:
        await write(clinics.aurora, 5, "old")
        await write(clinics.boreal, 2, "theirs")
        clock.shift(timedelta(days=20))
        await write(clinics.aurora, 3, "newer")
        clock.shift(timedelta(days=15))
        await RetentionWorker(any_database, KEPT).look()

        assert await kept(clinics.aurora) == [6, 7, 8]
        # The newest one of a clinic stays, however old it is.
        assert await kept(clinics.boreal) == [2]
        found = await examine_database(any_database.url)
        assert [finding for finding in found if finding.verdict != Verdict.OK] == []
        await write(clinics.aurora, 1, "after")
        assert await kept(clinics.aurora) == [6, 7, 8, 9]


async def test_a_tab_that_lacks_what_was_deleted_gets_a_snapshot(clinics: Clinics) -> None:
    with time_machine.travel(THEN, tick=False) as clock:
        conversation = await write(clinics.aurora, 5, "old")
        clock.shift(timedelta(days=40))
        await delete_events(clinics.aurora, datetime.now(UTC) - KEPT)
        assert await kept(clinics.aurora) == [5]

        newest = await last_seq(clinics.aurora)
        opening = await read_thread_start(clinics.ana, conversation)
        for version in (0, 1, 3):
            assert await inbox.since(clinics.ana, version, newest) is None
            assert await thread.since(clinics.ana, opening, version) is None
        for version in (4, 5):
            patch = await inbox.since(clinics.ana, version, newest)
            assert patch is not None
            assert (patch.from_version, patch.to_version) == (version, 5)
            patch = await thread.since(clinics.ana, opening, version)
            assert patch is not None
            assert (patch.from_version, patch.to_version) == (version, 5)
        assert (await overview(clinics.ana)).first.version == newest


async def test_no_event_goes_before_a_reader_has_taken_it(
    clinics: Clinics, any_database: Database
) -> None:
    taken: list[int] = []

    def take(_session: Session, events: list[CommittedEvent]) -> None:
        taken.extend(event.seq for event in events)

    reader = Reader("test", take)
    with time_machine.travel(THEN, tick=False) as clock:
        await write(clinics.aurora, 3, "taken")
        worker = LogWorker(any_database, (reader,))
        await worker.catch_up(reader)
        await write(clinics.aurora, 3, "waiting")
        clock.shift(timedelta(days=40))
        await delete_events(clinics.aurora, datetime.now(UTC) - KEPT)
        assert await kept(clinics.aurora) == [4, 5, 6]
        await worker.catch_up(reader)
        assert taken == [1, 2, 3, 4, 5, 6]
        await delete_events(clinics.aurora, datetime.now(UTC) - KEPT)
        assert await kept(clinics.aurora) == [6]

        # A reader that is new begins with what there is.
        fresh = Reader("fresh", take)
        await LogWorker(any_database, (fresh,)).catch_up(fresh)
        assert taken[6:] == [6]


async def test_many_go_a_batch_at_a_time(clinics: Clinics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 4)
    with time_machine.travel(THEN, tick=False) as clock:
        await write(clinics.aurora, 10, "old")
        clock.shift(timedelta(days=40))
        before = datetime.now(UTC) - KEPT
        assert [await delete_events(clinics.aurora, before) for _ in range(4)] == [4, 4, 1, 0]


async def test_a_conversation_goes_on_where_its_events_were_deleted(clinics: Clinics) -> None:
    with time_machine.travel(THEN, tick=False) as clock:
        conversation = await write(clinics.aurora, 2, "old")
        clock.shift(timedelta(days=40))
        other = await receive_message(
            clinics.aurora, name="Rui", phone="+5511987650002", body="oi", external_id="x"
        )
        await delete_events(clinics.aurora, datetime.now(UTC) - KEPT)
        await write(clinics.aurora, 1, "new")

        opening = await read_thread_start(clinics.ana, conversation)
        patch = await thread.since(clinics.ana, opening, 2)
        assert patch is not None
        assert (patch.from_version, patch.to_version, len(patch.upsert)) == (2, 3, 1)
        events = await events_after(clinics.aurora, 0)
        assert [event.subject.id for event in events] == [
            UUID(other.message.conversation_id),
            UUID(conversation),
        ]
        async with clinics.aurora.read() as session:
            assert await session.scalar(select(func.count()).select_from(Event)) == 2
