"""A clinic's members: their roles, and whether they may sign in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.second_factors.factors import has_factor
from clinic_chat.domain.accounts.session_records import SignInSession
from clinic_chat.domain.accounts.users import Membership, User
from clinic_chat.domain.administration.audit_trail import Action, record_action
from clinic_chat.domain.clinics.actors import Role
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import Conflict, InvalidInput, NotFound
from clinic_chat.domain.events.log import SubjectKind
from clinic_chat.folding import fold
from clinic_chat.storage.base import now


class LastAdministrator(Conflict):
    """A clinic keeps an administrator who can sign in."""

    code = "last_administrator"


@dataclass(frozen=True)
class Member:
    """A person of the clinic, as an administrator sees them; times are ISO 8601 in UTC or ""."""

    id: str
    name: str
    email: str
    role: str
    is_active: bool
    has_factor: bool
    """Whether a second factor is asked of them."""
    sessions: int
    """How many browsers are signed in to this clinic; some may be idle for too long."""
    seen_at: str
    """When they last did something in one of them."""


async def list_members(scope: ClinicScope) -> list[Member]:
    """Everybody of the clinic: the active ones first, by name as a reader would sort it."""
    require(scope, Permission.MANAGE_STAFF)
    async with scope.read() as session:
        rows = await session.execute(
            select(
                User.id,
                User.name,
                User.email,
                Membership.role,
                Membership.deactivated_at,
                User.deactivated_at,
                has_factor(User.id),
                func.count(SignInSession.id),
                func.max(SignInSession.seen_at),
            )
            .join(Membership, Membership.user_id == User.id)
            .outerjoin(
                SignInSession,
                (SignInSession.user_id == User.id)
                & (SignInSession.clinic_id == Membership.clinic_id),
            )
            .where(Membership.clinic_id == scope.clinic_id)
            .group_by(
                User.id,
                User.name,
                User.email,
                Membership.role,
                Membership.deactivated_at,
                User.deactivated_at,
            )
        )
        members = [
            Member(str(key), name, email, role, not (left or barred), factor, sessions, _iso(seen))
            for key, name, email, role, left, barred, factor, sessions, seen in rows
        ]
    return sorted(members, key=lambda one: (not one.is_active, fold(one.name), one.name, one.id))


async def change_role(scope: ClinicScope, user_id: object, role: object) -> None:
    """Give a member another role, which is in force with their next act.

    Raises:
        NotFound: there is no such member.
        InvalidInput: `role_invalid`.
        LastAdministrator: nobody would be left who can administer the clinic.
    """
    require(scope, Permission.MANAGE_STAFF)
    wanted = parse_role(role)
    async with scope.write() as session:
        user, membership = await member_of(session, scope, user_id)
        before = membership.role
        if before == wanted:
            return
        membership.role = wanted
        await _require_administrator(session, scope)
        await record_action(
            session,
            scope,
            Action.ROLE_CHANGED,
            (SubjectKind.STAFF, user.id, user.name),
            before=str(before),
            after=str(wanted),
        )


async def deactivate_member(scope: ClinicScope, user_id: object) -> int:
    """Keep a member out of this clinic; their sessions in it end, what they wrote stays.

    Returns how many sessions ended. Their place in other clinics is none of this one's business.

    Raises:
        NotFound: there is no such member.
        LastAdministrator: nobody would be left who can administer the clinic.
    """
    require(scope, Permission.MANAGE_STAFF)
    async with scope.write() as session:
        user, membership = await member_of(session, scope, user_id)
        if membership.deactivated_at is None:
            membership.deactivated_at = now()
            await _require_administrator(session, scope)
            await record_action(
                session,
                scope,
                Action.MEMBER_DEACTIVATED,
                (SubjectKind.STAFF, user.id, user.name),
            )
        return await _end_sessions(session, scope, user.id)


async def activate_member(scope: ClinicScope, user_id: object) -> None:
    """Let a member who was deactivated in this clinic sign in to it again.

    Raises:
        NotFound: there is no such member.
    """
    require(scope, Permission.MANAGE_STAFF)
    async with scope.write() as session:
        user, membership = await member_of(session, scope, user_id)
        if membership.deactivated_at is None:
            return
        membership.deactivated_at = None
        await record_action(
            session, scope, Action.MEMBER_ACTIVATED, (SubjectKind.STAFF, user.id, user.name)
        )


async def end_sessions_of(scope: ClinicScope, user_id: object) -> int:
    """Sign a member out of this clinic in every browser. Returns how many sessions ended.

    Raises:
        NotFound: there is no such member.
    """
    require(scope, Permission.MANAGE_STAFF)
    async with scope.write() as session:
        user, _ = await member_of(session, scope, user_id)
        ended = await _end_sessions(session, scope, user.id)
        await record_action(
            session,
            scope,
            Action.SESSIONS_ENDED,
            (SubjectKind.STAFF, user.id, user.name),
            sessions=ended,
        )
        return ended


def parse_role(value: object) -> Role:
    """A role from outside.

    Raises:
        InvalidInput: `role_invalid`.
    """
    if not isinstance(value, str) or value not in set(Role):
        raise InvalidInput(f"a role is one of {', '.join(Role)}", code="role_invalid")
    return Role(value)


async def member_of(
    session: AsyncSession, scope: ClinicScope, user_id: object
) -> tuple[User, Membership]:
    """A person and their place in the clinic.

    Raises:
        NotFound: there is no such member.
    """
    try:
        key = user_id if isinstance(user_id, UUID) else UUID(str(user_id))
    except ValueError:
        raise NotFound("no such member") from None
    membership = await session.get(Membership, (key, scope.clinic_id))
    if membership is None:
        raise NotFound("no such member")
    return await session.get_one(User, key), membership


async def _require_administrator(session: AsyncSession, scope: ClinicScope) -> None:
    """Raises LastAdministrator unless an active one is left; the clinic's row is locked."""
    await session.flush()
    left = await session.scalar(
        select(func.count())
        .select_from(Membership)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.clinic_id == scope.clinic_id,
            Membership.role == Role.ADMIN,
            Membership.deactivated_at.is_(None),
            User.deactivated_at.is_(None),
        )
    )
    if not left:
        raise LastAdministrator("the clinic keeps an administrator")


async def _end_sessions(session: AsyncSession, scope: ClinicScope, user_id: UUID) -> int:
    ended: CursorResult[Any] = await session.execute(  # type: ignore[assignment]
        delete(SignInSession).where(
            SignInSession.user_id == user_id, SignInSession.clinic_id == scope.clinic_id
        )
    )
    return ended.rowcount


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
