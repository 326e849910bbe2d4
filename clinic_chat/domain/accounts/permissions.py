"""Permissions: the one table of the actions that each role and kind of actor may do."""

from enum import StrEnum

from clinic_chat.domain.clinics.actors import (
    Actor,
    PatientActor,
    Role,
    StaffActor,
    SystemActor,
    TokenActor,
)
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import Forbidden


class Permission(StrEnum):
    """An action that an actor may be allowed to do."""

    READ_CONVERSATIONS = "conversations.read"
    CHANGE_CONVERSATIONS = "conversations.change"
    IMPORT_CONVERSATIONS = "conversations.import"
    DELETE_EXPIRED = "expired.delete"
    SEND_MESSAGES = "messages.send"
    """To patients, as the clinic."""
    DELIVER_MESSAGES = "messages.deliver"
    """From patients, as their channel."""
    REPORT_DELIVERY = "messages.report_delivery"
    READ_PATIENTS = "patients.read"
    CHANGE_PATIENTS = "patients.change"
    READ_STAFF = "staff.read"
    """The colleagues' names and roles, and who is there."""
    READ_REPORTS = "reports.read"
    CHANGE_OWN_PREFERENCES = "preferences.change"
    MANAGE_OWN_ACCOUNT = "account.manage"
    """What all of a person's clinics share: name, password, second factor."""
    MANAGE_OWN_SESSIONS = "sessions.manage"
    MANAGE_STAFF = "staff.manage"
    MANAGE_CLINIC = "clinic.manage"
    MANAGE_TOKENS = "tokens.manage"
    MANAGE_WEBHOOKS = "webhooks.manage"
    READ_AUDIT_TRAIL = "audit.read"


_OWN = frozenset(
    {
        Permission.CHANGE_OWN_PREFERENCES,
        Permission.MANAGE_OWN_ACCOUNT,
        Permission.MANAGE_OWN_SESSIONS,
    }
)
# The word of a clinic's identity provider, which its administrators control, opens what is the
# clinic's and nothing that lets the person in elsewhere.
NOT_BY_PROVIDER = frozenset({Permission.MANAGE_OWN_ACCOUNT})
_DESK = frozenset(
    {
        Permission.READ_CONVERSATIONS,
        Permission.CHANGE_CONVERSATIONS,
        Permission.SEND_MESSAGES,
        Permission.READ_PATIENTS,
        Permission.CHANGE_PATIENTS,
        Permission.READ_STAFF,
        Permission.READ_REPORTS,
    }
    | _OWN
)
_ADMINISTRATION = frozenset(
    {
        Permission.MANAGE_STAFF,
        Permission.MANAGE_CLINIC,
        Permission.MANAGE_TOKENS,
        Permission.MANAGE_WEBHOOKS,
        Permission.READ_AUDIT_TRAIL,
    }
)
OF_ROLES: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: _DESK | _ADMINISTRATION,
    Role.PROFESSIONAL: _DESK,
    Role.RECEPTIONIST: _DESK,
    Role.AUDITOR: _OWN | {Permission.READ_AUDIT_TRAIL, Permission.READ_REPORTS},
}
# A program's way to what its clinic does all day, and to no account.
_PROGRAMS = frozenset(
    {
        Permission.DELIVER_MESSAGES,
        Permission.REPORT_DELIVERY,
        Permission.READ_CONVERSATIONS,
        Permission.CHANGE_CONVERSATIONS,
        Permission.SEND_MESSAGES,
        Permission.READ_PATIENTS,
        Permission.CHANGE_PATIENTS,
        Permission.READ_STAFF,
        Permission.MANAGE_WEBHOOKS,
    }
)
OF_OTHERS: dict[type[Actor], frozenset[Permission]] = {
    PatientActor: frozenset(),
    TokenActor: _PROGRAMS,
    SystemActor: frozenset(Permission),
}


def allows(actor: Actor, permission: Permission) -> bool:
    """Whether an actor may do this in their clinic."""
    if isinstance(actor, StaffActor):
        if actor.by_provider and permission in NOT_BY_PROVIDER:
            return False
        if actor.token_permissions is not None and permission not in actor.token_permissions:
            return False
        return permission in (_OWN if actor.is_restricted else OF_ROLES[actor.role])
    if isinstance(actor, TokenActor) and permission not in actor.permissions:
        return False
    return permission in OF_OTHERS[type(actor)]


def require(scope: ClinicScope, permission: Permission) -> None:
    """Return when the scope's actor has the permission.

    Raises:
        Forbidden: the actor does not have it.
    """
    if not allows(scope.actor, permission):
        raise Forbidden(f"this needs {permission}")
