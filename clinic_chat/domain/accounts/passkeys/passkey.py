"""Passkeys: the tables of people's WebAuthn credentials and of challenges that were used."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from clinic_chat.storage.base import Base, new_id, now

# WebAuthn Level 3, section 4: an identifier has at most 1,023 bytes, here in base64url.
CREDENTIAL_ID_LIMIT = 1364
PUBLIC_KEY_LIMIT = 2000
DOMAIN_LIMIT = 253


class Passkey(Base):
    """A key pair that a person's device keeps; this is its public half, in base64url."""

    __tablename__ = "passkeys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    credential_id: Mapped[str] = mapped_column(String(CREDENTIAL_ID_LIMIT), unique=True)
    public_key: Mapped[str] = mapped_column(String(PUBLIC_KEY_LIMIT))
    """A COSE key (RFC 9052 section 7)."""
    domain: Mapped[str] = mapped_column(String(DOMAIN_LIMIT))
    """The relying party's identifier: the host name that it was made for and works at."""
    sign_count: Mapped[int] = mapped_column(BigInteger, default=0)
    """How often it signed, as its device counts; 0 for devices that do not."""
    name: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime | None] = mapped_column(default=None)


class UsedChallenge(Base):
    """A challenge that was answered; it is kept until it is too old to count anyway."""

    __tablename__ = "used_challenges"

    challenge_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
