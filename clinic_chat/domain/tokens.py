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

from clinic_chat.recent import Recent
from clinic_chat.storage.base import Base, new_id, now
from clinic_chat.storage.database import Database
from clinic_chat.storage.scoping import AGAIN

PREFIX = "cc_"
# As long as a signed-in person's socket may outlive the session (realtime/callers.py).
RECHECK_SECONDS = 5.0


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


async def create_token(database: Database, clinic_id: UUID) -> str:
    """A new token of the clinic. This is the only time its text exists."""
    token = PREFIX + secrets.token_urlsafe(32)
    async with database.write() as session:
        session.add(ApiToken(clinic_id=clinic_id, token_hash=_hash(token)))
    return token


class Tokens:
    """Whose tokens come with requests. A channel sends many, so an answer is good for 5 s."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._holders: Recent[TokenHolder] = Recent(RECHECK_SECONDS)

    async def holder(self, token: str) -> TokenHolder | None:
        """Whose token this is, or None when it is unknown or was revoked 5 seconds ago."""
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
    .execution_options(**{AGAIN: True})
)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
