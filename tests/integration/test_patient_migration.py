"""Numbers and names that were stored before get today's form, and nobody is merged."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Uuid, column, insert, select, table
from sqlalchemy.ext.asyncio import create_async_engine

from clinic_chat.domain.inbox import list_conversations
from clinic_chat.domain.messages import receive_message
from clinic_chat.domain.scope import ClinicScope
from clinic_chat.storage.base import UtcDateTime
from clinic_chat.storage.database import Database
from clinic_chat.storage.migrate import alembic_config, migrate

AURORA, BOREAL = UUID(int=1), UUID(int=2)
MOMENT = datetime(2026, 5, 6, tzinfo=UTC)
BEFORE = {
    "alone": (AURORA, "+551187650001"),
    "landline": (AURORA, "+551132650001"),
    "twin": (AURORA, "+552187650002"),
    "twin with nine": (AURORA, "+5521987650002"),
    "elsewhere": (BOREAL, "+552187650002"),
    "foreign": (AURORA, "+15551234567"),
    # Names that name nobody.
    "+5511977770003": (AURORA, "+5511977770003"),
    "\u3164": (AURORA, "+5511977770004"),
}
AFTER = {
    ("alone", AURORA, "+5511987650001"),
    ("landline", AURORA, "+551132650001"),
    ("twin", AURORA, "+552187650002"),
    ("twin with nine", AURORA, "+5521987650002"),
    ("elsewhere", BOREAL, "+5521987650002"),
    ("foreign", AURORA, "+15551234567"),
    ("", AURORA, "+5511977770003"),
    ("", AURORA, "+5511977770004"),
}
# As the migration finds them: the tables of today may have more columns.
CLINICS = table(
    "clinics",
    column("id", Uuid()),
    *map(column, ("slug", "name", "timezone", "last_event_seq")),
    column("created_at", UtcDateTime()),
)
PATIENTS = table(
    "patients",
    column("id", Uuid()),
    column("clinic_id", Uuid()),
    *map(column, ("name", "search_name", "phone", "phone_shown")),
    column("created_at", UtcDateTime()),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url


async def test_numbers_and_names_get_todays_form_unless_another_record_has_it(
    empty_url: str,
) -> None:
    config = alembic_config(empty_url)
    revision = ScriptDirectory.from_config(config).get_revision("0004")
    await asyncio.to_thread(command.upgrade, config, str(revision.down_revision))
    engine = create_async_engine(empty_url)
    clinic = {"timezone": "America/Sao_Paulo", "last_event_seq": 0, "created_at": MOMENT}
    async with engine.begin() as connection:
        await connection.execute(
            insert(CLINICS),
            [clinic | {"id": one, "slug": f"c{one.int}", "name": "C"} for one in (AURORA, BOREAL)],
        )
        for number, (name, (clinic_id, phone)) in enumerate(BEFORE.items(), 10):
            row = {"id": UUID(int=number), "name": name, "search_name": name, "phone": phone}
            await connection.execute(
                insert(PATIENTS).values(**row, clinic_id=clinic_id, created_at=MOMENT)
            )

    await migrate(empty_url)

    async with engine.connect() as connection:
        columns = (PATIENTS.c.name, PATIENTS.c.clinic_id, PATIENTS.c.phone, PATIENTS.c.phone_shown)
        rows = (await connection.execute(select(*columns))).all()
    await engine.dispose()
    assert {(name, clinic_id, phone) for name, clinic_id, phone, _ in rows} == AFTER
    assert {name: shown for name, _, _, shown in rows if shown} == {
        "alone": "+551187650001",
        "elsewhere": "+552187650002",
    }

    database = Database(empty_url)
    aurora = ClinicScope(database, AURORA)
    for key, phone in enumerate(["+551187650001", "+552187650002"]):
        await receive_message(aurora, name="Maria", phone=phone, body="Oi", external_id=str(key))
    found = {row.patient_name for row in (await list_conversations(aurora)).rows}
    await database.close()
    assert found == {"alone", "twin with nine"}
