"""Clinics: the tenants of the product."""

import re
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import JSON, BigInteger, String, false, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from clinic_chat.domain.errors import Conflict, InvalidInput, NotFound
from clinic_chat.domain.validation import valid_name
from clinic_chat.storage.base import Base, new_id, now
from clinic_chat.storage.database import Database

DEFAULT_TIMEZONE = "America/Sao_Paulo"
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


class Clinic(Base):
    """A clinic; `last_event_seq` is the number of its newest event."""

    __tablename__ = "clinics"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    timezone: Mapped[str] = mapped_column(String(64), default=DEFAULT_TIMEZONE)
    locale: Mapped[str] = mapped_column(String(10), default="", server_default=text("''"))
    """The language for people who chose none; "" is their browser's."""
    session_idle_minutes: Mapped[int] = mapped_column(default=0, server_default="0")
    """After so long without doing anything a session ends; 0 is the server's own setting."""
    second_factor_required: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether its members may do nothing but set up a second factor before they have one."""
    business_hours: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True), default=None
    )
    """When it is open (`business_hours.valid_hours`), None while it has said nothing."""
    retention_months: Mapped[int] = mapped_column(default=0, server_default="0")
    """So long after its last message a resolved conversation is kept; 0 is for ever."""
    retention_from: Mapped[datetime | None] = mapped_column(default=None)
    """Before this time nothing is deleted: whoever set the term may think better of it."""
    is_demo: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it is the demo's, whose passwords everybody may know."""
    last_event_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def zone(self) -> ZoneInfo:
        """The clinic's time zone, in which its times are shown."""
        return ZoneInfo(self.timezone)


async def create_clinic(
    database: Database,
    slug: str,
    name: str,
    timezone: str = DEFAULT_TIMEZONE,
    *,
    is_demo: bool = False,
) -> Clinic:
    """A new, empty clinic.

    Raises:
        InvalidInput: `slug_invalid`, `timezone_invalid` or a rule of `valid_name`.
        Conflict: `clinic_exists`: the slug is taken.
    """
    if not _SLUG.fullmatch(slug):
        raise InvalidInput("a slug has 1 to 40 of a-z, 0-9 and -", code="slug_invalid")
    check_timezone(timezone)
    clinic = Clinic(slug=slug, name=valid_name(name), timezone=timezone, is_demo=is_demo)
    try:
        async with database.write() as session:
            session.add(clinic)
    except IntegrityError:
        raise Conflict(f"there is a clinic {slug} already", code="clinic_exists") from None
    return clinic


def check_timezone(name: str) -> None:
    """Refuse what is no IANA time zone.

    Raises:
        InvalidInput: `timezone_invalid`.
    """
    if name not in available_timezones():
        raise InvalidInput(f"no such time zone: {name[:64]}", code="timezone_invalid")


async def find_clinic(database: Database, slug: str) -> Clinic:
    """The clinic with this slug.

    Raises:
        NotFound: there is none.
    """
    clinic = None
    if _SLUG.fullmatch(slug):
        async with database.read() as session:
            clinic = await session.scalar(select(Clinic).where(Clinic.slug == slug))
    if clinic is None:
        raise NotFound(f"no clinic {slug}")
    return clinic


async def clinic_names(database: Database) -> dict[str, str]:
    """The names of all clinics, by slug."""
    async with database.read() as session:
        rows = await session.execute(select(Clinic.slug, Clinic.name))
        return {row.slug: row.name for row in rows}


async def clinic_ids(database: Database) -> list[UUID]:
    """The ids of all clinics."""
    async with database.read() as session:
        return list(await session.scalars(select(Clinic.id)))
