"""How patients are reached: phone numbers, addresses of channels, ids of the clinic's system."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from clinic_chat.domain.characters import clean_line, cut
from clinic_chat.domain.patients.patient import Patient
from clinic_chat.domain.patients.phones import SHOWN_LIMIT, phone_address
from clinic_chat.domain.validation import KEY_LIMIT, hashed_key
from clinic_chat.storage.base import Base, ClinicOwned, new_id, now
from clinic_chat.storage.statements import ON_EVENT_LOOP


class IdentityKind(StrEnum):
    """By what a person is known."""

    PHONE = "phone"
    """A number in E.164, a Brazilian mobile's with its ninth digit."""
    ADDRESS = "address"
    """Where messages of a channel come from that is no phone number."""
    EXTERNAL = "external"
    """The id in the system that delivers the messages."""
    IMPORT = "import"
    """A row of an imported file."""


class PatientIdentity(ClinicOwned, Base):
    """One way to reach a patient; nobody else in the clinic is reached by it.

    `value` is the one form of all its spellings, `shown` the one that was used last.
    """

    __tablename__ = "patient_identities"
    __table_args__ = (
        UniqueConstraint("clinic_id", "kind", "value"),
        Index(None, "patient_id", "kind"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"))
    kind: Mapped[IdentityKind] = mapped_column(String(20))
    value: Mapped[str] = mapped_column(String(200))
    shown: Mapped[str] = mapped_column(String(SHOWN_LIMIT))
    created_at: Mapped[datetime] = mapped_column(default=now)


@dataclass(frozen=True)
class Identity:
    """What a message tells of whose it is."""

    kind: IdentityKind
    value: str
    """At most 200 characters."""
    shown: str


def phone_identity(value: object) -> Identity:
    """The identity behind what a channel gives as a patient's phone, whatever it is.

    Raises:
        InvalidInput: `phone_missing`: not text, or nothing to see.
    """
    address = phone_address(value)
    if address.number:
        return Identity(IdentityKind.PHONE, address.number, address.shown)
    return Identity(IdentityKind.ADDRESS, address.key or "", address.shown)


def external_identity(value: object) -> Identity | None:
    """The identity behind another system's id of a patient, None for no id."""
    given = value if isinstance(value, str) else ""
    text = clean_line(given[:KEY_LIMIT])
    if not text:
        return None
    if len(given) > KEY_LIMIT:
        return Identity(IdentityKind.EXTERNAL, hashed_key(given), cut(text, SHOWN_LIMIT))
    return Identity(IdentityKind.EXTERNAL, text, cut(text, SHOWN_LIMIT))


def identity_row(patient: Patient, identity: Identity) -> PatientIdentity:
    """The row that gives an identity to a patient who has an id."""
    return PatientIdentity(
        patient_id=patient.id, kind=identity.kind, value=identity.value, shown=identity.shown
    )


def show_identity(patient: Patient, identity: Identity) -> None:
    """Show a patient under what they were reached by last, a number before another system's id."""
    if identity.kind is not IdentityKind.EXTERNAL or patient.phone_shown is None:
        patient.phone_shown = identity.shown
    if identity.kind is IdentityKind.PHONE:
        phones = (patient.search_phones or "").split()
        if identity.value not in phones:
            patient.search_phones = " ".join([*phones, identity.value])


def held_identities(
    session: Session, identities: Iterable[Identity]
) -> dict[Identity, tuple[PatientIdentity, Patient]]:
    """The clinic's rows of those identities that somebody has, and whose they are."""
    found: dict[Identity, tuple[PatientIdentity, Patient]] = {}
    for identity in identities:
        row = session.execute(_HELD, {"kind": identity.kind, "value": identity.value}).one_or_none()
        if row is not None:
            found[identity] = (row[0], row[1])
    return found


def has_identity(session: Session, patient: Patient, kind: IdentityKind) -> bool:
    """Whether a patient is known by an identity of this kind."""
    found = session.execute(_OF_KIND, {"patient": patient.id, "kind": kind})
    return found.first() is not None


_HELD = (
    select(PatientIdentity, Patient)
    .join(Patient, Patient.id == PatientIdentity.patient_id)
    .where(PatientIdentity.kind == bindparam("kind"), PatientIdentity.value == bindparam("value"))
    .execution_options(**ON_EVENT_LOOP)
)
_OF_KIND = (
    select(PatientIdentity.id)
    .where(
        PatientIdentity.patient_id == bindparam("patient"),
        PatientIdentity.kind == bindparam("kind"),
    )
    .execution_options(**ON_EVENT_LOOP)
)
