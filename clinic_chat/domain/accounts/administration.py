"""Account administration: passwords, second factors, sessions, and deactivation of users.

A session that ends here ends in the database at once. The server with its open tabs closes them
at its next check (realtime/connections.py), also when the command line ended it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.accounts.passwords import check_new_password, hash_password
from clinic_chat.domain.accounts.second_factors.factors import factors_of, forget_factors
from clinic_chat.domain.accounts.session_records import SignInSession
from clinic_chat.domain.accounts.users import Membership, User, clinics_of, normal_email
from clinic_chat.domain.clinics.actors import Role
from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.domain.errors import NotFound
from clinic_chat.domain.validation import storable
from clinic_chat.logs import audit
from clinic_chat.storage.base import now
from clinic_chat.storage.database import Database


@dataclass(frozen=True)
class Account:
    """A person's membership in a clinic, for the list of accounts."""

    email: str
    name: str
    clinic: str
    role: str
    sessions: int
    """The number of browsers signed in to this clinic; some may be idle for too long."""
    deactivated_at: datetime | None


async def find_user(database: Database, email: str) -> User:
    """The person with this email address.

    Raises:
        NotFound: there is none.
    """
    address = normal_email(email)
    user = None
    if storable(address):
        async with database.read() as session:
            user = await session.scalar(select(User).where(User.email == address))
    if user is None:
        raise NotFound(f"no user {address}")
    return user


async def list_accounts(database: Database, clinic_id: UUID | None = None) -> list[Account]:
    """The accounts of every clinic, or of one, by clinic and address."""
    sessions = (
        select(func.count())
        .select_from(SignInSession)
        .where(
            SignInSession.user_id == Membership.user_id,
            SignInSession.clinic_id == Membership.clinic_id,
        )
        .scalar_subquery()
    )
    query = (
        select(User.email, User.name, Clinic.slug, Membership.role, sessions, User.deactivated_at)
        .join(Membership, Membership.user_id == User.id)
        .join(Clinic, Clinic.id == Membership.clinic_id)
        .order_by(Clinic.slug, User.email)
    )
    if clinic_id is not None:
        query = query.where(Clinic.id == clinic_id)
    async with database.read() as session:
        return [Account(*row) for row in await session.execute(query)]


async def set_password(database: Database, email: str, password: str) -> int:
    """Set a person's password and end all their sessions. Returns how many ended.

    Raises:
        NotFound: there is no such person.
        InvalidInput: a rule of `check_new_password`.
    """
    user = await find_user(database, email)
    clinics = await clinics_of(database, user.id)
    check_new_password(password, (user.email, user.name, *(clinic.name for clinic in clinics)))
    # Before the transaction: it takes long enough to keep other writers waiting.
    password_hash = await hash_password(password)
    async with database.write() as session:
        await session.execute(
            update(User).where(User.id == user.id).values(password_hash=password_hash)
        )
        ended = await _end_sessions(session, user.id)
    audit("password.set", user=user.id, sessions=ended)
    return ended


async def end_sessions(database: Database, email: str) -> int:
    """Sign a person out everywhere. Returns how many sessions ended.

    Raises:
        NotFound: there is no such person.
    """
    user = await find_user(database, email)
    async with database.write() as session:
        ended = await _end_sessions(session, user.id)
    audit("sessions.ended", user=user.id, sessions=ended)
    return ended


async def deactivate_user(database: Database, email: str) -> list[str]:
    """Forbid a person to sign in and end their sessions; their messages stay.

    Returns the slugs of their clinics that have no active admin now.

    Raises:
        NotFound: there is no such person.
    """
    user = await find_user(database, email)
    async with database.write() as session:
        await session.execute(
            update(User)
            .where(User.id == user.id, User.deactivated_at.is_(None))
            .values(deactivated_at=now())
        )
        ended = await _end_sessions(session, user.id)
        without = list(await session.scalars(_without_admin(user.id)))
    audit("user.deactivated", user=user.id, sessions=ended)
    return without


async def activate_user(database: Database, email: str) -> None:
    """Let a deactivated person sign in again, with the same password.

    Raises:
        NotFound: there is no such person.
    """
    user = await find_user(database, email)
    async with database.write() as session:
        await session.execute(update(User).where(User.id == user.id).values(deactivated_at=None))
    audit("user.activated", user=user.id)


async def remove_second_factor(database: Database, email: str) -> int:
    """Forget a person's app, passkeys and recovery codes, and end their sessions.

    Returns how many sessions ended.

    Raises:
        NotFound: there is no such person, or they have no second factor.
    """
    user = await find_user(database, email)
    async with database.write() as session:
        if not await factors_of(session, user.id):
            raise NotFound(f"{user.email} has no second factor")
        await forget_factors(session, user.id)
        ended = await _end_sessions(session, user.id)
    audit("second_factor.removed", user=user.id, sessions=ended)
    return ended


async def _end_sessions(session: AsyncSession, user_id: UUID) -> int:
    ended: CursorResult[Any] = await session.execute(  # type: ignore[assignment]
        delete(SignInSession).where(SignInSession.user_id == user_id)
    )
    return ended.rowcount


def _without_admin(user_id: UUID) -> Any:
    """The slugs of this person's clinics in which no active person is an admin."""
    admins = (
        select(Membership.clinic_id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.role == Role.ADMIN, User.deactivated_at.is_(None))
    )
    return (
        select(Clinic.slug)
        .join(Membership, Membership.clinic_id == Clinic.id)
        .where(Membership.user_id == user_id, Clinic.id.not_in(admins))
        .order_by(Clinic.slug)
    )
