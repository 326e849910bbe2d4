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

from clinic_chat.domain.clinics.actors import SYSTEM
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.messages.receiving import receive_message
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
    "patients",
    column("id", Uuid()),
    column("clinic_id", Uuid()),
    *map(column, ("name", "search_name", "phone_shown", "search_phones")),
)
PATIENT_IDENTITIES = table(
    "patient_identities",
    column("patient_id", Uuid()),
    *map(column, ("kind", "value", "shown")),
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
EVENT = {
    "clinic_id": AURORA,
    "type": "message:new",
    "payload": "{}",
    "at": MOMENT,
}
TYPES = {"id": Uuid(), "clinic_id": Uuid(), "patient_id": Uuid(), "conversation_id": Uuid()}


def row_of(name: str, values: dict[str, Any]) -> Insert:
    """An insert into a table as it was then."""
    types = TYPES | {key: UtcDateTime() for key in values if key.endswith("_at") or key == "at"}
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
        identity = PATIENT_IDENTITIES.c
        rows = (
            await connection.execute(
                select(
                    PATIENTS.c.name, PATIENTS.c.clinic_id, identity.value, PATIENTS.c.phone_shown
                )
                .join(PATIENT_IDENTITIES, identity.patient_id == PATIENTS.c.id)
                .where(identity.kind == "phone")
            )
        ).all()
        messages = table("messages", column("author_name"))
        authors = set(await connection.scalars(select(messages.c.author_name)))
    await engine.dispose()
    assert authors == {name for name, _, _ in AFTER}
    assert {(name, clinic_id, phone) for name, clinic_id, phone, _ in rows} == AFTER
    assert {name: shown for name, _, phone, shown in rows if shown != phone} == {
        "alone": "+551187650001",
        "elsewhere": "+552187650002",
    }

    database = Database(empty_url)
    aurora = ClinicScope(database, AURORA, SYSTEM)
    for key, phone in enumerate(["+551187650001", "+552187650002"]):
        await receive_message(aurora, name="Maria", phone=phone, body="Oi", external_id=str(key))
    page = await list_conversations(aurora)
    await database.close()
    assert {row.patient_name for row in page.rows if row.inbound_count == 2} == {
        "alone",
        "twin with nine",
    }
    assert len(page.rows) == len([None for _, clinic_id, _ in AFTER if clinic_id == AURORA])


async def test_every_way_to_reach_a_patient_is_kept_and_back_again(empty_url: str) -> None:
    config = alembic_config(empty_url)
    await asyncio.to_thread(command.upgrade, config, "0005")
    people = [
        {"name": "Maria", "phone": "+5511987650001", "phone_shown": "+551187650001"},
        {"name": "Ana", "phone": "+551132650001"},
        {"name": "Loja", "source_key": "address:loja@exemplo", "phone_shown": "loja@exemplo"},
        {"name": "MTS 0001", "source_key": "a" * 64},
        {"name": "\u202eairaM\u202c  Souza\u200b", "phone": "+5511977770005"},
    ]
    engine = create_async_engine(empty_url)
    async with engine.begin() as connection:
        clinic = {"id": AURORA, "slug": "c1", "name": "C", "timezone": "UTC"}
        clinic |= {"last_event_seq": 0, "created_at": MOMENT}
        await connection.execute(row_of("clinics", clinic))
        for number, person in enumerate(people, 10):
            its = UUID(int=number)
            patient = {"id": its, "clinic_id": AURORA, "search_name": person["name"].lower()}
            await connection.execute(row_of("patients", patient | person | {"created_at": MOMENT}))
            conversation = CONVERSATION | {"id": its, "patient_id": its, "preview_kind": "text"}
            await connection.execute(row_of("conversations", conversation))
            message = MESSAGE | {"id": its, "conversation_id": its, "kind": "text"}
            message |= {"author_name": person["name"], "client_id": str(number)}
            await connection.execute(row_of("messages", message))
            event = EVENT | {"seq": number, "conversation_id": its, "conversation_version": number}
            await connection.execute(row_of("events", event))

    await migrate(empty_url)

    async with engine.connect() as connection:
        log = table(
            "events",
            column("subject_id", Uuid()),
            *map(column, ("subject_kind", "subject_version")),
        )
        events = await connection.execute(
            select(log.c.subject_kind, log.c.subject_id, log.c.subject_version)
        )
        assert {tuple(row) for row in events} == {
            ("conversation", UUID(int=number), number) for number in range(10, 10 + len(people))
        }
        identity = PATIENT_IDENTITIES.c
        found = await connection.execute(
            select(
                PATIENTS.c.name,
                identity.kind,
                identity.value,
                identity.shown,
                PATIENTS.c.phone_shown,
                PATIENTS.c.search_phones,
            ).join(PATIENT_IDENTITIES, identity.patient_id == PATIENTS.c.id)
        )
        assert {tuple(row) for row in found} == {
            (
                "Maria",
                "phone",
                "+5511987650001",
                "+551187650001",
                "+551187650001",
                "+5511987650001",
            ),
            ("Ana", "phone", "+551132650001", "+551132650001", "+551132650001", "+551132650001"),
            ("Loja", "address", "loja@exemplo", "loja@exemplo", "loja@exemplo", None),
            ("MTS 0001", "import", "a" * 64, "", None, None),
            ("airaM Souza", "phone", *["+5511977770005"] * 4),
        }
        messages = table("messages", column("author_name"))
        authors = set(await connection.scalars(select(messages.c.author_name)))
        assert authors == {"Maria", "Ana", "Loja", "MTS 0001", "airaM Souza"}
        conversations = table("conversations", column("id", Uuid()))
        assert len((await connection.execute(select(conversations.c.id))).all()) == len(people)

    await asyncio.to_thread(command.downgrade, config, "0005")

    before = table("patients", *map(column, ("name", "phone", "source_key")))
    async with engine.connect() as connection:
        rows = await connection.execute(select(before.c.name, before.c.phone, before.c.source_key))
        assert {tuple(row) for row in rows} == {
            ("Maria", "+5511987650001", None),
            ("Ana", "+551132650001", None),
            ("Loja", None, "address:loja@exemplo"),
            ("MTS 0001", None, "a" * 64),
            ("airaM Souza", "+5511977770005", None),
        }
        log = table("events", column("conversation_id", Uuid()), column("conversation_version"))
        events = await connection.execute(select(log.c.conversation_id, log.c.conversation_version))
        assert {tuple(row) for row in events} == {
            (UUID(int=number), number) for number in range(10, 10 + len(people))
        }
    await engine.dispose()
