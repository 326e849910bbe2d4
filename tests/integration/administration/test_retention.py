"""Retention: a clinic's resolved conversations are deleted after its term, and nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import func, select

from clinic_chat.doctor.examination import examine_database
from clinic_chat.doctor.finding import Verdict
from clinic_chat.domain.accounts.permissions import Permission, allows
from clinic_chat.domain.administration.audit_trail import Action, read_audit_trail
from clinic_chat.domain.administration.clinic_settings import (
    RETENTION_DELAY,
    change_clinic_settings,
)
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.assignment import set_status
from clinic_chat.domain.conversations.conversation import Conversation
from clinic_chat.domain.errors import InvalidInput, NotFound
from clinic_chat.domain.events.log import EventType, events_after
from clinic_chat.domain.messages.drafts import save_draft
from clinic_chat.domain.messages.message import Message
from clinic_chat.domain.messages.read_markers import mark_read
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.patients.identities import PatientIdentity
from clinic_chat.domain.patients.patient import Patient
from clinic_chat.domain.patients.search_words import WordPart
from clinic_chat.domain.queries.thread import read_thread_start
from clinic_chat.domain.retention import conversations as retention
from clinic_chat.domain.retention.conversations import count_over_term, delete_over_term
from clinic_chat.storage.database import Database
from clinic_chat.workers.retention_worker import RetentionWorker
from tests.conftest import Clinics
from tests.support.sending import send_message

THEN = datetime(2029, 1, 10, 9, tzinfo=UTC)
TWO_YEARS_LATER = THEN + timedelta(days=731)
MONTHS = 12
pytestmark = pytest.mark.usefixtures("any_database")


async def resolved(scope: ClinicScope, staff: ClinicScope, phone: str) -> str:
    """A conversation in which everything was said and answered."""
    stored = await receive_message(scope, name="Paula", phone=phone, body="olá", external_id=phone)
    conversation = stored.message.conversation_id
    await send_message(staff, conversation, "oi", f"answer {phone}")
    await mark_read(staff, conversation, 1)
    await save_draft(staff, conversation, "ainda")
    await set_status(staff, conversation, "resolved")
    return conversation


async def set_term(scope: ClinicScope, months: int = MONTHS) -> None:
    await change_clinic_settings(scope, retention_months=months)


async def number_of(scope: ClinicScope, table: Any) -> int:
    async with scope.read() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def words(scope: ClinicScope) -> list[str]:
    async with scope.read() as session:
        return list(await session.scalars(select(WordPart.word)))


async def test_what_is_resolved_and_old_is_deleted_with_all_that_belongs_to_it(
    any_database: Database, clinics: Clinics
) -> None:
    with time_machine.travel(THEN, tick=False) as clock:
        gone = await resolved(clinics.aurora, clinics.ana, "+5511987650001")
        waiting = await receive_message(
            clinics.aurora, name="Rui", phone="+5511987650002", body="oi", external_id="2"
        )
        theirs = await resolved(clinics.boreal, clinics.carla, "+5511987650001")
        clock.move_to(TWO_YEARS_LATER)
        recent = await resolved(clinics.aurora, clinics.ana, "+5511987650003")
        await set_term(clinics.ana)
        assert await count_over_term(clinics.ana) == 1
        clock.shift(RETENTION_DELAY)
        worker = RetentionWorker(any_database, timedelta(days=365 * 5))
        await worker.look()

        with pytest.raises(NotFound):
            await read_thread_start(clinics.ana, gone)
        for kept in (waiting.message.conversation_id, recent):
            assert (await read_thread_start(clinics.ana, kept)).conversation.id == kept
        assert (await read_thread_start(clinics.carla, theirs)).conversation.id == theirs
        assert await number_of(clinics.ana, Conversation) == 2
        assert await number_of(clinics.ana, Message) == 3
        assert await number_of(clinics.ana, Patient) == 2
        assert await number_of(clinics.ana, PatientIdentity) == 2
        # Nor can it be found by what it was called: her number is in no index.
        assert [word for word in await words(clinics.ana) if word.endswith("650001")] == []
        assert await count_over_term(clinics.ana) == 0

        (act,) = [
            act
            for act in (await read_audit_trail(clinics.ana)).entries
            if act.action == Action.CONVERSATIONS_DELETED
        ]
        assert (act.actor_kind, act.details) == ("system", {"count": 1, "months": MONTHS})
        events = [
            event
            for event in await events_after(clinics.ana, 0)
            if event.type == EventType.CONVERSATION_DELETED
        ]
        assert [(event.subject.id, event.payload["state"]) for event in events] == [
            (UUID(gone), None)
        ]
        found = await examine_database(any_database.url)
        assert [finding for finding in found if finding.verdict != Verdict.OK] == []

        again = await receive_message(
            clinics.aurora, name="Paula", phone="+5511987650001", body="voltei", external_id="9"
        )
        assert again.message.seq == 1
        assert again.message.conversation_id != gone


async def test_a_patient_who_has_another_conversation_stays(clinics: Clinics) -> None:
    with time_machine.travel(THEN, tick=False) as clock:
        first = await resolved(clinics.aurora, clinics.ana, "+5511987650001")
        async with clinics.aurora.write() as session:
            row = await session.get_one(Conversation, UUID(first))
            session.add(Conversation(patient_id=row.patient_id, channel="other"))
        await set_term(clinics.ana)
        clock.move_to(TWO_YEARS_LATER)

        assert await delete_over_term(clinics.aurora) == 1
        assert await number_of(clinics.ana, Patient) == 1
        assert await number_of(clinics.ana, PatientIdentity) == 1


async def test_nothing_is_deleted_in_the_days_after_the_term_was_changed(clinics: Clinics) -> None:
    with time_machine.travel(THEN, tick=False) as clock:
        await resolved(clinics.aurora, clinics.ana, "+5511987650001")
        clock.move_to(TWO_YEARS_LATER)
        assert await delete_over_term(clinics.aurora) == 0
        await set_term(clinics.ana, 24)
        clock.shift(RETENTION_DELAY - timedelta(minutes=1))
        assert await delete_over_term(clinics.aurora) == 0
        await set_term(clinics.ana, 12)
        clock.shift(timedelta(minutes=2))
        assert await delete_over_term(clinics.aurora) == 0
        await set_term(clinics.ana, 0)
        clock.shift(RETENTION_DELAY)
        assert await delete_over_term(clinics.aurora) == 0
        assert await count_over_term(clinics.ana) == 0
        assert await number_of(clinics.ana, Conversation) == 1


async def test_many_go_a_few_at_a_time(
    clinics: Clinics, any_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(f"{RetentionWorker.__module__}.PAUSE_SECONDS", 0)
    with time_machine.travel(THEN, tick=False) as clock:
        for number in range(5):
            await resolved(clinics.aurora, clinics.ana, f"+551198765000{number}")
        await set_term(clinics.ana)
        clock.move_to(TWO_YEARS_LATER)
        await RetentionWorker(any_database, timedelta(days=365 * 5)).look()
        assert await number_of(clinics.ana, Conversation) == 0
        deleted = [
            act.details["count"]
            for act in (await read_audit_trail(clinics.ana)).entries
            if act.action == Action.CONVERSATIONS_DELETED
        ]
        assert sorted(deleted) == [1, 2, 2]


@pytest.mark.parametrize("months", [-1, 1, 5, 601])
async def test_a_term_has_limits(clinics: Clinics, months: int) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await set_term(clinics.ana, months)
    assert refusal.value.code == "retention_invalid"


def test_only_the_server_itself_deletes(clinics: Clinics) -> None:
    assert not allows(clinics.ana.actor, Permission.DELETE_EXPIRED)
