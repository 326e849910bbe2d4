"""Identity providers: the one of a clinic, and whose account at it is whose here."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from clinic_chat.domain.accounts.second_factors.authenticator_app import Seal
from clinic_chat.domain.clinics.clinic import find_clinic
from clinic_chat.domain.errors import NotFound
from clinic_chat.storage.base import Base, ClinicOwned, new_id, now
from clinic_chat.storage.database import Database

ISSUER_LIMIT = 300
CLIENT_ID_LIMIT = 255
SECRET_LIMIT = 500
SUBJECT_LIMIT = 255
_SEAL_PURPOSE = b"identity provider"


class IdentityProvider(ClinicOwned, Base):
    """Where a clinic's staff have accounts already. One that is removed and made again is new."""

    __tablename__ = "identity_providers"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[UUID] = mapped_column(
        ForeignKey("clinics.id", ondelete="CASCADE"), unique=True
    )
    issuer: Mapped[str] = mapped_column(String(ISSUER_LIMIT))
    client_id: Mapped[str] = mapped_column(String(CLIENT_ID_LIMIT))
    sealed_secret: Mapped[str] = mapped_column(String(1000))
    is_enabled: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=now)


class ProviderAccount(ClinicOwned, Base):
    """A person's account at their clinic's provider, known since they first came from there."""

    __tablename__ = "provider_accounts"
    __table_args__ = (UniqueConstraint("clinic_id", "issuer", "user_id"),)

    clinic_id: Mapped[UUID] = mapped_column(
        ForeignKey("clinics.id", ondelete="CASCADE"), primary_key=True
    )
    issuer: Mapped[str] = mapped_column(String(ISSUER_LIMIT), primary_key=True)
    subject: Mapped[str] = mapped_column(String(SUBJECT_LIMIT), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    linked_at: Mapped[datetime] = mapped_column(default=now)


class UsedState(ClinicOwned, Base):
    """The state of a sign-in that is over: it starts no second session."""

    __tablename__ = "used_sign_in_states"

    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    clinic_id: Mapped[UUID] = mapped_column(
        ForeignKey("clinics.id", ondelete="CASCADE"), index=True
    )
    used_at: Mapped[datetime] = mapped_column(default=now)


@dataclass(frozen=True)
class KnownProvider:
    """A clinic's provider, for a sign-in."""

    id: UUID
    clinic_id: UUID
    issuer: str
    client_id: str
    secret: str


def provider_seal(signing_key: bytes) -> Seal:
    """What seals the secrets that providers gave to clinics."""
    return Seal(signing_key, _SEAL_PURPOSE)


async def provider_of(database: Database, seal: Seal, clinic_slug: str) -> KnownProvider | None:
    """The provider of a clinic; None for no such clinic, for none, and for one that is off.

    Also None when the secret was sealed with another key of the server's.
    """
    try:
        clinic = await find_clinic(database, clinic_slug)
    except NotFound:
        return None
    async with database.read(clinic.id) as session:
        row = await session.scalar(
            select(IdentityProvider).where(IdentityProvider.is_enabled.is_(True))
        )
    secret = seal.open(row.sealed_secret) if row else None
    if row is None or secret is None:
        return None
    return KnownProvider(row.id, row.clinic_id, row.issuer, row.client_id, secret)
