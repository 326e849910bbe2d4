"""Users: the people who work in clinics, and their memberships."""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, String, bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from clinic_chat.domain.accounts.passwords import check_new_password, hash_password
from clinic_chat.domain.clinics.actors import Role
from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.domain.errors import Conflict, InvalidInput
from clinic_chat.domain.validation import valid_name
from clinic_chat.folding import fold
from clinic_chat.storage.base import Base, new_id, now
from clinic_chat.storage.database import Database
from clinic_chat.storage.statements import ON_EVENT_LOOP

LOCALES = ("pt-BR", "en")
_EMAIL = re.compile(r"^[^@\s]{1,64}@[^@\s]{1,185}$")


class User(Base):
    """A person who can sign in."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str] = mapped_column(String(200))
    locale: Mapped[str | None] = mapped_column(String(10), default=None)
    sound: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    deactivated_at: Mapped[datetime | None] = mapped_column(default=None)
    """The time since which this person may not sign in to any clinic; None for active users."""


class Membership(Base):
    """A person's membership in a clinic; not clinic-owned, because sign-in reads across clinics."""

    __tablename__ = "memberships"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    clinic_id: Mapped[UUID] = mapped_column(
        ForeignKey("clinics.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    role: Mapped[Role] = mapped_column(String(20))
    personal_version: Mapped[int] = mapped_column(BigInteger, default=0)
    """Counts the changes of this person's own data in this clinic (read markers)."""
    read_counts: Mapped[dict[str, int] | None] = mapped_column(JSON(none_as_null=True))
    """How many conversations this person has read to the end (domain/conversations/counts.py)."""
    deactivated_at: Mapped[datetime | None] = mapped_column(default=None)
    """Since when this person may not sign in to this clinic; None for those who may."""


@dataclass(frozen=True)
class StaffMember:
    """A colleague, as others in the clinic see them."""

    id: str
    name: str
    role: str


def normal_email(value: str) -> str:
    """The form in which an email address is stored and compared."""
    return value.strip().lower()


def checked_email(value: str) -> str:
    """The normal form of an email address.

    Raises:
        InvalidInput: `email_invalid`: it is not an email address.
    """
    address = normal_email(value)
    if not _EMAIL.match(address):
        raise InvalidInput("not an email address", code="email_invalid")
    return address


async def is_known(database: Database, address: str) -> bool:
    """Whether somebody has this email address, in its normal form."""
    async with database.read() as session:
        return await session.scalar(select(User.id).where(User.email == address)) is not None


async def create_user(
    database: Database,
    clinic_id: UUID,
    email: str,
    name: str,
    password: str,
    role: Role = Role.RECEPTIONIST,
    locale: str | None = None,
    *,
    published: bool = False,
) -> User:
    """Add a person to a clinic. A user with a known email address keeps their password.

    `published` is for the demo alone, whose password is public and therefore not checked.

    Raises:
        InvalidInput: `email_invalid`, `locale_invalid`, a rule of `check_new_password` or of
            `valid_name`.
        Conflict: `member_exists`: the person is in the clinic already.
    """
    address = checked_email(email)
    if locale is not None and locale not in LOCALES:
        raise InvalidInput(f"locale must be one of {', '.join(LOCALES)}", code="locale_invalid")
    display_name = valid_name(name)
    async with database.read() as session:
        user = await session.scalar(select(User).where(User.email == address))
        clinic = await session.scalar(select(Clinic.name).where(Clinic.id == clinic_id))
    new = None
    if user is None:
        if not published:
            check_new_password(password, (address, display_name, clinic or ""))
        new = user = User(
            email=address,
            name=display_name,
            # Before the transaction: it takes long enough to keep other writers waiting.
            password_hash=await hash_password(password),
            locale=locale,
        )
    try:
        async with database.write() as session:
            if new is not None:
                session.add(new)
                await session.flush()
            session.add(Membership(user_id=user.id, clinic_id=clinic_id, role=role))
    except IntegrityError:
        raise Conflict("this person is in the clinic already", code="member_exists") from None
    return user


async def colleagues(session: AsyncSession, clinic_id: UUID) -> list[StaffMember]:
    """Everyone who works in the clinic now, sorted by name without regard to accents and case."""
    rows = await session.execute(
        select(User.id, User.name, Membership.role)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.clinic_id == clinic_id,
            Membership.deactivated_at.is_(None),
            User.deactivated_at.is_(None),
        )
    )
    members = [StaffMember(str(row.id), row.name, row.role) for row in rows]
    return sorted(members, key=lambda member: (fold(member.name), member.name, member.id))


async def clinics_of(database: Database, user_id: UUID) -> list[Clinic]:
    """The clinics this person works in, by name."""
    async with database.read() as session:
        return list(await session.scalars(_CLINICS, {"person": user_id}))


_CLINICS = (
    select(Clinic)
    .join(Membership, Membership.clinic_id == Clinic.id)
    .where(Membership.user_id == bindparam("person"), Membership.deactivated_at.is_(None))
    .order_by(Clinic.name)
    .execution_options(**ON_EVENT_LOOP)
)
