"""Patient identities: phone numbers, channel addresses and other systems' ids of patients."""

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
    """The kind of an identifier."""

    PHONE = "phone"
    """A phone number in E.164; a Brazilian mobile number with its ninth digit."""
    ADDRESS = "address"
    """A channel's sender address that is not a phone number."""
    EXTERNAL = "external"
    """The patient's id in the system that delivers the messages."""
    IMPORT = "import"
    """The key of a row of an imported file."""


class PatientIdentity(ClinicOwned, Base):
    """An identifier of one patient, unique in the clinic.

    `value` is the normal form, `shown` the spelling that was used last.
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
    """An identifier of a message's sender, in its normal form."""

    kind: IdentityKind
    value: str
    """At most 200 characters."""
    shown: str


def phone_identity(value: object) -> Identity:
    """The identity for a channel's phone field: a phone number or another address.

    Raises:
        InvalidInput: `phone_missing`: not text, or nothing to see.
    """
    address = phone_address(value)
    if address.number:
        return Identity(IdentityKind.PHONE, address.number, address.shown)
    return Identity(IdentityKind.ADDRESS, address.key or "", address.shown)


def external_identity(value: object) -> Identity | None:
    """The identity for another system's id of a patient, None when there is no id."""
    given = value if isinstance(value, str) else ""
    text = clean_line(given[:KEY_LIMIT])
    if not text:
        return None
    if len(given) > KEY_LIMIT:
        return Identity(IdentityKind.EXTERNAL, hashed_key(given), cut(text, SHOWN_LIMIT))
    return Identity(IdentityKind.EXTERNAL, text, cut(text, SHOWN_LIMIT))


def identity_row(patient: Patient, identity: Identity) -> PatientIdentity:
    """A new row for an identity of a patient; the patient must have an id."""
    return PatientIdentity(
        patient_id=patient.id, kind=identity.kind, value=identity.value, shown=identity.shown
    )


def show_identity(patient: Patient, identity: Identity) -> None:
    """Update the patient's `phone_shown` and `search_phones` from an identity.

    An external id is shown only while there is nothing else to show.
    """
    if identity.kind is not IdentityKind.EXTERNAL or patient.phone_shown is None:
        patient.phone_shown = identity.shown
    if identity.kind is IdentityKind.PHONE:
        phones = (patient.search_phones or "").split()
        if identity.value not in phones:
            patient.search_phones = " ".join([*phones, identity.value])


def held_identities(
    session: Session, identities: Iterable[Identity]
) -> dict[Identity, tuple[PatientIdentity, Patient]]:
    """The clinic's rows of the given identities with their patients, without unknown ones."""
    found: dict[Identity, tuple[PatientIdentity, Patient]] = {}
    for identity in identities:
        row = session.execute(_HELD, {"kind": identity.kind, "value": identity.value}).one_or_none()
        if row is not None:
            found[identity] = (row[0], row[1])
    return found


def has_identity(session: Session, patient: Patient, kind: IdentityKind) -> bool:
    """Whether a patient has an identity of this kind."""
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
