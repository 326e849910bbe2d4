"""Migrations lead to exactly the tables the code declares, once, however many run them."""

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from clinic_chat.demo.fill import fill_demo
from clinic_chat.doctor.examination import examine_database
from clinic_chat.doctor.finding import Verdict
from clinic_chat.doctor.keeping import KEEPING
from clinic_chat.domain.tables import metadata
from clinic_chat.folding import search_key
from clinic_chat.storage.database import Database
from clinic_chat.storage.migrate import alembic_config, migrate

HEAD = ScriptDirectory.from_config(alembic_config("")).get_current_head()
PROCESSES = 2


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables; the test runs once on each kind."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url


async def _in(url: str, ask: Callable[[Connection], Any]) -> Any:
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        answer = await connection.run_sync(ask)
    await engine.dispose()
    return answer


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return compare_metadata(context, metadata)


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def _schema(connection: Connection) -> dict[str, Any]:
    found = inspect(connection)
    return {
        table: [
            sorted(map(str, part))
            for part in (
                found.get_columns(table),
                [found.get_pk_constraint(table)],
                found.get_indexes(table),
                found.get_foreign_keys(table),
                found.get_unique_constraints(table),
            )
        ]
        for table in metadata.tables
    }


async def test_migrations_make_exactly_the_declared_tables(empty_url: str) -> None:
    await migrate(empty_url)
    assert await _in(empty_url, _differences) == []
    assert await _in(empty_url, _tables) == {*metadata.tables, "alembic_version"}
    assert await _in(empty_url, _revision) == HEAD


async def test_migrations_name_and_tie_everything_as_the_code_does(tmp_path: Path) -> None:
    migrated, declared = (
        f"sqlite+aiosqlite:///{tmp_path / name}.db" for name in ("migrated", "declared")
    )
    await migrate(migrated)
    engine = create_async_engine(declared)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()
    assert await _in(migrated, _schema) == await _in(declared, _schema)


async def test_a_migration_that_fails_in_the_middle_leaves_nothing_behind(empty_url: str) -> None:
    def in_the_way(command: str) -> Callable[[Connection], None]:
        def execute(connection: Connection) -> None:
            connection.exec_driver_sql(command)
            connection.commit()

        return execute

    await _in(empty_url, in_the_way("CREATE TABLE messages (id INTEGER)"))
    with pytest.raises(DBAPIError):
        await migrate(empty_url)
    assert await _in(empty_url, _tables) == {"messages"}
    await _in(empty_url, in_the_way("DROP TABLE messages"))
    await migrate(empty_url)
    assert await _in(empty_url, _differences) == []


async def test_migrating_again_changes_nothing(empty_url: str) -> None:
    await migrate(empty_url)
    before = await _in(empty_url, _schema)
    await migrate(empty_url)
    assert await _in(empty_url, _schema) == before
    assert await _in(empty_url, _revision) == HEAD


async def test_going_back_leaves_nothing_behind(empty_url: str) -> None:
    await migrate(empty_url)
    await asyncio.to_thread(command.downgrade, alembic_config(empty_url), "base")
    assert await _in(empty_url, _tables) <= {"alembic_version"}
    await migrate(empty_url)
    assert await _in(empty_url, _differences) == []


async def test_tasks_that_migrate_at_the_same_time_all_succeed(empty_url: str) -> None:
    await asyncio.gather(*(migrate(empty_url) for _ in range(PROCESSES)))
    assert await _in(empty_url, _differences) == []


async def test_processes_that_migrate_at_the_same_time_all_succeed(empty_url: str) -> None:
    program = (
        "import asyncio, sys; from clinic_chat.storage.migrate import migrate;"
        "print('ready', flush=True); sys.stdin.readline(); asyncio.run(migrate(sys.argv[1]))"
    )
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", program, empty_url),
            cwd=Path(__file__).parents[3],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    results = await asyncio.gather(*(process.communicate(b"\n") for process in processes))
    assert [process.returncode for process in processes] == [0] * PROCESSES, results
    assert await _in(empty_url, _differences) == []


async def test_names_of_before_are_searched_by_the_new_rule(empty_url: str) -> None:
    clinic, patient = uuid4(), uuid4()

    def fill(connection: Connection) -> None:
        tables = MetaData()
        tables.reflect(connection, only=["clinics", "patients"])
        at = datetime(2030, 1, 1, tzinfo=UTC)
        connection.execute(
            tables.tables["clinics"]
            .insert()
            .values(
                id=clinic.hex,
                slug="aurora",
                name="Aurora",
                timezone="UTC",
                last_event_seq=0,
                created_at=at,
            )
        )
        connection.execute(
            tables.tables["patients"]
            .insert()
            .values(
                id=patient.hex,
                clinic_id=clinic.hex,
                name="Maria D’Ávila",
                search_name="maria d’avila",
                created_at=at,
            )
        )
        connection.commit()

    await asyncio.to_thread(command.upgrade, alembic_config(empty_url), "0002")
    await _in(empty_url, fill)
    await migrate(empty_url)
    found = await _in(
        empty_url, lambda c: c.execute(text("SELECT search_name FROM patients")).scalar()
    )
    assert found == search_key("Maria D’Ávila") == "maria d'avila davila"


async def test_what_is_kept_beside_the_rows_is_made_of_those_of_before(empty_url: str) -> None:
    await migrate(empty_url)
    database = Database(empty_url)
    assert await fill_demo(database)
    await database.close()
    await asyncio.to_thread(command.downgrade, alembic_config(empty_url), "0009")

    await migrate(empty_url)

    found = await examine_database(empty_url, KEEPING)
    assert [one.text for one in found if one.verdict is not Verdict.OK] == []
    tables = MetaData()
    await _in(empty_url, tables.reflect)
    for name in ("word_parts", "patient_words", "conversation_totals"):
        rows = select(tables.tables[name])
        assert await _in(empty_url, partial(Connection.scalar, statement=rows))


async def test_statistics_of_sqlite_are_the_same_in_every_database(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'clinic_chat.db'}"
    await migrate(url)
    kept = await _in(url, lambda c: c.execute(text("SELECT * FROM sqlite_stat1")).all())
    assert ("word_parts", "word_parts", "1000000 1000000 10 1") in map(tuple, kept)
    named = {row.idx for row in kept}
    for table in metadata.tables.values():
        assert {index.name for index in table.indexes} <= named
