"""Links that an administrator hands to a person: the table, and how one is made and found."""

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from clinic_chat.domain.clinics.actors import Role
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import Conflict
from clinic_chat.storage.base import Base, new_id, now

TOKEN_BYTES = 32
MAX_TEXT = 100


class LinkKind(StrEnum):
    """What a link lets a person do."""

    JOIN = "join"
    PASSWORD = "password"  # noqa: S105 - a kind of link


class Invitation(Base):
    """A link. Only a hash of its random text is stored, so that reading a backup opens nothing.

    Not clinic-owned, because whoever follows a link has no clinic yet.
    """

    __tablename__ = "invitations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[UUID] = mapped_column(
        ForeignKey("clinics.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[LinkKind] = mapped_column(String(10))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[Role | None] = mapped_column(String(20), default=None)
    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), default=None, index=True
    )
    created_by: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), default=None
    )
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column()
    used_at: Mapped[datetime | None] = mapped_column(default=None)
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)


class LinkOver(Conflict):
    """The link was used, taken back or is too old."""

    code = "link_over"


async def find_link(session: AsyncSession, text: object) -> Invitation:
    """The link with this text.

    Raises:
        LinkOver: it never was one, was used, taken back or is too old.
    """
    found = None
    if isinstance(text, str) and 0 < len(text) <= MAX_TEXT:
        found = await session.scalar(
            select(Invitation).where(Invitation.token_hash == _hash(text), *still_open())
        )
    if found is None:
        raise LinkOver("this link does not count any more")
    return found


def still_open() -> tuple[ColumnElement[bool], ...]:
    """The conditions of a link that still works."""
    return (
        Invitation.used_at.is_(None),
        Invitation.revoked_at.is_(None),
        Invitation.expires_at > now(),
    )


def new_link(
    scope: ClinicScope, kind: LinkKind, email: str, lifetime: timedelta
) -> tuple[Invitation, str]:
    """A new link and its text, of which the link has only a hash."""
    text = secrets.token_urlsafe(TOKEN_BYTES)
    invitation = Invitation(
        id=new_id(),
        clinic_id=scope.clinic_id,
        kind=kind,
        token_hash=_hash(text),
        email=email,
        created_by=scope.user_id,
        expires_at=now() + lifetime,
    )
    return invitation, text


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
