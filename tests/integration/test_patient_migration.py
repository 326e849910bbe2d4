"""Numbers and names that were stored before get today's form, and nobody is merged."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Insert, Uuid, column, insert, select, table
from sqlalchemy.ext.asyncio import create_async_engine

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.messages.message import receive_message
from clinic_chat.domain.queries.inbox import list_conversations
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
PATIENTS = table(
    "patients", column("clinic_id", Uuid()), *map(column, ("name", "phone", "phone_shown"))
)
# Each in the columns of then: the tables of today have more.
CONVERSATION = {
    "clinic_id": AURORA,
    "channel": "api",
    "status": "open",
    "version": 1,
    "last_seq": 1,
    "inbound_count": 1,
    "preview": "Oi",
    "preview_direction": "inbound",
    "preview_author": "",
    "preview_status": "sent",
    "last_activity_at": MOMENT,
    "created_at": MOMENT,
}
MESSAGE = {
    "clinic_id": AURORA,
    "seq": 1,
    "direction": "inbound",
    "body": "Oi",
    "origin": "api",
    "status": "sent",
    "created_at": MOMENT,
    "failure": "",
}
TYPES = {"id": Uuid(), "clinic_id": Uuid(), "patient_id": Uuid(), "conversation_id": Uuid()}


def row_of(name: str, values: dict[str, Any]) -> Insert:
    """An insert into a table as it was then."""
    types = TYPES | {key: UtcDateTime() for key in values if key.endswith("_at")}
    columns = [column(key, types.get(key)) for key in values]
    return insert(table(name, *columns)).values(**values)


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
    async with engine.begin() as connection:
        for one in (AURORA, BOREAL):
            clinic = {"id": one, "slug": f"c{one.int}", "name": "C", "timezone": "UTC"}
            clinic |= {"last_event_seq": 0, "created_at": MOMENT}
            await connection.execute(row_of("clinics", clinic))
        for number, (name, (clinic_id, phone)) in enumerate(BEFORE.items(), 10):
            its = UUID(int=number)
            patient = {"id": its, "clinic_id": clinic_id, "name": name, "search_name": name}
            patient |= {"phone": phone, "created_at": MOMENT}
            await connection.execute(row_of("patients", patient))
            conversation = CONVERSATION | {"id": its, "patient_id": its, "clinic_id": clinic_id}
            await connection.execute(row_of("conversations", conversation))
            message = MESSAGE | {"id": its, "conversation_id": its, "clinic_id": clinic_id}
            message |= {"author_name": name, "client_id": str(number)}
            await connection.execute(row_of("messages", message))

    await migrate(empty_url)

    async with engine.connect() as connection:
        columns = (PATIENTS.c.name, PATIENTS.c.clinic_id, PATIENTS.c.phone, PATIENTS.c.phone_shown)
        rows = (await connection.execute(select(*columns))).all()
        messages = table("messages", column("author_name"))
        authors = set(await connection.scalars(select(messages.c.author_name)))
    await engine.dispose()
    assert authors == {name for name, _, _ in AFTER}
    assert {(name, clinic_id, phone) for name, clinic_id, phone, _ in rows} == AFTER
    assert {name: shown for name, _, _, shown in rows if shown} == {
        "alone": "+551187650001",
        "elsewhere": "+552187650002",
    }

    database = Database(empty_url)
    aurora = ClinicScope(database, AURORA)
    for key, phone in enumerate(["+551187650001", "+552187650002"]):
        await receive_message(aurora, name="Maria", phone=phone, body="Oi", external_id=str(key))
    page = await list_conversations(aurora)
    await database.close()
    assert {row.patient_name for row in page.rows if row.inbound_count == 2} == {
        "alone",
        "twin with nine",
    }
    assert len(page.rows) == len([None for _, clinic_id, _ in AFTER if clinic_id == AURORA])
