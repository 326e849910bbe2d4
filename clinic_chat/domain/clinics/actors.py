"""Who acts in a clinic. The doors say who it is, `domain/accounts/permissions.py` what they may."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What a person is in a clinic."""

    ADMIN = "admin"
    PROFESSIONAL = "professional"
    RECEPTIONIST = "receptionist"


@dataclass(frozen=True, slots=True)
class StaffActor:
    """A person of the clinic's staff."""

    user_id: UUID
    role: Role


@dataclass(frozen=True, slots=True)
class PatientActor:
    """A patient, on the clinic's own page."""

    patient_id: UUID


@dataclass(frozen=True, slots=True)
class TokenActor:
    """A channel or another program, by its API token."""

    token_id: UUID


@dataclass(frozen=True, slots=True)
class SystemActor:
    """This server itself, or whoever has its command line."""


SYSTEM = SystemActor()

Actor = StaffActor | PatientActor | TokenActor | SystemActor
