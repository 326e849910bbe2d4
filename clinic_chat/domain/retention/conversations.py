"""Retention: resolved conversations are deleted when the clinic's term after them is over.

The term counts from a conversation's last message, as that of medical records does in Brazil
(Lei 13.787/2018, art. 6).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.administration.audit_trail import Action, record_action
from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.domain.clinics.scope import ClinicScope, locked_clinic
from clinic_chat.domain.conversations.conversation import Conversation, Status
from clinic_chat.domain.conversations.counts import count_key, count_no_more
from clinic_chat.domain.conversations.read_marker import ReadMarker
from clinic_chat.domain.events.log import EventType, Subject, SubjectKind, record
from clinic_chat.domain.messages.drafts import Draft
from clinic_chat.domain.messages.message import Message
from clinic_chat.domain.patients.identities import PatientIdentity
from clinic_chat.domain.patients.patient import Patient
from clinic_chat.domain.patients.search_words import forget_words
from clinic_chat.storage.base import now
from clinic_chat.storage.database import Database

BATCH = 50
AVERAGE_MONTH = timedelta(days=365.25 / 12)


async def clinics_with_term(database: Database) -> list[UUID]:
    """The clinics whose term has been set for long enough to delete by it."""
    async with database.read() as session:
        found = await session.scalars(
            select(Clinic.id).where(Clinic.retention_months > 0, Clinic.retention_from <= now())
        )
        return list(found)


async def count_over_term(scope: ClinicScope) -> int:
    """The number of conversations that are deleted by the clinic's term as it is now."""
    require(scope, Permission.MANAGE_CLINIC)
    async with scope.read() as session:
        months = await session.scalar(
            select(Clinic.retention_months).where(Clinic.id == scope.clinic_id)
        )
        if not months:
            return 0
        query = select(func.count()).select_from(Conversation).where(*_over(months))
        return await session.scalar(query) or 0


async def delete_over_term(scope: ClinicScope) -> int:
    """Delete up to BATCH conversations whose term is over, with patients who have no other one.

    Returns their number; the audit trail has it too.
    """
    require(scope, Permission.DELETE_EXPIRED)
    async with scope.write() as session:
        clinic = locked_clinic(session)
        if not clinic.retention_months or not _is_due(clinic.retention_from):
            return 0
        found = list(
            await session.scalars(
                select(Conversation)
                .where(*_over(clinic.retention_months))
                .order_by(Conversation.last_activity_at)
                .limit(BATCH)
            )
        )
        if not found:
            return 0
        for conversation in found:
            _record_deletion(session, conversation)
        await session.run_sync(count_no_more, found)
        await _delete(session, found)
        await record_action(
            session,
            scope,
            Action.CONVERSATIONS_DELETED,
            (SubjectKind.CLINIC, clinic.id, clinic.name),
            count=len(found),
            months=clinic.retention_months,
        )
    return len(found)


def _over(months: int) -> tuple[ColumnElement[bool], ...]:
    return (
        Conversation.status == Status.RESOLVED,
        Conversation.last_activity_at < now() - months * AVERAGE_MONTH,
    )


def _is_due(since: datetime | None) -> bool:
    return since is not None and since <= now()


def _record_deletion(session: AsyncSession, conversation: Conversation) -> None:
    record(
        session,
        Subject(SubjectKind.CONVERSATION, conversation.id, conversation.version + 1),
        EventType.CONVERSATION_DELETED,
        {"was": list(count_key(conversation)), "state": None},
    )


async def _delete(session: AsyncSession, conversations: Sequence[Conversation]) -> None:
    ids = [conversation.id for conversation in conversations]
    patients = {conversation.patient_id for conversation in conversations}
    for table in (Draft, ReadMarker, Message):
        await session.execute(delete(table).where(table.conversation_id.in_(ids)))
    await session.execute(delete(Conversation).where(Conversation.id.in_(ids)))
    others = exists().where(Conversation.patient_id == Patient.id)
    gone = list(await session.scalars(select(Patient.id).where(Patient.id.in_(patients), ~others)))
    await session.run_sync(forget_words, gone)
    await session.execute(delete(PatientIdentity).where(PatientIdentity.patient_id.in_(gone)))
    await session.execute(delete(Patient).where(Patient.id.in_(gone)))
