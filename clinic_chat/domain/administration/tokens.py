"""API tokens, as administrators make them and take them back."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, or_, select

from clinic_chat.domain.accounts.api_tokens import (
    ApiToken,
    checked_permissions,
    expiry,
    new_token,
)
from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.users import User
from clinic_chat.domain.administration.audit_trail import Action, record_action
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import Conflict, NotFound
from clinic_chat.domain.events.log import SubjectKind
from clinic_chat.domain.validation import valid_name
from clinic_chat.storage.base import now

# Of a clinic at a time: one for each program.
MAX_TOKENS = 50


@dataclass(frozen=True)
class ClinicToken:
    """A token as an administrator sees it; times are ISO 8601 in UTC, or "" for never."""

    id: str
    name: str
    permissions: list[str]
    person: str
    """The name of whom its holder acts as, "" for the clinic's own programs."""
    created_at: str
    last_used_at: str
    """To within some minutes."""
    expires_at: str
    revoked_at: str


async def create_clinic_token(
    scope: ClinicScope,
    name: str,
    permissions: Collection[object],
    *,
    for_oneself: bool = False,
    days: int | None = None,
) -> str:
    """A new token for a program. This is the only time that its text exists.

    `for_oneself` is for a program that acts as the administrator, with no more than their role.
    After `days` the token is worth nothing, None for never.

    Raises:
        InvalidInput: a rule of `valid_name`, `permissions_invalid` or `days_invalid`.
        Conflict: `too_many_tokens`.
    """
    require(scope, Permission.MANAGE_TOKENS)
    wanted = checked_permissions(permissions)
    user_id = scope.staff_id() if for_oneself else None
    token, row = new_token(scope.clinic_id, valid_name(name), wanted, user_id, expiry(days))
    async with scope.write() as session:
        number = await session.scalar(
            select(func.count())
            .select_from(ApiToken)
            .where(
                ApiToken.clinic_id == scope.clinic_id,
                ApiToken.revoked_at.is_(None),
                or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now()),
            )
        )
        if (number or 0) >= MAX_TOKENS:
            raise Conflict(f"a clinic has at most {MAX_TOKENS} tokens", code="too_many_tokens")
        session.add(row)
        await record_action(
            session,
            scope,
            Action.TOKEN_CREATED,
            (SubjectKind.TOKEN, row.id, row.name),
            permissions=wanted,
            for_oneself=for_oneself,
        )
    return token


async def list_clinic_tokens(scope: ClinicScope) -> list[ClinicToken]:
    """The clinic's tokens, those that work first, the newest first."""
    require(scope, Permission.MANAGE_TOKENS)
    async with scope.read() as session:
        rows = await session.execute(
            select(ApiToken, User.name)
            .outerjoin(User, User.id == ApiToken.user_id)
            .where(ApiToken.clinic_id == scope.clinic_id)
            .order_by(ApiToken.created_at.desc(), ApiToken.id.desc())
        )
        tokens = [
            ClinicToken(
                str(row.id),
                row.name,
                row.permissions.split(),
                person or "",
                row.created_at.isoformat(),
                row.last_used_at.isoformat() if row.last_used_at else "",
                row.expires_at.isoformat() if row.expires_at else "",
                row.revoked_at.isoformat() if row.revoked_at else "",
            )
            for row, person in rows
        ]
    return sorted(tokens, key=lambda token: token.revoked_at != "")


async def revoke_clinic_token(scope: ClinicScope, token_id: object) -> None:
    """Make a token worth nothing; again is fine.

    Raises:
        NotFound: the clinic has no such token.
    """
    require(scope, Permission.MANAGE_TOKENS)
    try:
        key = UUID(str(token_id))
    except ValueError:
        raise NotFound("no such token") from None
    async with scope.write() as session:
        row = await session.scalar(
            select(ApiToken).where(ApiToken.id == key, ApiToken.clinic_id == scope.clinic_id)
        )
        if row is None:
            raise NotFound("no such token")
        if row.revoked_at is None:
            row.revoked_at = now()
            await record_action(
                session, scope, Action.TOKEN_REVOKED, (SubjectKind.TOKEN, row.id, row.name)
            )
