"""API tokens: how a channel or another program acts for a clinic."""

import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import ForeignKey, String, bindparam, select
from sqlalchemy.orm import Mapped, mapped_column

from clinic_chat.cache.single_flight import SingleFlightCache
from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.domain.errors import NotFound
from clinic_chat.logs import audit
from clinic_chat.storage.base import Base, new_id, now
from clinic_chat.storage.database import Database
from clinic_chat.storage.statements import ON_EVENT_LOOP

PREFIX = "cc_"
# Of a channel that delivers much, several requests share a look; one costs 0.2 ms.
SHARED_SECONDS = 0.1


class ApiToken(Base):
    """A token of a clinic. Its text has 256 random bits, so a plain SHA-256 hides it."""

    __tablename__ = "api_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[UUID] = mapped_column(
        ForeignKey("clinics.id", ondelete="CASCADE"), index=True
    )
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)


@dataclass(frozen=True)
class TokenHolder:
    """Whose token it is."""

    token_id: UUID
    clinic_id: UUID


@dataclass(frozen=True)
class TokenEntry:
    """A token as a list shows it: its text is nowhere."""

    id: str
    clinic: str
    created_at: datetime
    revoked_at: datetime | None


async def create_token(database: Database, clinic_id: UUID) -> str:
    """A new token of the clinic. This is the only time its text exists."""
    token = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(id=new_id(), clinic_id=clinic_id, token_hash=_hash(token))
    async with database.write() as session:
        session.add(row)
    audit("token.created", token=row.id, clinic=clinic_id)
    return token


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
    """Make a token, named by its id or its text, worth nothing; again is fine.

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
    """Whose tokens come with requests."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._holders: SingleFlightCache[TokenHolder] = SingleFlightCache(
            "api_tokens", SHARED_SECONDS
        )

    async def holder(self, token: str) -> TokenHolder | None:
        """Whose token this is, or None when it is unknown or was revoked."""
        if not token.startswith(PREFIX) or len(token) > 200:
            return None
        digest = _hash(token)
        # An unknown one is not kept: whoever tries many must not fill the memory.
        with suppress(_Unknown):
            return await self._holders.get(digest, partial(self._read, digest))
        return None

    async def _read(self, digest: str) -> TokenHolder:
        async with self._database.read() as session:
            found = (await session.execute(_HOLDER, {"hash": digest})).one_or_none()
        if found is None:
            raise _Unknown
        return TokenHolder(*found)


class _Unknown(Exception):
    pass


_HOLDER = (
    select(ApiToken.id, ApiToken.clinic_id)
    .where(ApiToken.token_hash == bindparam("hash"), ApiToken.revoked_at.is_(None))
    .execution_options(**ON_EVENT_LOOP)
)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
