"""A large clinic on SQLite or PostgreSQL, the same at every run, written in bulk."""

import asyncio
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import make_url, update

from clinic_chat.domain.accounts.users import Membership, create_user
from clinic_chat.domain.clinics.actors import Role, StaffActor
from clinic_chat.domain.clinics.clinic import Clinic, create_clinic
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.storage.database import Database
from clinic_chat.storage.sqlite.library import sqlite3
from tests.load.servers.volume_rows import Rows, Volume

PASSWORD = "many-people-at-once"
PEOPLE = 4
AT_ONCE = 20_000


@dataclass(frozen=True)
class LargeClinic:
    """What a measurement needs of the clinic."""

    scope: ClinicScope
    """Of a receptionist."""
    conversations: list[UUID]
    phones: list[str]


async def fill_volume(database: Database, volume: Volume) -> LargeClinic:
    """Write a clinic of this size into a migrated, empty database."""
    clinic = await create_clinic(database, "volume", "Clínica Grande")
    emails = [f"pessoa{number}@volume.example" for number in range(PEOPLE)]
    people = [
        UUID(str((await create_user(database, clinic.id, email, email, PASSWORD)).id))
        for email in emails
    ]
    made = Rows(clinic.id, people, volume)
    if make_url(database.url).get_backend_name() == "sqlite":
        await asyncio.to_thread(_write_sqlite, database.url, made)
    else:
        await _write_postgresql(database.url, made)
    async with database.write() as session:
        events = volume.conversations * volume.messages_each
        await session.execute(update(Clinic).values(last_event_seq=events))
        for person, counts in made.read_counts().items():
            kept = {"personal_version": volume.conversations, "read_counts": counts}
            await session.execute(
                update(Membership).where(Membership.user_id == person).values(**kept)
            )
    scope = ClinicScope(database, clinic.id, StaffActor(people[0], Role.RECEPTIONIST))
    ids = [made.id_of("conversations", n) for n in range(volume.conversations)]
    return LargeClinic(scope, ids, [made.phone(n) for n in range(volume.conversations)])


def _write_sqlite(url: str, made: Rows) -> None:
    path = make_url(url).database or ""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_size=-200000")
        connection.execute("BEGIN IMMEDIATE")
        for table, columns, rows in made.tables():
            marks = ", ".join("?" * len(columns))
            insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
            connection.executemany(insert, (tuple(map(_sqlite_value, row)) for row in rows))
        connection.execute("COMMIT")


def _sqlite_value(value: Any) -> Any:
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    return value


async def _write_postgresql(url: str, made: Rows) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        async with connection.transaction():
            for table, columns, rows in made.tables():
                left = iter(rows)
                while some := list(islice(left, AT_ONCE)):
                    await connection.copy_records_to_table(table, records=some, columns=columns)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
