"""Conversations as the clinic's staff see them: list rows and thread headers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import (
    ROWS_BY_ID,
    Conversation,
    conversation_id,
)
from clinic_chat.domain.errors import NotFound
from clinic_chat.domain.patients.patient import Patient
from clinic_chat.domain.patients.phones import format_phone


@dataclass(frozen=True)
class StaffConversation:
    """A conversation as a list row and a thread header show it; times are ISO 8601 in UTC."""

    id: str
    version: int
    patient_id: str
    patient_name: str
    """The phone number when no name is known."""
    patient_phone: str
    """In E.164 as it was used last, or another address of the channel."""
    patient_phone_shown: str
    """The same number in groups of digits."""
    patient_other_names: list[str]
    """Further names that messages from the same number had."""
    patient_search: str
    """The folded name that searches are compared with (domain/queries/search.py)."""
    patient_since: str
    channel: str
    status: str
    assignee_id: str
    assignee_name: str
    last_seq: int
    inbound_count: int
    preview: str
    preview_kind: str
    """The `MessageKind` of the last message."""
    preview_direction: str
    preview_author_id: str
    preview_author: str
    preview_status: str
    last_activity_at: str


async def get_conversation(scope: ClinicScope, value: object) -> StaffConversation:
    """One conversation.

    Raises:
        NotFound: unknown, malformed or another clinic's.
    """
    rows = await conversations_by_id(scope, [conversation_id(value)])
    if not rows:
        raise NotFound("no such conversation")
    return rows[0]


async def conversations_by_id(scope: ClinicScope, ids: Iterable[UUID]) -> list[StaffConversation]:
    """The clinic's conversations among `ids`, newest activity first."""
    require(scope, Permission.READ_CONVERSATIONS)
    async with scope.read() as session:
        return await staff_conversations(session, ROWS_BY_ID, {"ids": list(ids)})


async def staff_conversations(
    session: AsyncSession, statement: Any, parameters: dict[str, Any] | None = None
) -> list[StaffConversation]:
    """The rows of a statement made from `conversation_rows`."""
    found = await session.execute(statement, parameters)
    return [staff_conversation(*row) for row in found.all()]


def staff_conversation(
    conversation: Conversation, patient: Patient, assignee_name: str | None
) -> StaffConversation:
    """A row of `conversation_rows` for staff."""
    phone = format_phone(patient.phone_shown or "")
    return StaffConversation(
        id=str(conversation.id),
        version=conversation.version,
        patient_id=str(patient.id),
        patient_name=patient.name or phone,
        patient_phone=patient.phone_shown or "",
        patient_phone_shown=phone,
        patient_other_names=patient.also_known_as,
        patient_search=patient.search_name,
        patient_since=iso(patient.created_at),
        channel=conversation.channel,
        status=conversation.status,
        assignee_id=str(conversation.assignee_id or ""),
        assignee_name=assignee_name or "",
        last_seq=conversation.last_seq,
        inbound_count=conversation.inbound_count,
        preview=conversation.preview,
        preview_kind=conversation.preview_kind,
        preview_direction=conversation.preview_direction,
        preview_author_id=str(conversation.preview_author_id or ""),
        preview_author=conversation.preview_author,
        preview_status=conversation.preview_status,
        last_activity_at=iso(conversation.last_activity_at),
    )


def iso(moment: datetime) -> str:
    """`moment` as ISO 8601 in UTC with milliseconds, which sorts as text."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
