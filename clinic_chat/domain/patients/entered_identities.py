"""Patients as people and programs enter them: what is wrong is refused, not kept as it is.

What a channel delivers is read more leniently (messages/inbound.py), into the same normal forms.
"""

from dataclasses import dataclass

from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.patients.identities import (
    Identity,
    IdentityKind,
    external_identity,
    phone_identity,
)
from clinic_chat.domain.patients.phones import SHOWN_LIMIT
from clinic_chat.domain.validation import KEY_LIMIT, storable, valid_name


@dataclass(frozen=True)
class EnteredPatient:
    """A patient's data as they were given, not checked; None is not given."""

    name: object = None
    phone: object = None
    external_id: object = None


@dataclass(frozen=True)
class CheckedPatient:
    """A patient's data in their normal form; `name` is "" when none was given."""

    name: str
    identities: list[Identity]
    """The strongest first, as channels name them: another system's id, then the phone."""


def checked_patient(entered: EnteredPatient, *, needs_identity: bool = False) -> CheckedPatient:
    """Check what was given of a patient, who needs a name or an identity.

    Raises:
        InvalidInput: a rule of `valid_name`, `entered_phone` or `entered_external_id`;
            `identity_missing`: neither a phone nor an id, and no name or it is not enough.
    """
    identities = []
    if entered.external_id is not None:
        identities.append(entered_external_id(entered.external_id))
    if entered.phone is not None:
        identities.append(entered_phone(entered.phone))
    name = "" if entered.name is None else valid_name(entered.name)
    if not identities and (needs_identity or not name):
        raise InvalidInput("give a phone or an externalId", code="identity_missing")
    return CheckedPatient(name, identities)


def entered_identity(kind: object, value: object) -> Identity:
    """The identity of this kind and value.

    An address that is a phone number is one of kind `phone`, as channels would deliver it.

    Raises:
        InvalidInput: `kind_invalid`, `phone_invalid`, `address_invalid` or `externalId_invalid`.
    """
    match kind:
        case IdentityKind.PHONE:
            return entered_phone(value)
        case IdentityKind.EXTERNAL:
            return entered_external_id(value)
        case IdentityKind.ADDRESS:
            if _is_short(value, KEY_LIMIT):
                return phone_identity(value)
            raise InvalidInput("not an address", code="address_invalid")
    raise InvalidInput("kind is phone, address or external", code="kind_invalid")


def entered_phone(value: object) -> Identity:
    """The identity of a phone number, which is Brazilian without a country code.

    Raises:
        InvalidInput: `phone_invalid`: no number of a possible length.
    """
    if _is_short(value, SHOWN_LIMIT):
        identity = phone_identity(value)
        if identity.kind is IdentityKind.PHONE:
            return identity
    raise InvalidInput("not a phone number", code="phone_invalid")


def entered_external_id(value: object) -> Identity:
    """The identity of another system's id of a patient.

    Raises:
        InvalidInput: `externalId_invalid`: nothing to see, or over 200 characters.
    """
    identity = external_identity(value) if _is_short(value, KEY_LIMIT) else None
    if identity is None:
        raise InvalidInput(f"an id has 1 to {KEY_LIMIT} characters", code="externalId_invalid")
    return identity


def _is_short(value: object, limit: int) -> bool:
    return (
        isinstance(value, str) and len(value) <= limit and storable(value) and bool(value.strip())
    )
