"""What administrators set for their clinic."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

from sqlalchemy import select

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.users import LOCALES
from clinic_chat.domain.administration.audit_trail import Action, record_action
from clinic_chat.domain.clinics.business_hours import stored_hours, valid_hours
from clinic_chat.domain.clinics.clinic import Clinic, check_timezone
from clinic_chat.domain.clinics.scope import ClinicScope, locked_clinic
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.events.log import SubjectKind
from clinic_chat.domain.validation import valid_name
from clinic_chat.storage.base import now

IDLE_MINUTES = (5, 24 * 60)
RETENTION_MONTHS = (6, 600)
# Whoever sets a term may think better of it, or be asked about it, before anything is gone.
RETENTION_DELAY = timedelta(days=7)


@dataclass(frozen=True)
class ClinicSettings:
    """A clinic's settings."""

    name: str
    timezone: str
    """An IANA name, in which times are shown."""
    locale: str
    """The language for people who chose none; "" is their browser's."""
    session_idle_minutes: int
    """After so long without doing anything a session ends; 0 is the server's own setting."""
    second_factor_required: bool = False
    """Whether members may do nothing else before they have set up a second factor."""
    business_hours: dict[str, list[list[str]]] = field(default_factory=dict)
    """When the clinic is open, as `valid_hours` returns it; {} says nothing."""
    retention_months: int = 0
    """So long after its last message a resolved conversation is kept; 0 is for ever."""
    retention_from: datetime | None = None
    """When deletion begins or began; it follows from the change of the term."""


async def read_clinic_settings(scope: ClinicScope) -> ClinicSettings:
    """The clinic's settings as they are now."""
    require(scope, Permission.MANAGE_CLINIC)
    async with scope.database.read() as session:
        clinic = await session.scalar(select(Clinic).where(Clinic.id == scope.clinic_id))
    assert clinic is not None  # noqa: S101 - a scope is of a clinic
    return _settings(clinic)


class ClinicChanges(TypedDict, total=False):
    """The settings to change, as in `ClinicSettings`; the others stay as they are."""

    name: str
    timezone: str
    locale: str
    session_idle_minutes: int
    second_factor_required: bool
    business_hours: dict[str, list[list[str]]]
    retention_months: int


async def change_clinic_settings(scope: ClinicScope, **changes: Unpack[ClinicChanges]) -> None:
    """Change some of the clinic's settings.

    Raises:
        InvalidInput: `timezone_invalid`, `locale_invalid`, `idle_invalid` or a rule of
            `valid_name`, `valid_hours`, or `retention_invalid`.
    """
    require(scope, Permission.MANAGE_CLINIC)
    wanted = _valid(changes)
    async with scope.write() as session:
        clinic = locked_clinic(session)
        before = vars(_settings(clinic))
        changed = {key: [before[key], new] for key, new in wanted.items() if before[key] != new}
        for key in changed:
            setattr(clinic, key, wanted[key])
        clinic.business_hours = clinic.business_hours or None
        if "retention_months" in changed:
            clinic.retention_from = now() + RETENTION_DELAY if clinic.retention_months else None
        if changed:
            await record_action(
                session,
                scope,
                Action.CLINIC_CHANGED,
                (SubjectKind.CLINIC, clinic.id, clinic.name),
                changed=changed,
            )


def _valid(changes: ClinicChanges) -> dict[str, Any]:
    wanted = dict(changes)
    if "name" in changes:
        wanted["name"] = valid_name(changes["name"])
    if "timezone" in changes:
        check_timezone(changes["timezone"])
    if changes.get("locale", "") not in ("", *LOCALES):
        raise InvalidInput(f"locale must be one of {', '.join(LOCALES)}", code="locale_invalid")
    low, high = IDLE_MINUTES
    if (minutes := changes.get("session_idle_minutes", 0)) and not low <= minutes <= high:
        raise InvalidInput(f"{low} to {high} minutes, or 0", code="idle_invalid")
    if "business_hours" in changes:
        wanted["business_hours"] = valid_hours(stored_hours(changes["business_hours"]))
    low, high = RETENTION_MONTHS
    if (months := changes.get("retention_months", 0)) and not low <= months <= high:
        raise InvalidInput(f"{low} to {high} months, or 0", code="retention_invalid")
    return wanted


def _settings(clinic: Clinic) -> ClinicSettings:
    return ClinicSettings(
        clinic.name,
        clinic.timezone,
        clinic.locale,
        clinic.session_idle_minutes,
        clinic.second_factor_required,
        clinic.business_hours or {},
        clinic.retention_months,
        clinic.retention_from,
    )
