"""Fills an empty database with the demo clinics."""

from uuid import UUID

from clinic_chat.demo.people import CLINICS, DEMO_PASSWORD, STAFF, DemoClinic
from clinic_chat.demo.replay import replay
from clinic_chat.demo.script import load_scripts
from clinic_chat.domain.accounts.users import User, create_user
from clinic_chat.domain.clinics.clinic import any_clinic, create_clinic
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import Conflict
from clinic_chat.storage.database import Database


async def fill_demo(database: Database) -> bool:
    """Create the demo clinics, their staff, patients and conversations.

    Returns whether it did: a database that has any clinic is left alone.
    """
    if await any_clinic(database):
        return False
    scopes: list[ClinicScope] = []
    try:
        for clinic in CLINICS:
            made = await create_clinic(database, clinic.slug, clinic.name, clinic.timezone)
            scopes.append(ClinicScope(database, made.id))
    except Conflict:
        # Another process found the same empty database a moment earlier.
        return False
    for clinic, scope in zip(CLINICS, scopes, strict=True):
        staff = await _hire(database, clinic, scope.clinic_id)
        async with scope.write() as session:
            await replay(session, load_scripts(clinic.slug), staff, clinic.zone)
    return True


async def _hire(database: Database, clinic: DemoClinic, clinic_id: UUID) -> dict[str, User]:
    """The clinic's staff, by what the conversations call them."""
    return {
        person.handle: await create_user(
            database,
            clinic_id,
            person.email,
            person.name,
            DEMO_PASSWORD,
            person.roles[clinic.slug],
            person.locale,
            published=True,
        )
        for person in STAFF
        if clinic.slug in person.roles
    }
