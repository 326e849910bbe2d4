"""The audit trail: who administered what in a clinic, when and from where."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.users import User
from clinic_chat.domain.clinics.actors import StaffActor, SystemActor, TokenActor
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.events.log import Event, EventType, Subject, SubjectKind, record
from clinic_chat.logs import audit
from clinic_chat.storage.base import Base, ClinicOwned, new_id, now

PAGE_SIZE = 50


class Action(StrEnum):
    """An administrative act."""

    MEMBER_ADDED = "member.added"
    MEMBER_DEACTIVATED = "member.deactivated"
    MEMBER_ACTIVATED = "member.activated"
    ROLE_CHANGED = "member.role_changed"
    SESSIONS_ENDED = "member.sessions_ended"
    INVITATION_CREATED = "invitation.created"
    INVITATION_REVOKED = "invitation.revoked"
    RESET_CREATED = "password.reset_created"
    PASSWORD_CHANGED = "password.changed"  # noqa: S105 - the name of an act
    FACTOR_ADDED = "factor.added"
    FACTOR_REMOVED = "factor.removed"
    PASSKEY_ADDED = "passkey.added"
    PASSKEY_RENAMED = "passkey.renamed"
    PASSKEY_REMOVED = "passkey.removed"
    PROFILE_CHANGED = "profile.changed"
    TOKEN_CREATED = "token.created"  # noqa: S105
    TOKEN_REVOKED = "token.revoked"  # noqa: S105
    CLINIC_CHANGED = "clinic.changed"
    CONVERSATIONS_DELETED = "conversations.deleted"
    PROVIDER_SET = "provider.set"
    PROVIDER_REMOVED = "provider.removed"
    ACCOUNT_LINKED = "provider.account_linked"
    ACCOUNT_UNLINKED = "provider.account_unlinked"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_SECRET_ROTATED = "webhook.secret_rotated"  # noqa: S105
    WEBHOOK_TESTED = "webhook.tested"
    WEBHOOK_REPLAYED = "webhook.replayed"
    WEBHOOK_DELETED = "webhook.deleted"
    WEBHOOK_DISABLED = "webhook.disabled"
    """By the server: it is gone, fails for days, or too much waits for it."""


class AuditEntry(ClinicOwned, Base):
    """One administrative act. Names are as they were then; nothing here is ever changed."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index(None, "clinic_id", "at", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(default=now)
    action: Mapped[Action] = mapped_column(String(40))
    actor_kind: Mapped[str] = mapped_column(String(10))
    """`staff`, `token`, `person` (by a link that was sent to them) or `system`."""
    actor_id: Mapped[UUID | None] = mapped_column()
    actor_name: Mapped[str] = mapped_column(String(120))
    subject_kind: Mapped[SubjectKind] = mapped_column(String(20))
    subject_id: Mapped[UUID] = mapped_column()
    subject_name: Mapped[str] = mapped_column(String(254))
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    address: Mapped[str] = mapped_column(String(45))
    """The network address that the act came from, "" for this server's own command line."""


@dataclass(frozen=True)
class AuditedAct:
    """An entry as a screen shows it; `at` is ISO 8601 in UTC."""

    id: str
    at: str
    action: str
    actor_kind: str
    actor_name: str
    subject_kind: str
    subject_name: str
    details: dict[str, Any]
    address: str


@dataclass(frozen=True)
class AuditPage:
    """Entries, newest first; `cursor` continues after them, "" at the end."""

    entries: list[AuditedAct]
    cursor: str


async def record_action(
    session: AsyncSession,
    scope: ClinicScope,
    action: Action,
    subject: tuple[SubjectKind, UUID, str],
    *,
    actor_name: str | None = None,
    **details: Any,
) -> None:
    """Write an act into the trail and the event log, in the caller's transaction.

    `subject` is its kind, id and name. `actor_name` is for a person who has no session yet.
    `details` never hold a secret.
    """
    kind, subject_id, subject_name = subject
    actor_kind, actor_id = _actor(scope, actor_name)
    if actor_name is None:
        user = await session.get(User, actor_id) if actor_kind == "staff" else None
        program = scope.actor.name if isinstance(scope.actor, TokenActor) else ""
        actor_name = user.name if user else program
    entry = AuditEntry(
        clinic_id=scope.clinic_id,
        action=action,
        actor_kind=actor_kind,
        actor_id=actor_id,
        actor_name=actor_name,
        subject_kind=kind,
        subject_id=subject_id,
        subject_name=subject_name,
        details=details,
        address=scope.address[:45],
    )
    session.add(entry)
    version = await session.scalar(
        select(func.max(Event.subject_version)).where(Event.subject_id == subject_id)
    )
    record(
        session,
        Subject(kind, subject_id, (version or 0) + 1),
        EventType.ADMINISTERED,
        {"action": action},
    )
    audit(action, clinic=scope.clinic_id, actor=actor_id, subject=subject_id)


async def read_audit_trail(scope: ClinicScope, cursor: str = "") -> AuditPage:
    """A page of the trail, newest first.

    Raises:
        InvalidInput: `cursor_invalid`.
    """
    require(scope, Permission.READ_AUDIT_TRAIL)
    query = select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
    if cursor:
        at, entry_id = _place(cursor)
        query = query.where(tuple_(AuditEntry.at, AuditEntry.id) < tuple_(at, entry_id))
    async with scope.read() as session:
        rows = list(await session.scalars(query.limit(PAGE_SIZE + 1)))
    entries = [
        AuditedAct(
            str(row.id),
            row.at.isoformat(),
            row.action,
            row.actor_kind,
            row.actor_name,
            row.subject_kind,
            row.subject_name,
            row.details,
            row.address,
        )
        for row in rows[:PAGE_SIZE]
    ]
    more = len(rows) > PAGE_SIZE
    return AuditPage(entries, f"{entries[-1].at} {entries[-1].id}" if more else "")


def _actor(scope: ClinicScope, actor_name: str | None) -> tuple[str, UUID | None]:
    match scope.actor:
        case StaffActor(user_id=user_id):
            return "staff", user_id
        case TokenActor(token_id=token_id):
            return "token", token_id
        case SystemActor():
            return ("system" if actor_name is None else "person"), None
    return "person", None


def _place(cursor: str) -> tuple[datetime, UUID]:
    at, _, entry_id = cursor.partition(" ")
    try:
        return datetime.fromisoformat(at), UUID(entry_id)
    except ValueError:
        raise InvalidInput("this is no cursor", code="cursor_invalid") from None
