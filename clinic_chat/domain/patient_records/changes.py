"""Creating and renaming patients."""

from sqlalchemy.orm import Session

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.events import record_patient_change
from clinic_chat.domain.patient_records.identities import note_identity, refuse_taken
from clinic_chat.domain.patient_records.views import PatientRecord, patient_record
from clinic_chat.domain.patients.entered_identities import EnteredPatient, checked_patient
from clinic_chat.domain.patients.identities import identity_row
from clinic_chat.domain.patients.names import same_name
from clinic_chat.domain.patients.patient import Patient, load_patient, search_name
from clinic_chat.domain.patients.search_words import note_searchable
from clinic_chat.domain.validation import valid_name
from clinic_chat.storage.base import new_id, now


async def create_patient(scope: ClinicScope, entered: EnteredPatient) -> PatientRecord:
    """Add a patient, who has no conversation yet, and so nothing that screens show.

    Raises:
        InvalidInput: a rule of `checked_patient`.
        IdentityTaken: a patient has one of the identities.
    """
    require(scope, Permission.CHANGE_PATIENTS)
    given = checked_patient(entered)

    def create(session: Session) -> PatientRecord:
        refuse_taken(session, given.identities)
        patient = Patient(
            id=new_id(), name=given.name, search_name=search_name([given.name]), created_at=now()
        )
        session.add(patient)
        # A phone number is shown rather than another system's id.
        for identity in reversed(given.identities):
            note_identity(patient, identity)
        session.flush()
        session.add_all(identity_row(patient, identity) for identity in given.identities)
        session.flush()
        note_searchable(session, patient, is_new=True)
        return patient_record(session, patient)

    return await scope.transact(create)


async def rename_patient(scope: ClinicScope, patient: object, name: object) -> PatientRecord:
    """Set the name that the clinic has on file for a patient.

    The name of before is no longer found: it was corrected. Names that channels gave stay.

    Raises:
        NotFound: the patient is unknown, malformed or another clinic's.
        InvalidInput: a rule of `valid_name`.
    """
    require(scope, Permission.CHANGE_PATIENTS)
    wanted = valid_name(name)

    def rename(session: Session) -> PatientRecord:
        person = load_patient(session, patient)
        if person.name != wanted:
            others = [known for known in person.also_known_as if not same_name(known, wanted)]
            person.name = wanted
            person.other_names = "\n".join(others) or None
            person.search_name = search_name([wanted, *others])
            note_searchable(session, person, is_new=False)
            record_patient_change(session, person)
        return patient_record(session, person)

    return await scope.transact(rename)
