"""Log readers: durable cursors in each clinic's event log, leased by one process at a time."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, String, and_, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.domain.clinics.scope import ClinicScope, locked_clinic
from clinic_chat.domain.events.log import CommittedEvent
from clinic_chat.storage.base import Base, now
from clinic_chat.storage.database import Database


class LogReader(Base):
    """One reader's cursor in one clinic's log; not clinic-owned, because readers scan all clinics.

    `cursor` is the number of the last event that was processed. Until `leased_until` only the
    process `holder` may advance it.
    """

    __tablename__ = "log_readers"

    clinic_id: Mapped[UUID] = mapped_column(
        ForeignKey("clinics.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    cursor: Mapped[int] = mapped_column(BigInteger, default=0)
    holder: Mapped[str] = mapped_column(String(40), default="")
    leased_until: Mapped[datetime] = mapped_column(default=now)


class LeaseLost(Exception):
    """Another process has advanced the reader or holds its lease; nothing was changed."""


def start_reading(session: Session, name: str) -> None:
    """Have a reader that is asked for read the clinic's events from now on; again is fine."""
    clinic = locked_clinic(session)
    if session.get(LogReader, (clinic.id, name)) is None:
        session.add(LogReader(clinic_id=clinic.id, name=name, cursor=clinic.last_event_seq))


def stop_reading(session: Session, name: str) -> None:
    """Have such a reader read the clinic's events no more, so that they need not be kept for it."""
    place = session.get(LogReader, (locked_clinic(session).id, name))
    if place is not None:
        session.delete(place)


async def places_behind(
    database: Database, name: str, holder: str, *, on_request: bool = False
) -> dict[UUID, int]:
    """A reader's cursors by clinic, for the clinics with events that it has not processed.

    Clinics of which another process holds the lease are left out, and `on_request` those in which
    it was not started.
    """
    place = and_(LogReader.clinic_id == Clinic.id, LogReader.name == name)
    free = or_(LogReader.holder.in_(["", holder]), LogReader.leased_until <= now())
    cursor = func.coalesce(LogReader.cursor, 0)
    query = (
        select(Clinic.id, cursor.label("cursor"))
        .join(LogReader, place, isouter=not on_request)
        .where(Clinic.last_event_seq > cursor, or_(LogReader.name.is_(None), free))
    )
    async with database.read() as session:
        return {row.id: row.cursor for row in await session.execute(query)}


async def events_behind(database: Database, name: str, *, on_request: bool = False) -> int:
    """How many events a reader has not taken, of all clinics together."""
    place = and_(LogReader.clinic_id == Clinic.id, LogReader.name == name)
    behind = Clinic.last_event_seq - func.coalesce(LogReader.cursor, 0)
    query = select(func.sum(behind)).select_from(Clinic)
    query = query.join(LogReader, place, isouter=not on_request)
    async with database.read() as session:
        return int(await session.scalar(query) or 0)


async def advance(
    scope: ClinicScope,
    name: str,
    holder: str,
    after: int,
    events: list[CommittedEvent],
    take: Callable[[Session, list[CommittedEvent]], None],
    *,
    keep: timedelta | None = None,
) -> None:
    """Call `take` with the events that follow on the cursor `after`, and move it past them.

    Both in one transaction, so its writes happen exactly once for each event, even if the process
    dies. Events between the cursor and the first one were deleted before the reader was new. With
    `keep` this process holds the lease for as long, otherwise the lease is released.

    Raises:
        LeaseLost: the cursor has moved, or another process holds the lease; nothing was done.
    """

    def apply(session: Session) -> None:
        place = _place(session, name)
        moment = now()
        taken = place.holder not in ("", holder) and place.leased_until > moment
        if taken or place.cursor != after:
            raise LeaseLost
        take(session, events)
        place.cursor = events[-1].seq
        place.holder, place.leased_until = ("", moment) if keep is None else (holder, moment + keep)

    await scope.transact(apply)


def _place(session: Session, name: str) -> LogReader:
    clinic_id = locked_clinic(session).id
    place = session.get(LogReader, (clinic_id, name))
    if place is None:
        place = LogReader(clinic_id=clinic_id, name=name, cursor=0, holder="", leased_until=now())
        session.add(place)
    return place
