"""Patient pages: the patients of a clinic by age, or those who match."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.patient_records.views import PatientRecord, patient_records
from clinic_chat.domain.patients.identities import (
    Identity,
    external_identity,
    held_identities,
    phone_identity,
)
from clinic_chat.domain.patients.patient import Patient
from clinic_chat.domain.queries.filters import SEARCH_LIMIT, matches
from clinic_chat.domain.queries.patient_candidates import candidates
from clinic_chat.domain.validation import storable

PAGE_SIZE = 30


@dataclass(frozen=True)
class PatientPage:
    """Patients, the oldest record first; `cursor` continues after them, "" at the end."""

    patients: list[PatientRecord]
    cursor: str


async def list_patients(
    scope: ClinicScope, *, search: str = "", cursor: str = "", limit: int = PAGE_SIZE
) -> PatientPage:
    """A page of the clinic's patients, those who match a search (queries/search.py) or all.

    Raises:
        InvalidInput: `search_too_long`, `search_invalid` or `cursor_invalid`.
    """
    require(scope, Permission.READ_PATIENTS)
    if len(search) > SEARCH_LIMIT:
        raise InvalidInput(f"search with at most {SEARCH_LIMIT} characters", code="search_too_long")
    if not storable(search):
        raise InvalidInput("no text that names have", code="search_invalid")
    after = _parse_cursor(cursor) if cursor else None
    async with scope.read() as session:
        statement = await _matching(session, search.strip())
        if after is not None:
            statement = statement.where(Patient.id > after)
        found = list(await session.scalars(statement.order_by(Patient.id).limit(limit + 1)))
        rows = found[:limit]
        records = await session.run_sync(patient_records, rows)
    return PatientPage(records, records[-1].id if len(found) > limit else "")


async def find_patients(
    scope: ClinicScope, *, phone: str | None = None, external_id: str | None = None
) -> list[PatientRecord]:
    """The patient who has this phone or address, or another system's id: a list of one or none.

    Both are read as channels' are, so that any spelling of a number finds it.

    Raises:
        InvalidInput: `phone_missing`: nothing to see.
    """
    require(scope, Permission.READ_PATIENTS)
    identity = phone_identity(phone) if phone is not None else external_identity(external_id)
    if identity is None or not storable(identity.value):
        return []
    async with scope.read() as session:
        return await session.run_sync(_holders, identity)


def _holders(session: Any, identity: Identity) -> list[PatientRecord]:
    held = held_identities(session, [identity])
    return patient_records(session, [patient for _, patient in held.values()])


async def _matching(session: AsyncSession, search: str) -> Any:
    """The statement for those who match, by the index of words when they are few."""
    if not search:
        return select(Patient)
    few = await candidates(session, search)
    statement = select(Patient).where(matches(search))
    return statement if few is None else statement.where(Patient.id.in_(few))


def _parse_cursor(cursor: str) -> UUID:
    try:
        return UUID(cursor)
    except ValueError:
        raise InvalidInput("not a cursor of this list", code="cursor_invalid") from None
