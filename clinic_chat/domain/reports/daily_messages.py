"""Daily message counts of a clinic, kept current by a reader of the event log."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Date, ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.clinics.scope import ClinicScope, locked_clinic
from clinic_chat.domain.events.log import CommittedEvent, EventType
from clinic_chat.domain.messages.message import Direction, Message
from clinic_chat.storage.base import Base, ClinicOwned

DAYS_SHOWN = 30


class DailyMessages(ClinicOwned, Base):
    """The number of messages that arrived on one day in the clinic's time zone."""

    __tablename__ = "daily_messages"

    clinic_id: Mapped[UUID] = mapped_column(
        ForeignKey("clinics.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    inbound: Mapped[int] = mapped_column(default=0)
    outbound: Mapped[int] = mapped_column(default=0)


@dataclass(frozen=True)
class DayCount:
    """One day's messages from patients (`inbound`) and to them."""

    day: date
    inbound: int
    outbound: int


def count_messages(session: Session, events: list[CommittedEvent]) -> None:
    """Add the new messages of these events to the counts, in the caller's transaction."""
    ids = [
        UUID(event.payload["messageId"]) for event in events if event.type == EventType.MESSAGE_NEW
    ]
    if not ids:
        return
    zone = locked_clinic(session).zone
    rows = session.execute(select(Message.created_at, Message.direction).where(Message.id.in_(ids)))
    found = Counter((row.created_at.astimezone(zone).date(), row.direction) for row in rows)
    days = {day for day, _ in found}
    kept = {
        row.day: row
        for row in session.scalars(select(DailyMessages).where(DailyMessages.day.in_(days)))
    }
    for day in days:
        row = kept.get(day)
        if row is None:
            row = DailyMessages(day=day, inbound=0, outbound=0)
            session.add(row)
        row.inbound += found[day, Direction.INBOUND]
        row.outbound += found[day, Direction.OUTBOUND]


async def daily_messages(scope: ClinicScope, days: int = DAYS_SHOWN) -> list[DayCount]:
    """The last `days` days with messages, newest first."""
    require(scope, Permission.READ_REPORTS)
    async with scope.read() as session:
        rows = await session.scalars(
            select(DailyMessages).order_by(DailyMessages.day.desc()).limit(days)
        )
        return [DayCount(row.day, row.inbound, row.outbound) for row in rows]
