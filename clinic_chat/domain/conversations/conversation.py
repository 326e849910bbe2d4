"""Conversations: the table, one row per patient and channel, and how rows are read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    Uuid,
    bindparam,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, Session, mapped_column

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.users import User
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import NotFound
from clinic_chat.domain.patients.patient import Patient
from clinic_chat.storage.base import Base, ClinicOwned, new_id, now
from clinic_chat.storage.database import AnySession
from clinic_chat.storage.statements import ON_EVENT_LOOP

API_CHANNEL = "api"
"""The channel of conversations that programs hold over HTTP."""


class Status(StrEnum):
    """The status of a conversation."""

    OPEN = "open"
    PENDING = "pending"
    RESOLVED = "resolved"


class Conversation(ClinicOwned, Base):
    """A conversation; `version` counts its events, `last_seq` its messages."""

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("clinic_id", "patient_id", "channel"),
        Index(None, "clinic_id", "last_activity_at", "id"),
        Index(None, "clinic_id", "id"),
        # Without the time of activity, which every message changes (queries/conversation_pages.py).
        Index(None, "clinic_id", "status", "assignee_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"))
    channel: Mapped[str] = mapped_column(String(20))
    status: Mapped[Status] = mapped_column(String(20), default=Status.OPEN)
    assignee_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), default=None
    )
    version: Mapped[int] = mapped_column(BigInteger, default=0)
    last_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    inbound_count: Mapped[int] = mapped_column(BigInteger, default=0)
    preview: Mapped[str] = mapped_column(String(200), default="")
    preview_kind: Mapped[str] = mapped_column(String(20), default="text", server_default="text")
    preview_direction: Mapped[str] = mapped_column(String(10), default="")
    preview_author_id: Mapped[UUID | None] = mapped_column(default=None)
    preview_author: Mapped[str] = mapped_column(String(120), default="")
    preview_status: Mapped[str] = mapped_column(String(10), default="")
    last_activity_at: Mapped[datetime] = mapped_column(default=now)
    created_at: Mapped[datetime] = mapped_column(default=now)


@dataclass(frozen=True, slots=True)
class RowContext:
    """The data of a list row besides its conversation."""

    patient: Patient
    assignee_name: str | None


def conversation_id(value: object) -> UUID:
    """Parse a conversation id from a URL or an event; only its canonical form is valid.

    Raises:
        NotFound: not an id, which must look the same as an unknown one.
    """
    if isinstance(value, UUID):
        return value
    if not isinstance(value, str) or len(value) > 40:
        raise NotFound("no such conversation")
    try:
        found = UUID(value)
    except ValueError:
        raise NotFound("no such conversation") from None
    # The id is the key of a feed, and two spellings would be two keys.
    if str(found) != value:
        raise NotFound("no such conversation")
    return found


def start_conversation(session: AnySession, patient_id: UUID, channel: str) -> Conversation:
    """A new, empty conversation in the session's transaction."""
    conversation = Conversation(
        id=new_id(),
        patient_id=patient_id,
        channel=channel,
        status=Status.OPEN,
        version=0,
        last_seq=0,
        inbound_count=0,
    )
    session.add(conversation)
    return conversation


async def load_conversation(session: AsyncSession, value: object) -> Conversation:
    """The clinic's conversation with this id, to be changed in the session's transaction.

    Raises:
        NotFound: unknown, malformed or another clinic's.
    """
    conversation: Conversation | None = await session.scalar(
        _ONE, {"conversation": conversation_id(value)}
    )
    if conversation is None:
        raise NotFound("no such conversation")
    return conversation


_ONE = (
    select(Conversation)
    .where(Conversation.id == bindparam("conversation"))
    .execution_options(**ON_EVENT_LOOP)
)


def load_rows(session: Session, ids: Iterable[UUID]) -> dict[UUID, tuple[Conversation, RowContext]]:
    """The clinic's conversations among `ids`, for changing, with their row contexts, by id."""
    rows = session.execute(ROWS_BY_ID, {"ids": list(ids)})
    return {row.id: (row, RowContext(patient, name)) for row, patient, name in rows}


def conversations_of(session: Session, patient_id: UUID) -> list[tuple[Conversation, str | None]]:
    """A patient's conversations, for changing, with the names of their assignees, by age."""
    rows = session.execute(_OF_PATIENT, {"patient": patient_id}).all()
    return sorted(((row[0], row[1]) for row in rows), key=lambda row: row[0].id)


async def conversation_exists(scope: ClinicScope, value: object) -> bool:
    """Whether `value` is the id of a conversation of the clinic; False for a malformed id."""
    require(scope, Permission.READ_CONVERSATIONS)
    try:
        wanted = conversation_id(value)
    except NotFound:
        return False
    async with scope.read() as session:
        found = await session.execute(_EXISTS, {"conversation": wanted})
        return found.first() is not None


def conversation_rows() -> Any:
    """The SELECT behind every list row (conversation, patient, assignee's name), newest first."""
    return (
        select(Conversation, Patient, User.name)
        .join(Patient, Patient.id == Conversation.patient_id)
        .outerjoin(User, User.id == Conversation.assignee_id)
        .order_by(Conversation.last_activity_at.desc(), Conversation.id.desc())
    )


# A patient has one on each channel, so few are read.
_OF_PATIENT = (
    select(Conversation, User.name)
    .outerjoin(User, User.id == Conversation.assignee_id)
    .where(Conversation.patient_id == bindparam("patient"))
    .execution_options(**ON_EVENT_LOOP)
)
_EXISTS = (
    select(Conversation.id)
    .where(Conversation.id == bindparam("conversation", type_=Uuid()))
    .execution_options(**ON_EVENT_LOOP)
)
ROWS_BY_ID = (
    conversation_rows()
    .where(Conversation.id.in_(bindparam("ids", expanding=True)))
    .execution_options(**ON_EVENT_LOOP)
)
