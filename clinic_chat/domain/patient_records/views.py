"""Patient records: a patient with the identities by which they are known."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.views import iso
from clinic_chat.domain.patients.identities import IdentityKind, PatientIdentity
from clinic_chat.domain.patients.patient import Patient, load_patient
from clinic_chat.storage.statements import ON_EVENT_LOOP

SHOWN_KINDS = (IdentityKind.PHONE, IdentityKind.ADDRESS, IdentityKind.EXTERNAL)
"""What reaches a patient or names them elsewhere; the key of an imported row does neither."""


@dataclass(frozen=True)
class IdentityRecord:
    """An identity of a patient; times are ISO 8601 in UTC."""

    id: str
    kind: str
    value: str
    """The normal form: a phone number in E.164; a text over 200 characters is its hash."""
    shown: str
    """As it was written last."""
    since: str


@dataclass(frozen=True)
class PatientRecord:
    """A patient; `name` is "" until one is known, `phone` the address that was used last."""

    id: str
    name: str
    other_names: list[str]
    phone: str
    identities: list[IdentityRecord]
    """By age."""
    since: str


async def get_patient(scope: ClinicScope, patient: object) -> PatientRecord:
    """One patient.

    Raises:
        NotFound: unknown, malformed or another clinic's.
    """
    require(scope, Permission.READ_PATIENTS)
    async with scope.read() as session:
        return await session.run_sync(
            lambda session: patient_record(session, load_patient(session, patient))
        )


def patient_record(session: Session, patient: Patient) -> PatientRecord:
    """The record of a patient."""
    return patient_records(session, [patient])[0]


def patient_records(session: Session, patients: Sequence[Patient]) -> list[PatientRecord]:
    """The records of patients, in the same order."""
    rows = session.scalars(_IDENTITIES, {"patients": [patient.id for patient in patients]})
    by_patient: dict[UUID, list[PatientIdentity]] = {}
    for row in rows:
        by_patient.setdefault(row.patient_id, []).append(row)
    return [_record(patient, by_patient.get(patient.id, [])) for patient in patients]


def identities_of(session: Session, patient_id: UUID) -> list[PatientIdentity]:
    """A patient's identities of every kind, for changing, by age."""
    rows: Iterable[Any] = session.scalars(_IDENTITIES, {"patients": [patient_id]})
    return sorted(rows, key=lambda row: row.id)


def _record(patient: Patient, identities: list[PatientIdentity]) -> PatientRecord:
    return PatientRecord(
        id=str(patient.id),
        name=patient.name,
        other_names=patient.also_known_as,
        phone=patient.phone_shown or "",
        identities=[
            IdentityRecord(str(row.id), row.kind, row.value, row.shown, iso(row.created_at))
            for row in sorted(identities, key=lambda row: row.id)
            if row.kind in SHOWN_KINDS
        ],
        since=iso(patient.created_at),
    )


_IDENTITIES = (
    select(PatientIdentity)
    .where(PatientIdentity.patient_id.in_(bindparam("patients", expanding=True)))
    .execution_options(**ON_EVENT_LOOP)
)
