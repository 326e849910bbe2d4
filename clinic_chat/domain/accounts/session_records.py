"""Session records: the table of signed-in browsers, and who a session's person is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, String, bindparam, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from clinic_chat.domain.accounts.second_factors.factors import has_factor
from clinic_chat.domain.accounts.users import Membership, User
from clinic_chat.domain.clinics.actors import Role, StaffActor
from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.storage.base import Base, new_id, now
from clinic_chat.storage.statements import ON_EVENT_LOOP


class Proof(StrEnum):
    """How a session's person proved who they are."""

    PASSWORD = "password"  # noqa: S105 - a kind of proof
    CODE = "code"
    """A password, and a code of their app."""
    PASSKEY = "passkey"
    """Theirs alone, or after a password."""
    PROVIDER = "provider"
    """The word of the clinic's identity provider, which counts in this clinic alone."""


class SignInSession(Base):
    """A signed-in browser. Only a keyed hash of its cookie is stored."""

    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    cookie_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    signed_in_at: Mapped[datetime] = mapped_column(default=now)
    """When the password was checked; a change of clinic keeps it."""
    proof: Mapped[Proof] = mapped_column(
        String(10), default=Proof.PASSWORD, server_default=text("'password'")
    )
    seen_at: Mapped[datetime] = mapped_column(default=now)
    """When the person last did something, to within `SEEN_RESOLUTION`."""
    user_agent: Mapped[str] = mapped_column(String(200), default="", server_default=text("''"))
    address: Mapped[str] = mapped_column(String(45), default="", server_default=text("''"))


@dataclass(frozen=True, slots=True)
class Browser:
    """Where somebody signs in, as it says of itself."""

    user_agent: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """The person and the clinic of a live session, with their data for screens."""

    session_id: UUID
    user_id: UUID
    user_name: str
    email: str
    locale: str | None
    sound: bool
    role: str
    clinic_id: UUID
    clinic_slug: str
    clinic_name: str
    timezone: str
    is_restricted: bool
    """Whether the clinic asks for a second factor that the person has not set up yet."""
    proof: str = Proof.PASSWORD
    personal_version: int = 0
    """The number of the newest change of the person's own data in the clinic."""

    @property
    def by_provider(self) -> bool:
        """Whether the clinic's identity provider says who this is: the session is this clinic's."""
        return self.proof == Proof.PROVIDER

    @property
    def actor(self) -> StaffActor:
        """The actor of use cases."""
        return StaffActor(self.user_id, Role(self.role), self.is_restricted, self.by_provider)

    @property
    def author(self) -> str:
        """The person and the clinic, as commands name them: `<user id>:<clinic's slug>`."""
        return f"{self.user_id}:{self.clinic_slug}"


# Columns instead of objects, because every tab's session is looked up every few seconds; those
# after the first three are in the order of Identity's fields.
_SESSIONS = (
    select(
        SignInSession.seen_at,
        SignInSession.signed_in_at,
        Clinic.session_idle_minutes,
        SignInSession.id,
        User.id,
        User.name,
        User.email,
        func.coalesce(User.locale, func.nullif(Clinic.locale, "")),
        User.sound,
        Membership.role,
        Clinic.id,
        Clinic.slug,
        Clinic.name,
        Clinic.timezone,
        # A provider asks for second steps itself.
        Clinic.second_factor_required
        & (SignInSession.proof != Proof.PROVIDER)
        & ~has_factor(SignInSession.user_id),
        SignInSession.proof,
        Membership.personal_version,
    )
    .select_from(SignInSession)
    .join(User, User.id == SignInSession.user_id)
    .join(Clinic, Clinic.id == SignInSession.clinic_id)
    .join(
        Membership,
        (Membership.user_id == SignInSession.user_id)
        & (Membership.clinic_id == SignInSession.clinic_id),
    )
    .where(User.deactivated_at.is_(None), Membership.deactivated_at.is_(None))
)
BY_COOKIE = _SESSIONS.where(
    SignInSession.cookie_hash == bindparam("cookie_hash")
).execution_options(**ON_EVENT_LOOP)
BY_ID = _SESSIONS.where(SignInSession.id.in_(bindparam("ids", expanding=True))).execution_options(
    **ON_EVENT_LOOP
)
