"""Whose a message is: nobody is merged or renamed by what a channel says."""

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


def sending_patient(
    session: Session, identities: Sequence[Identity], name: str
) -> tuple[Patient, str]:
    """The clinic's patient who writes, and the name they write under.

    `identities`, the strongest first, are what the channel tells of the person, `name` is "" when
    it gives none. The patient is created when new, and gets what identities nobody has. What
    another patient has stays theirs: one phone may be several people's, and whether two records
    are one person is for people to say.
    """
    held = held_identities(session, identities)
    patient = _patient_of(session, identities, held, name)
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
    return patient, _name_written_under(patient, name)


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
        # Known by their number until now, and the only one so far who is.
        holder = held[identity][1]
        may_be = not name or not holder.name or same_name(name, holder.name)
        if may_be and not has_identity(session, holder, strongest.kind):
            return holder
    return None


def _name_written_under(patient: Patient, name: str) -> str:
    """Note a name that a channel gives.

    A real name stays: what a channel calls a person changes with their phone's profile, and the
    clinic may have corrected it. Without a name yet, the first real one becomes the patient's.
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
