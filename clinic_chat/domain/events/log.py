"""The event log: what happened in a clinic, numbered without holes, in commit order."""

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
from clinic_chat.domain.conversations.conversation import Beside, Conversation, Standing, standing
from clinic_chat.storage.base import Base, ClinicOwned, now
from clinic_chat.storage.database import AnySession, Database, announce
from clinic_chat.storage.scoping import AGAIN

READ_LIMIT = 500


class EventType(StrEnum):
    """The events of the specification's phase 2 that outlive the moment."""

    MESSAGE_NEW = "message:new"
    MESSAGE_UPDATED = "message:updated"
    CONVERSATION_UPDATED = "conversation:updated"


class Event(ClinicOwned, Base):
    """One event. `payload` holds ids and numbers only; readers look the rest up."""

    __tablename__ = "events"
    __table_args__ = (Index(None, "clinic_id", "conversation_id", "conversation_version"),)

    clinic_id: Mapped[UUID] = mapped_column(
        ForeignKey("clinics.id", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    type: Mapped[EventType] = mapped_column(String(40))
    conversation_id: Mapped[UUID] = mapped_column()
    conversation_version: Mapped[int] = mapped_column(BigInteger)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(default=now)


@dataclass(frozen=True)
class Rows:
    """The rows that an event touched as its transaction left them."""

    conversation: Conversation
    beside: Beside
    message: Any = None
    """The message that the payload names."""


@dataclass(frozen=True)
class CommittedEvent:
    """An event after its commit, as the bus carries it."""

    clinic_id: UUID
    seq: int
    type: str
    conversation_id: UUID
    conversation_version: int
    payload: dict[str, Any]
    at: datetime
    rows: Rows | None = field(default=None, compare=False, repr=False)
    """What the event touched, if whoever recorded it had it at hand; it need not be read again."""


@dataclass(frozen=True)
class PersonalChange:
    """A committed change of what is one person's alone; it is not in the clinic's log.

    `version` counts these changes per person and clinic.
    """

    clinic_id: UUID
    user_id: UUID
    version: int
    change: dict[str, Any]


def record(
    session: AnySession,
    conversation: Conversation,
    event_type: EventType,
    payload: dict[str, Any] | None = None,
    *,
    was: Standing | None,
    beside: Beside | None = None,
    message: Any = None,
) -> None:
    """Append to the log in the caller's transaction and announce it for after the commit.

    `was` is how the conversation stood before, None when it is new: with it, whoever counts
    conversations can follow the log without counting again. With `beside`, and the `message`
    that the payload names, nobody has to read again what is to be shown of it.
    """
    clinic = locked_clinic(session)
    clinic.last_event_seq += 1
    conversation.version += 1
    event = Event(
        clinic_id=clinic.id,
        seq=clinic.last_event_seq,
        type=event_type,
        conversation_id=conversation.id,
        conversation_version=conversation.version,
        payload={**(payload or {}), "was": was, "state": standing(conversation)},
        at=now(),
    )
    session.add(event)
    rows = Rows(conversation, beside, message) if beside else None
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


async def conversation_events_after(
    scope: ClinicScope, conversation_id: UUID, version: int, limit: int = READ_LIMIT
) -> list[CommittedEvent]:
    """What happened in one conversation after its `version`, in order, at most `limit`."""
    async with scope.read() as session:
        rows = await session.scalars(
            select(Event)
            .where(
                Event.conversation_id == conversation_id,
                Event.conversation_version > version,
            )
            .order_by(Event.conversation_version)
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
    .execution_options(**{AGAIN: True})
)


def _recorded(event: Event, rows: Rows | None = None) -> CommittedEvent:
    return CommittedEvent(
        event.clinic_id,
        event.seq,
        event.type,
        event.conversation_id,
        event.conversation_version,
        event.payload,
        event.at,
        rows,
    )
