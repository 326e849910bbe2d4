"""Patient recognition: finds or creates the patient who sent a message.

A channel's data never merges or renames patients.
"""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from clinic_chat.domain.patients.identities import (
    Identity,
    PatientIdentity,
    has_identity,
    held_identities,
    identity_row,
    show_identity,
)
from clinic_chat.domain.patients.names import same_name, with_other_name
from clinic_chat.domain.patients.patient import Patient, search_name
from clinic_chat.domain.patients.search_words import note_searchable


def sending_patient(
    session: Session, identities: Sequence[Identity], name: str
) -> tuple[Patient, str]:
    """Find or create the clinic's patient who sent a message; also returns the name they used.

    `identities` come from the channel, the strongest first; `name` is "" when it gives none. The
    patient gets those identities that no patient has yet. An identity of another patient stays
    theirs: several people may share a phone, and only people can tell whether two records are
    the same person.
    """
    held = held_identities(session, identities)
    patient = _patient_of(session, identities, held, name)
    found_by = patient and (patient.search_name, patient.search_phones)
    if patient is None:
        patient = Patient(name=name, search_name=search_name([name]))
        session.add(patient)
        session.flush()
    for identity in identities:
        show_identity(patient, identity)
        row, holder = held.get(identity, (None, None))
        if row is None:
            session.add(identity_row(patient, identity))
        elif holder is patient:
            row.shown = identity.shown
    author = _name_written_under(patient, name)
    if found_by != (patient.search_name, patient.search_phones):
        note_searchable(session, patient, is_new=found_by is None)
    return patient, author


def _patient_of(
    session: Session,
    identities: Sequence[Identity],
    held: dict[Identity, tuple[PatientIdentity, Patient]],
    name: str,
) -> Patient | None:
    strongest, *others = identities
    if strongest in held:
        return held[strongest][1]
    for identity in others:
        if identity not in held:
            continue
        # The holder had no id of the stronger kind yet, so the new one can be theirs.
        holder = held[identity][1]
        may_be = not name or not holder.name or same_name(name, holder.name)
        if may_be and not has_identity(session, holder, strongest.kind):
            return holder
    return None


def _name_written_under(patient: Patient, name: str) -> str:
    """Record a channel's name for a patient; returns the name to show for the message.

    An existing name stays: a channel's name changes with the phone's profile, and the clinic may
    have corrected it. Without one, the channel's name becomes the patient's.
    """
    if name and not patient.name:
        patient.name, patient.search_name = name, search_name([name])
    if not name or same_name(name, patient.name):
        return patient.name
    others = with_other_name(patient.also_known_as, name)
    if patient.also_known_as != others:
        patient.other_names = "\n".join(others)
        patient.search_name = search_name([patient.name, *others])
    return name
