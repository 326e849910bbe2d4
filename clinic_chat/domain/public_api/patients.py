"""A patient as programs get it."""

from typing import Self

from clinic_chat.domain.patient_records.views import IdentityRecord, PatientRecord
from clinic_chat.domain.patients.identities import IdentityKind
from clinic_chat.domain.public_api.view import ViewModel


class ApiIdentity(ViewModel):
    """A way to reach a patient, or another system's id of them; unique in the clinic."""

    id: str
    kind: IdentityKind
    """`phone`, `address` (of a channel, no phone number) or `external` (another system's id)."""
    value: str
    """The normal form; a text of over 200 characters is its SHA-256."""
    shown: str
    """As it was written last."""
    created_at: str

    @classmethod
    def of(cls, identity: IdentityRecord) -> Self:
        """The part of an identity that programs may see; a new field is hidden until listed."""
        return cls(
            id=identity.id,
            kind=IdentityKind(identity.kind),
            value=identity.value,
            shown=identity.shown,
            created_at=identity.since,
        )


class ApiPatient(ViewModel):
    """A patient. Times are ISO 8601 in UTC."""

    id: str
    name: str
    """Empty until one is known."""
    other_names: list[str]
    """Further names that messages from the same number had, the latest last."""
    phone: str
    """In E.164 as it was used last, or another address of theirs; empty for none."""
    identities: list[ApiIdentity]
    """The oldest first."""
    created_at: str

    @classmethod
    def of(cls, patient: PatientRecord) -> Self:
        """The part of a record that programs may see; a new field is hidden until listed here."""
        return cls(
            id=patient.id,
            name=patient.name,
            other_names=patient.other_names,
            phone=patient.phone,
            identities=[ApiIdentity.of(one) for one in patient.identities],
            created_at=patient.since,
        )
