"""Links to join a clinic and to set a new password, as administrators make them."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.users import Membership, User, checked_email
from clinic_chat.domain.administration.audit_trail import Action, record_action
from clinic_chat.domain.administration.links import Invitation, LinkKind, new_link, still_open
from clinic_chat.domain.administration.members import member_of, parse_role
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import Conflict, NotFound
from clinic_chat.domain.events.log import SubjectKind
from clinic_chat.storage.base import now

JOIN_LIFETIME = timedelta(days=7)
RESET_LIFETIME = timedelta(hours=24)
# Of a clinic at a time: links are handed over by a person, one by one.
MAX_OPEN = 200


@dataclass(frozen=True)
class OpenInvitation:
    """A link that still works, as an administrator sees it; its text is nowhere."""

    id: str
    email: str
    role: str
    expires_at: str


async def invite(scope: ClinicScope, email: object, role: object) -> str:
    """The text of a link by which a person joins the clinic; an earlier one for them is over.

    Raises:
        InvalidInput: `email_invalid` or `role_invalid`.
        Conflict: `member_exists`, `too_many_invitations`.
    """
    require(scope, Permission.MANAGE_STAFF)
    address = checked_email(email if isinstance(email, str) else "")
    wanted = parse_role(role)
    async with scope.write() as session:
        known = await session.scalar(
            select(Membership.user_id)
            .join(User, User.id == Membership.user_id)
            .where(User.email == address, Membership.clinic_id == scope.clinic_id)
        )
        if known is not None:
            raise Conflict("this person is in the clinic already", code="member_exists")
        await _revoke_open(session, scope, LinkKind.JOIN, Invitation.email == address)
        await _require_room(session, scope)
        invitation, text = new_link(scope, LinkKind.JOIN, address, JOIN_LIFETIME)
        invitation.role = wanted
        session.add(invitation)
        await record_action(
            session,
            scope,
            Action.INVITATION_CREATED,
            (SubjectKind.INVITATION, invitation.id, address),
            role=str(wanted),
        )
    return text


async def reset_password_link(scope: ClinicScope, user_id: object) -> str:
    """The text of a link by which a member sets a new password; an earlier one is over.

    Raises:
        NotFound: there is no such member.
        Conflict: `works_elsewhere`: another clinic's data is behind the same password, which only
            the server's command line may set.
    """
    require(scope, Permission.MANAGE_STAFF)
    async with scope.write() as session:
        user, _ = await member_of(session, scope, user_id)
        elsewhere = await session.scalar(
            select(func.count())
            .select_from(Membership)
            .where(Membership.user_id == user.id, Membership.clinic_id != scope.clinic_id)
        )
        if elsewhere:
            raise Conflict("this person works in another clinic too", code="works_elsewhere")
        await _revoke_open(session, scope, LinkKind.PASSWORD, Invitation.user_id == user.id)
        invitation, text = new_link(scope, LinkKind.PASSWORD, user.email, RESET_LIFETIME)
        invitation.user_id = user.id
        session.add(invitation)
        await record_action(
            session, scope, Action.RESET_CREATED, (SubjectKind.STAFF, user.id, user.name)
        )
    return text


async def list_invitations(scope: ClinicScope) -> list[OpenInvitation]:
    """The clinic's links to join that still work, the newest first."""
    require(scope, Permission.MANAGE_STAFF)
    async with scope.read() as session:
        rows = await session.scalars(
            select(Invitation)
            .where(
                Invitation.clinic_id == scope.clinic_id,
                Invitation.kind == LinkKind.JOIN,
                *still_open(),
            )
            .order_by(Invitation.created_at.desc(), Invitation.id.desc())
        )
        return [
            OpenInvitation(str(row.id), row.email, str(row.role), row.expires_at.isoformat())
            for row in rows
        ]


async def revoke_invitation(scope: ClinicScope, invitation_id: object) -> None:
    """Make a link worth nothing.

    Raises:
        NotFound: the clinic has no such link that still works.
    """
    require(scope, Permission.MANAGE_STAFF)
    try:
        key = UUID(str(invitation_id))
    except ValueError:
        raise NotFound("no such invitation") from None
    async with scope.write() as session:
        row = await session.scalar(
            select(Invitation).where(
                Invitation.id == key, Invitation.clinic_id == scope.clinic_id, *still_open()
            )
        )
        if row is None:
            raise NotFound("no such invitation")
        row.revoked_at = now()
        await record_action(
            session,
            scope,
            Action.INVITATION_REVOKED,
            (SubjectKind.INVITATION, row.id, row.email),
        )


async def _revoke_open(
    session: AsyncSession, scope: ClinicScope, kind: LinkKind, whose: ColumnElement[bool]
) -> None:
    await session.execute(
        update(Invitation)
        .where(
            Invitation.clinic_id == scope.clinic_id, Invitation.kind == kind, whose, *still_open()
        )
        .values(revoked_at=now())
    )


async def _require_room(session: AsyncSession, scope: ClinicScope) -> None:
    number = await session.scalar(
        select(func.count())
        .select_from(Invitation)
        .where(Invitation.clinic_id == scope.clinic_id, *still_open())
    )
    if (number or 0) >= MAX_OPEN:
        raise Conflict(
            f"a clinic has at most {MAX_OPEN} open invitations", code="too_many_invitations"
        )
