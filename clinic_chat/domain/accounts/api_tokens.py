"""API tokens: credentials with which a channel or another program acts for a clinic."""

import hashlib
import secrets
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import ForeignKey, String, and_, bindparam, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from clinic_chat.cache.single_flight import SingleFlightCache
from clinic_chat.domain.accounts.permissions import OF_OTHERS, Permission
from clinic_chat.domain.accounts.second_factors.factors import has_factor
from clinic_chat.domain.accounts.users import Membership, User, normal_email
from clinic_chat.domain.clinics.actors import Role, StaffActor, TokenActor
from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.domain.errors import InvalidInput, NotFound
from clinic_chat.domain.validation import valid_name
from clinic_chat.logs import audit
from clinic_chat.storage.base import Base, new_id, now
from clinic_chat.storage.database import Database, StorageUnavailable
from clinic_chat.storage.statements import ON_EVENT_LOOP

PREFIX = "cc_"
READ_LIMIT = 500
MAX_DAYS = 3650
# Several requests of a busy channel share a lookup, which costs 0.2 ms.
SHARED_SECONDS = 0.1
USED_RESOLUTION = timedelta(minutes=5)
GRANTABLE = tuple(sorted(OF_OTHERS[TokenActor]))
"""What a token can be allowed to do."""
READS = {
    Permission.CHANGE_CONVERSATIONS.value: Permission.READ_CONVERSATIONS.value,
    Permission.CHANGE_PATIENTS.value: Permission.READ_PATIENTS.value,
}
# What every token could do before each had its own permissions.
CHANNEL_PERMISSIONS = "messages.deliver messages.report_delivery"


class ApiToken(Base):
    """A token of a clinic; its text has 256 random bits, so a plain SHA-256 protects it."""

    __tablename__ = "api_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[UUID] = mapped_column(
        ForeignKey("clinics.id", ondelete="CASCADE"), index=True
    )
    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True, default=None
    )
    """The member of staff that its holder acts as, None for a program of the clinic's."""
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(120), default="", server_default=text("''"))
    permissions: Mapped[str] = mapped_column(String(400), server_default=CHANNEL_PERMISSIONS)
    """What its holder may do: of `Permission`, separated by spaces as scopes are (RFC 6749 3.3)."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime | None] = mapped_column(default=None)
    """To within `USED_RESOLUTION`."""
    expires_at: Mapped[datetime | None] = mapped_column(default=None)
    """From then on it is worth nothing; None for never."""
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)


@dataclass(frozen=True)
class Person:
    """The member of staff that the holder of a token acts as."""

    id: UUID
    name: str
    role: Role
    is_restricted: bool


@dataclass(frozen=True)
class TokenHolder:
    """The clinic of a token, what it allows, and the actor that its holder is."""

    token_id: UUID
    clinic_id: UUID
    clinic_slug: str
    name: str
    permissions: frozenset[str]
    person: Person | None = None
    clinic_name: str = ""

    @property
    def actor(self) -> TokenActor | StaffActor:
        """The actor of use cases: a person with their role, or the clinic's program."""
        if self.person is None:
            return TokenActor(self.token_id, self.permissions, self.name)
        return StaffActor(
            self.person.id,
            self.person.role,
            self.person.is_restricted,
            token_permissions=self.permissions,
        )

    @property
    def author_id(self) -> UUID:
        """The id under which colleagues see who acts: a person's, or the token's."""
        return self.person.id if self.person else self.token_id

    @property
    def author_name(self) -> str:
        """The name under which colleagues see who acts."""
        return self.person.name if self.person else self.name


@dataclass(frozen=True)
class TokenEntry:
    """A token in the list of tokens, without its text, which is not stored."""

    id: str
    clinic: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    @property
    def state(self) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at and self.expires_at <= now() else "active"


async def create_token(
    database: Database,
    clinic_id: UUID,
    *,
    name: str = "",
    permissions: Collection[str] = GRANTABLE,
    email: str = "",
    days: int | None = None,
) -> str:
    """Create a token of the clinic, or of its member with an address. Returns its text.

    The text is not stored. After `days` it is worth nothing, None for never.

    Raises:
        InvalidInput: `permissions_invalid`, `days_invalid` or a rule of `valid_name`.
        NotFound: nobody with this address works in the clinic.
    """
    granted = checked_permissions(permissions)
    expires_at = expiry(days)
    display_name = valid_name(name) if name else ""
    async with database.write() as session:
        user_id = await _member_id(session, clinic_id, email) if email else None
        token, row = new_token(clinic_id, display_name, granted, user_id, expires_at)
        session.add(row)
    audit("token.created", token=row.id, clinic=clinic_id)
    return token


def checked_permissions(permissions: Collection[object]) -> list[str]:
    """The permissions that a token is to allow, sorted.

    Changing something answers with what it is then, so it comes with reading it.

    Raises:
        InvalidInput: `permissions_invalid`: there is none, or one that no token can have.
    """
    wanted = sorted({str(one) for one in permissions})
    if not wanted or not set(wanted) <= {str(one) for one in GRANTABLE}:
        raise InvalidInput("say what the token may do", code="permissions_invalid")
    return sorted({*wanted, *(READS[one] for one in wanted if one in READS)})


def expiry(days: int | None) -> datetime | None:
    """When a token that is made now and is valid for `days` ends, None for never.

    Raises:
        InvalidInput: `days_invalid`: not 1 to `MAX_DAYS`.
    """
    if days is None:
        return None
    if not 1 <= days <= MAX_DAYS:
        raise InvalidInput(f"days are 1 to {MAX_DAYS}", code="days_invalid")
    return now() + timedelta(days=days)


def new_token(
    clinic_id: UUID,
    name: str,
    permissions: list[str],
    user_id: UUID | None = None,
    expires_at: datetime | None = None,
) -> tuple[str, ApiToken]:
    """The text of a new token and its row, which has only a hash of it."""
    token = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(
        id=new_id(),
        clinic_id=clinic_id,
        user_id=user_id,
        token_hash=_hash(token),
        name=name,
        permissions=" ".join(permissions),
        expires_at=expires_at,
    )
    return token, row


async def list_tokens(database: Database, clinic_id: UUID | None = None) -> list[TokenEntry]:
    """The tokens of every clinic, or of one, by clinic and age."""
    query = (
        select(ApiToken, Clinic.slug)
        .join(Clinic, Clinic.id == ApiToken.clinic_id)
        .order_by(Clinic.slug, ApiToken.created_at, ApiToken.id)
    )
    if clinic_id is not None:
        query = query.where(Clinic.id == clinic_id)
    async with database.read() as session:
        return [
            TokenEntry(str(token.id), slug, token.created_at, token.expires_at, token.revoked_at)
            for token, slug in await session.execute(query)
        ]


async def revoke_token(database: Database, token: str) -> None:
    """Revoke a token, named by its id or its text; revoking it again is no error.

    Raises:
        NotFound: there is no such token.
    """
    if token.startswith(PREFIX):
        wanted = ApiToken.token_hash == _hash(token)
    else:
        try:
            wanted = ApiToken.id == UUID(token)
        except ValueError:
            raise NotFound("no such token") from None
    async with database.write() as session:
        found = await session.scalar(select(ApiToken).where(wanted))
        if found is None:
            raise NotFound("no such token")
        found.revoked_at = found.revoked_at or now()
    audit("token.revoked", token=found.id, clinic=found.clinic_id)


class Tokens:
    """Looks up the tokens of requests."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._holders: SingleFlightCache[TokenHolder] = SingleFlightCache(
            "api_tokens", SHARED_SECONDS
        )

    async def holder(self, token: str) -> TokenHolder | None:
        """The holder of this token, or None when it is unknown, revoked or a former member's."""
        if not token.startswith(PREFIX) or len(token) > 200:
            return None
        digest = _hash(token)
        # Unknown tokens are not cached: somebody who tries many must not fill the memory.
        with suppress(_Unknown):
            return await self._holders.get(digest, partial(self._read, digest))
        return None

    async def still_valid(self, token_ids: Collection[UUID]) -> dict[UUID, TokenHolder]:
        """The holders of those tokens that are still valid, by token id."""
        found: dict[UUID, TokenHolder] = {}
        ids = list(token_ids)
        async with self._database.read() as session:
            for start in range(0, len(ids), READ_LIMIT):
                some = {"ids": ids[start : start + READ_LIMIT], "now": now()}
                for _, *row in await session.execute(_BY_ID, some):
                    found[row[0]] = _holder(*row)
        return found

    async def _read(self, digest: str) -> TokenHolder:
        async with self._database.read() as session:
            found = (await session.execute(_BY_HASH, {"hash": digest, "now": now()})).one_or_none()
        if found is None:
            raise _Unknown
        last_used_at, *row = found
        holder = _holder(*row)
        if last_used_at is None or now() - last_used_at > USED_RESOLUTION:
            # Whose it is does not depend on writing that down.
            with suppress(StorageUnavailable):
                await self._touch(holder.token_id)
        return holder

    async def _touch(self, token_id: UUID) -> None:
        async with self._database.write() as session:
            await session.execute(
                update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=now())
            )


class _Unknown(Exception):
    pass


async def _member_id(session: AsyncSession, clinic_id: UUID, email: str) -> UUID:
    found = await session.scalar(
        select(User.id)
        .join(Membership, (Membership.user_id == User.id) & (Membership.clinic_id == clinic_id))
        .where(User.email == normal_email(email), *_IS_ACTIVE)
    )
    if found is None:
        raise NotFound("nobody with this address works in the clinic")
    return found


_IS_ACTIVE = (User.deactivated_at.is_(None), Membership.deactivated_at.is_(None))
_HOLDERS = (
    select(
        ApiToken.last_used_at,
        ApiToken.id,
        ApiToken.clinic_id,
        Clinic.slug,
        Clinic.name,
        ApiToken.name,
        ApiToken.permissions,
        User.id,
        User.name,
        Membership.role,
        Clinic.second_factor_required & ~has_factor(ApiToken.user_id),
    )
    .join(Clinic, Clinic.id == ApiToken.clinic_id)
    .outerjoin(User, User.id == ApiToken.user_id)
    .outerjoin(
        Membership,
        (Membership.user_id == ApiToken.user_id) & (Membership.clinic_id == ApiToken.clinic_id),
    )
    .where(
        ApiToken.revoked_at.is_(None),
        or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > bindparam("now")),
        or_(ApiToken.user_id.is_(None), and_(Membership.user_id.is_not(None), *_IS_ACTIVE)),
    )
)
_BY_HASH = _HOLDERS.where(ApiToken.token_hash == bindparam("hash")).execution_options(
    **ON_EVENT_LOOP
)
_BY_ID = _HOLDERS.where(ApiToken.id.in_(bindparam("ids", expanding=True))).execution_options(
    **ON_EVENT_LOOP
)


def _holder(
    token_id: UUID,
    clinic_id: UUID,
    slug: str,
    clinic_name: str,
    name: str,
    permissions: str,
    user_id: UUID | None,
    user_name: str,
    role: str,
    is_restricted: bool,
) -> TokenHolder:
    person = Person(user_id, user_name, Role(role), is_restricted) if user_id else None
    allowed = frozenset(permissions.split())
    return TokenHolder(token_id, clinic_id, slug, name, allowed, person, clinic_name)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
