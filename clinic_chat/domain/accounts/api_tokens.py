"""API tokens: credentials with which a channel or another program acts for a clinic."""

import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import ForeignKey, String, bindparam, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from clinic_chat.cache.single_flight import SingleFlightCache
from clinic_chat.domain.accounts.permissions import OF_OTHERS
from clinic_chat.domain.clinics.actors import TokenActor
from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.domain.errors import NotFound
from clinic_chat.logs import audit
from clinic_chat.storage.base import Base, new_id, now
from clinic_chat.storage.database import Database, StorageUnavailable
from clinic_chat.storage.statements import ON_EVENT_LOOP

PREFIX = "cc_"
# Several requests of a busy channel share a lookup, which costs 0.2 ms.
SHARED_SECONDS = 0.1
USED_RESOLUTION = timedelta(minutes=5)
# What every token could do before each had its own permissions.
CHANNEL_PERMISSIONS = "messages.deliver messages.report_delivery"


class ApiToken(Base):
    """A token of a clinic; its text has 256 random bits, so a plain SHA-256 protects it."""

    __tablename__ = "api_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[UUID] = mapped_column(
        ForeignKey("clinics.id", ondelete="CASCADE"), index=True
    )
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(120), default="", server_default=text("''"))
    permissions: Mapped[str] = mapped_column(String(400), server_default=CHANNEL_PERMISSIONS)
    """What its holder may do: of `Permission`, separated by spaces as scopes are (RFC 6749 3.3)."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime | None] = mapped_column(default=None)
    """To within `USED_RESOLUTION`."""
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)


@dataclass(frozen=True)
class TokenHolder:
    """The id and the clinic of a token, and what it allows."""

    token_id: UUID
    clinic_id: UUID
    permissions: frozenset[str]


@dataclass(frozen=True)
class TokenEntry:
    """A token in the list of tokens, without its text, which is not stored."""

    id: str
    clinic: str
    created_at: datetime
    revoked_at: datetime | None


async def create_token(database: Database, clinic_id: UUID) -> str:
    """Create a token of the clinic. Returns its text, which is not stored."""
    token, row = new_token(clinic_id, "", sorted(OF_OTHERS[TokenActor]))
    async with database.write() as session:
        session.add(row)
    audit("token.created", token=row.id, clinic=clinic_id)
    return token


def new_token(clinic_id: UUID, name: str, permissions: list[str]) -> tuple[str, ApiToken]:
    """The text of a new token and its row, which has only a hash of it."""
    token = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(
        id=new_id(),
        clinic_id=clinic_id,
        token_hash=_hash(token),
        name=name,
        permissions=" ".join(permissions),
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
            TokenEntry(str(token.id), slug, token.created_at, token.revoked_at)
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
        """The id and the clinic of this token, or None when it is unknown or revoked."""
        if not token.startswith(PREFIX) or len(token) > 200:
            return None
        digest = _hash(token)
        # Unknown tokens are not cached: somebody who tries many must not fill the memory.
        with suppress(_Unknown):
            return await self._holders.get(digest, partial(self._read, digest))
        return None

    async def _read(self, digest: str) -> TokenHolder:
        async with self._database.read() as session:
            found = (await session.execute(_HOLDER, {"hash": digest})).one_or_none()
        if found is None:
            raise _Unknown
        token_id, clinic_id, permissions, last_used_at = found
        if last_used_at is None or now() - last_used_at > USED_RESOLUTION:
            # Whose it is does not depend on writing that down.
            with suppress(StorageUnavailable):
                await self._touch(token_id)
        return TokenHolder(token_id, clinic_id, frozenset(permissions.split()))

    async def _touch(self, token_id: UUID) -> None:
        async with self._database.write() as session:
            await session.execute(
                update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=now())
            )


class _Unknown(Exception):
    pass


_HOLDER = (
    select(ApiToken.id, ApiToken.clinic_id, ApiToken.permissions, ApiToken.last_used_at)
    .where(ApiToken.token_hash == bindparam("hash"), ApiToken.revoked_at.is_(None))
    .execution_options(**ON_EVENT_LOOP)
)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
