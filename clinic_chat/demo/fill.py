"""Demo setup: fills an empty database with the demo clinics."""

from contextlib import suppress
from uuid import UUID

from clinic_chat.demo.people import CLINICS, DEMO_PASSWORD, STAFF, DemoClinic
from clinic_chat.demo.replay import replay
from clinic_chat.demo.script import load_scripts
from clinic_chat.domain.accounts.administration import find_user
from clinic_chat.domain.accounts.users import User, create_user
from clinic_chat.domain.clinics.actors import SYSTEM
from clinic_chat.domain.clinics.clinic import clinic_names, create_clinic, find_clinic
from clinic_chat.domain.clinics.scope import ClinicScope, locked_clinic
from clinic_chat.domain.errors import Conflict
from clinic_chat.domain.events.log import last_seq
from clinic_chat.storage.database import Database


async def fill_demo(database: Database) -> bool:
    """Create the demo clinics with staff, patients and conversations, as far as they are missing.

    Returns whether it did anything: a database with any other clinic is left alone.
    """
    demo = {clinic.slug: clinic.name for clinic in CLINICS}
    if not (await clinic_names(database)).items() <= demo.items():
        return False
    done = [await _fill_clinic(database, clinic) for clinic in CLINICS]
    return any(done)


async def _fill_clinic(database: Database, demo: DemoClinic) -> bool:
    with suppress(Conflict):
        await create_clinic(database, demo.slug, demo.name, demo.timezone, is_demo=True)
    scope = ClinicScope(database, (await find_clinic(database, demo.slug)).id, SYSTEM)
    if await last_seq(scope):
        return False
    staff = await _hire(database, demo, scope.clinic_id)
    async with scope.write() as session:
        # Another process may have found the same empty clinic a moment earlier.
        if locked_clinic(session).last_event_seq:
            return False
        await replay(session, load_scripts(demo.slug), staff, demo.zone)
    return True


async def _hire(database: Database, clinic: DemoClinic, clinic_id: UUID) -> dict[str, User]:
    """The clinic's staff, by their handles in the conversations; creates those who are missing."""
    hired: dict[str, User] = {}
    for person in STAFF:
        if clinic.slug not in person.roles:
            continue
        with suppress(Conflict):
            await create_user(
                database,
                clinic_id,
                person.email,
                person.name,
                DEMO_PASSWORD,
                person.roles[clinic.slug],
                person.locale,
                published=True,
            )
        hired[person.handle] = await find_user(database, person.email)
    return hired
