"""Adding and removing the identities of a patient."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.orm import Session

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.events import record_patient_change
from clinic_chat.domain.errors import Conflict, NotFound
from clinic_chat.domain.patient_records.views import (
    SHOWN_KINDS,
    PatientRecord,
    identities_of,
    patient_record,
)
from clinic_chat.domain.patients.entered_identities import entered_identity
from clinic_chat.domain.patients.identities import (
    Identity,
    IdentityKind,
    PatientIdentity,
    held_identities,
    identity_row,
)
from clinic_chat.domain.patients.patient import Patient, load_patient
from clinic_chat.domain.patients.search_words import note_searchable

MOST_IDENTITIES = 50


class IdentityTaken(Conflict):
    """Another patient has this identity."""

    code = "identity_taken"

    def __init__(self, identity: Identity, holder: UUID) -> None:
        super().__init__(f"another patient has this {identity.kind}")
        self.details = {"kind": str(identity.kind), "patientId": str(holder)}


async def add_identity(
    scope: ClinicScope, patient: object, kind: object, value: object
) -> tuple[PatientRecord, bool]:
    """Give a patient an identity. Returns the record, and False when they had it already.

    Raises:
        NotFound: the patient is unknown, malformed or another clinic's.
        InvalidInput: a rule of `entered_identity`.
        IdentityTaken: another patient has it.
        Conflict: `too_many_identities`.
    """
    require(scope, Permission.CHANGE_PATIENTS)
    identity = entered_identity(kind, value)

    def add(session: Session) -> tuple[PatientRecord, bool]:
        person = load_patient(session, patient)
        refuse_taken(session, [identity], person)
        if identity in held_identities(session, [identity]):
            return patient_record(session, person), False
        if len(identities_of(session, person.id)) >= MOST_IDENTITIES:
            raise Conflict(
                f"a patient has at most {MOST_IDENTITIES} identities", code="too_many_identities"
            )
        session.add(identity_row(person, identity))
        note_identity(person, identity)
        session.flush()
        note_searchable(session, person, is_new=False)
        record_patient_change(session, person)
        return patient_record(session, person), True

    return await scope.transact(add)


async def remove_identity(scope: ClinicScope, patient: object, identity: object) -> None:
    """Take an identity from a patient, the last one too; another patient may have it then.

    Raises:
        NotFound: the patient or the identity is unknown, malformed or another clinic's.
    """
    require(scope, Permission.CHANGE_PATIENTS)

    def remove(session: Session) -> None:
        person = load_patient(session, patient)
        rows = identities_of(session, person.id)
        row = next((row for row in rows if str(row.id) == identity), None)
        if row is None or row.kind not in SHOWN_KINDS:
            raise NotFound("no such identity")
        session.delete(row)
        _forget_identity(person, row, [other for other in rows if other is not row])
        session.flush()
        note_searchable(session, person, is_new=False)
        record_patient_change(session, person)

    await scope.transact(remove)


def refuse_taken(
    session: Session, identities: Iterable[Identity], patient: Patient | None = None
) -> None:
    """Return when nobody has these identities but, maybe, `patient`.

    Raises:
        IdentityTaken: another patient has one.
    """
    for identity, (_, holder) in held_identities(session, identities).items():
        if holder is not patient:
            raise IdentityTaken(identity, holder.id)


def note_identity(patient: Patient, identity: Identity | PatientIdentity) -> None:
    """Have a patient found by a further identity; the address that was used last stays shown."""
    if patient.phone_shown is None:
        patient.phone_shown = identity.shown
    if identity.kind == IdentityKind.PHONE:
        phones = (patient.search_phones or "").split()
        if identity.value not in phones:
            patient.search_phones = " ".join([*phones, identity.value])


def _forget_identity(patient: Patient, gone: PatientIdentity, left: list[PatientIdentity]) -> None:
    phones = (patient.search_phones or "").split()
    patient.search_phones = " ".join(one for one in phones if one != gone.value) or None
    if patient.phone_shown == gone.shown:
        # An address of a channel before another system's id, the newest first.
        others = sorted(
            (row for row in left if row.kind in SHOWN_KINDS),
            key=lambda row: (row.kind != IdentityKind.EXTERNAL, row.id),
        )
        patient.phone_shown = others[-1].shown if others else None
