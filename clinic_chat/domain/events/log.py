"""Event log: the committed events of each clinic, numbered without holes in commit order."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, bindparam, select
from sqlalchemy.orm import Mapped, mapped_column

from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.domain.clinics.scope import ClinicScope, locked_clinic
from clinic_chat.storage.base import Base, ClinicOwned, now
from clinic_chat.storage.database import AnySession, Database, announce
from clinic_chat.storage.statements import ON_EVENT_LOOP

READ_LIMIT = 500


class SubjectKind(StrEnum):
    """The kind of an event's subject."""

    CONVERSATION = "conversation"
    STAFF = "staff"
    INVITATION = "invitation"
    TOKEN = "token"  # noqa: S105 - a kind of subject
    CLINIC = "clinic"
    WEBHOOK = "webhook"


class EventType(StrEnum):
    """The event types of the specification's phase 2 that are stored, and administration."""

    MESSAGE_NEW = "message:new"
    MESSAGE_UPDATED = "message:updated"
    CONVERSATION_UPDATED = "conversation:updated"
    CONVERSATION_DELETED = "conversation:deleted"
    ADMINISTERED = "administered"
    """Something administrative; the payload's `action` says what (domain/administration)."""


class Event(ClinicOwned, Base):
    """One event. `payload` holds ids and numbers only; readers look the rest up."""

    __tablename__ = "events"
    __table_args__ = (Index(None, "clinic_id", "subject_id", "subject_version"),)

    clinic_id: Mapped[UUID] = mapped_column(
        ForeignKey("clinics.id", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    type: Mapped[EventType] = mapped_column(String(40))
    subject_kind: Mapped[SubjectKind] = mapped_column(
        String(20), server_default=SubjectKind.CONVERSATION
    )
    subject_id: Mapped[UUID] = mapped_column()
    subject_version: Mapped[int] = mapped_column(BigInteger)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(default=now)


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of an event; `version` counts its events up to and including this one."""

    kind: SubjectKind
    id: UUID
    version: int


@dataclass(frozen=True)
class CommittedEvent:
    """An event after its commit, as the bus carries it."""

    clinic_id: UUID
    seq: int
    type: str
    subject: Subject
    payload: dict[str, Any]
    at: datetime
    rows: Any = field(default=None, compare=False, repr=False)
    """The rows that the event changed, if its recorder had them; they save readers a query."""


@dataclass(frozen=True)
class PersonalChange:
    """A committed change of one person's own data; it is not in the clinic's log.

    `version` counts these changes per person and clinic.
    """

    clinic_id: UUID
    user_id: UUID
    version: int
    change: dict[str, Any]


def record(
    session: AnySession,
    subject: Subject,
    event_type: EventType,
    payload: dict[str, Any],
    rows: object = None,
) -> None:
    """Append an event to the log in the caller's transaction; announce it after the commit.

    `rows` are the changed rows, in a form that the subject's readers know; they save a query.
    """
    clinic = locked_clinic(session)
    clinic.last_event_seq += 1
    event = Event(
        clinic_id=clinic.id,
        seq=clinic.last_event_seq,
        type=event_type,
        subject_kind=subject.kind,
        subject_id=subject.id,
        subject_version=subject.version,
        payload=payload,
        at=now(),
    )
    session.add(event)
    announce(session, _recorded(event, rows))


async def events_after(
    scope: ClinicScope, seq: int, limit: int = READ_LIMIT
) -> list[CommittedEvent]:
    """The clinic's events after `seq`, in order, at most `limit`."""
    async with scope.read() as session:
        rows = await session.scalars(
            select(Event).where(Event.seq > seq).order_by(Event.seq).limit(limit)
        )
        return [_recorded(row) for row in rows]


async def subject_events_after(
    scope: ClinicScope, subject_id: UUID, version: int, limit: int = READ_LIMIT
) -> list[CommittedEvent]:
    """The events of one subject after its `version`, in order, at most `limit`."""
    async with scope.read() as session:
        rows = await session.scalars(
            select(Event)
            .where(
                Event.subject_id == subject_id,
                Event.subject_version > version,
            )
            .order_by(Event.subject_version)
            .limit(limit)
        )
        return [_recorded(row) for row in rows]


async def last_seq(scope: ClinicScope) -> int:
    """The number of the clinic's newest event, 0 when there is none."""
    return (await last_seqs(scope.database, [scope.clinic_id]))[scope.clinic_id]


async def last_seqs(database: Database, clinic_ids: Collection[UUID]) -> dict[UUID, int]:
    """The number of each clinic's newest event, 0 when there is none."""
    ids = list(clinic_ids)
    found: dict[UUID, int] = {}
    async with database.read() as session:
        for start in range(0, len(ids), READ_LIMIT):
            rows = await session.execute(_LAST_SEQS, {"ids": ids[start : start + READ_LIMIT]})
            found.update((row.id, row.last_event_seq) for row in rows)
    return {clinic_id: found.get(clinic_id, 0) for clinic_id in ids}


_LAST_SEQS = (
    select(Clinic.id, Clinic.last_event_seq)
    .where(Clinic.id.in_(bindparam("ids", expanding=True)))
    .execution_options(**ON_EVENT_LOOP)
)


def _recorded(event: Event, rows: object = None) -> CommittedEvent:
    return CommittedEvent(
        event.clinic_id,
        event.seq,
        event.type,
        Subject(event.subject_kind, event.subject_id, event.subject_version),
        event.payload,
        event.at,
        rows,
    )
