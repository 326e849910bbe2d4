"""API tokens, as administrators make them and take them back."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from clinic_chat.domain.accounts.api_tokens import ApiToken, new_token
from clinic_chat.domain.accounts.permissions import OF_OTHERS, Permission, require
from clinic_chat.domain.administration.audit_trail import Action, record_action
from clinic_chat.domain.clinics.actors import TokenActor
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import Conflict, InvalidInput, NotFound
from clinic_chat.domain.events.log import SubjectKind
from clinic_chat.domain.validation import valid_name
from clinic_chat.storage.base import now

# Of a clinic at a time: one for each program.
MAX_TOKENS = 50
GRANTABLE = tuple(sorted(OF_OTHERS[TokenActor]))
"""What a token can be allowed to do."""


@dataclass(frozen=True)
class ClinicToken:
    """A token as an administrator sees it; times are ISO 8601 in UTC, or "" for never."""

    id: str
    name: str
    permissions: list[str]
    created_at: str
    last_used_at: str
    """To within some minutes."""
    revoked_at: str


async def create_clinic_token(
    scope: ClinicScope, name: str, permissions: Collection[object]
) -> str:
    """A new token for a program. This is the only time that its text exists.

    Raises:
        InvalidInput: a rule of `valid_name`, or `permissions_invalid`.
        Conflict: `too_many_tokens`.
    """
    require(scope, Permission.MANAGE_TOKENS)
    wanted = sorted({str(one) for one in permissions})
    if not wanted or not set(wanted) <= {str(one) for one in GRANTABLE}:
        raise InvalidInput("say what the token may do", code="permissions_invalid")
    token, row = new_token(scope.clinic_id, valid_name(name), wanted)
    async with scope.write() as session:
        number = await session.scalar(
            select(func.count())
            .select_from(ApiToken)
            .where(ApiToken.clinic_id == scope.clinic_id, ApiToken.revoked_at.is_(None))
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
        )
    return token


async def list_clinic_tokens(scope: ClinicScope) -> list[ClinicToken]:
    """The clinic's tokens, those that work first, the newest first."""
    require(scope, Permission.MANAGE_TOKENS)
    async with scope.read() as session:
        rows = await session.scalars(
            select(ApiToken)
            .where(ApiToken.clinic_id == scope.clinic_id)
            .order_by(ApiToken.created_at.desc(), ApiToken.id.desc())
        )
        tokens = [
            ClinicToken(
                str(row.id),
                row.name,
                row.permissions.split(),
                row.created_at.isoformat(),
                row.last_used_at.isoformat() if row.last_used_at else "",
                row.revoked_at.isoformat() if row.revoked_at else "",
            )
            for row in rows
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
