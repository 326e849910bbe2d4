"""The second factor: codes of an authenticator app (RFC 6238), and recovery codes."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pyotp
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import BigInteger, ForeignKey, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from clinic_chat.storage.base import Base, new_id, now

ISSUER = "Clinic Chat"
STEP_SECONDS = 30
# Codes of one step before and after count too: phones' clocks differ, and people type slowly.
STEPS_BESIDE = 1
RECOVERY_CODES = 10
RECOVERY_BYTES = 5
MAX_TEXT = 40


class SecondFactor(Base):
    """A person's authenticator app. Its secret is sealed with a key of the server's."""

    __tablename__ = "second_factors"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    sealed_secret: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=now)
    confirmed_at: Mapped[datetime | None] = mapped_column(default=None)
    """When its first code was right; before, it is asked for nowhere."""
    wrong_codes: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many of the last codes in a row were wrong."""
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)
    """The newest time step whose code was used: a code that somebody saw is worth nothing."""


class RecoveryCode(Base):
    """A code for one sign-in without the app or the passkey; only its hash is stored."""

    __tablename__ = "recovery_codes"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None] = mapped_column(default=None)


@dataclass(frozen=True)
class NewFactor:
    """A secret that an app has to be told, as text and as the address of its QR code."""

    secret: str
    address: str


class Seal:
    """Seals secrets of one purpose with a key that is made of the server's."""

    def __init__(self, signing_key: bytes, purpose: bytes = b"second factor") -> None:
        key = hmac.new(signing_key, purpose, hashlib.sha256).digest()
        self._cipher = Fernet(base64.urlsafe_b64encode(key))

    def close(self, text: str) -> str:
        """The sealed text."""
        return self._cipher.encrypt(text.encode()).decode()

    def open(self, sealed: str, seconds: int | None = None) -> str | None:
        """The text; None when it was sealed with another key, or more than `seconds` ago."""
        try:
            return self._cipher.decrypt(sealed.encode(), ttl=seconds).decode()
        except (InvalidToken, UnicodeError):
            return None


def new_factor(seal: Seal, user_id: UUID, email: str) -> tuple[NewFactor, SecondFactor]:
    """A new secret, and its row."""
    secret = pyotp.random_base32()
    address = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)
    return NewFactor(secret, address), SecondFactor(
        user_id=user_id, sealed_secret=seal.close(secret)
    )


def accept_code(seal: Seal, factor: SecondFactor, code: str, moment: datetime) -> bool:
    """Whether a code of the app is right and new; it is used up then."""
    secret = seal.open(factor.sealed_secret)
    text = "".join(code.split())
    if secret is None or len(text) > MAX_TEXT or not text.isascii():
        return False
    step = int(moment.timestamp()) // STEP_SECONDS
    for candidate in range(step - STEPS_BESIDE, step + STEPS_BESIDE + 1):
        right = pyotp.TOTP(secret).generate_otp(candidate)
        if hmac.compare_digest(right, text) and candidate > factor.last_step:
            factor.last_step = candidate
            return True
    return False


async def confirmed_app(session: AsyncSession, user_id: UUID) -> SecondFactor | None:
    """A person's app once its first code was right, locked; None without one."""
    factor = await session.get(SecondFactor, user_id, with_for_update=True)
    return factor if factor is not None and factor.confirmed_at is not None else None


def new_recovery_codes(user_id: UUID) -> tuple[list[str], list[RecoveryCode]]:
    """The texts of new codes, and their rows."""
    texts = [secrets.token_hex(RECOVERY_BYTES) for _ in range(RECOVERY_CODES)]
    return texts, [RecoveryCode(user_id=user_id, code_hash=_hash(text)) for text in texts]


async def use_recovery_code(session: AsyncSession, user_id: UUID, code: str) -> bool:
    """Whether this is a recovery code of the person that was not used; it is now."""
    text = "".join(code.split()).lower().replace("-", "")
    if not text or len(text) > MAX_TEXT or not text.isascii():
        return False
    row = await session.scalar(
        select(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.code_hash == _hash(text),
            RecoveryCode.used_at.is_(None),
        )
        .with_for_update()
    )
    if row is None:
        return False
    row.used_at = now()
    return True


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
