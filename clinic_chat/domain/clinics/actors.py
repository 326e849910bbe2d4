"""Actors: the people and programs that act in a clinic.

Entry points identify the actor; `domain/accounts/permissions.py` has the permissions.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """The role of a staff member in a clinic."""

    ADMIN = "admin"
    PROFESSIONAL = "professional"
    RECEPTIONIST = "receptionist"
    AUDITOR = "auditor"
    """Reads the audit trail and reports, and no messages."""


@dataclass(frozen=True, slots=True)
class StaffActor:
    """A person of the clinic's staff."""

    user_id: UUID
    role: Role
    is_restricted: bool = False
    """Whether their clinic asks for a second factor that they have not set up yet."""
    by_provider: bool = False
    """Whether the clinic's own identity provider says who they are.

    The clinic's administrators decide what it says, so this is nobody outside of the clinic.
    """
    token_permissions: frozenset[str] | None = None
    """Of `Permission`, what the token allows with which a program acts for this person.

    None for the person themselves.
    """


@dataclass(frozen=True, slots=True)
class PatientActor:
    """A patient, on the clinic's own page."""

    patient_id: UUID


@dataclass(frozen=True, slots=True)
class TokenActor:
    """A channel or another program, by its API token."""

    token_id: UUID
    permissions: frozenset[str]
    """What the token allows, of `Permission`."""
    name: str = ""
    """The program's name, which its messages are signed with."""


@dataclass(frozen=True, slots=True)
class SystemActor:
    """This server itself, or an operator at its command line."""


SYSTEM = SystemActor()

Actor = StaffActor | PatientActor | TokenActor | SystemActor
