"""PostgreSQL is dumped and restored by its own programs, which never get a password to show."""

import asyncio
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clinic_chat.backups.backup import make_backup
from clinic_chat.backups.errors import BackupError
from clinic_chat.backups.postgresql import _environment, restore_dump
from clinic_chat.backups.restore import restore_backup
from clinic_chat.doctor.examination import examine_database
from clinic_chat.doctor.finding import exit_code
from clinic_chat.domain.queries.message_pages import messages_page
from clinic_chat.settings import Settings
from clinic_chat.storage.database import Database
from tests.integration.backups.contents import fill, names_in

FAILS = """#!/bin/sh
echo "pg_dump: detail: something else" >&2
echo "pg_dump: error: server version mismatch" >&2
echo "DETAIL: what follows may quote rows" >&2
exit 1
"""


@pytest.fixture
def postgres(postgres_database_url: str) -> Settings:
    """A server on PostgreSQL."""
    return Settings(database_url=postgres_database_url, secret_key="", backup_dir=None)


@pytest.mark.usefixtures("postgres_programs")
async def test_everything_is_restored_into_an_empty_database(
    postgres_database: Database,
    populate: Callable[..., Any],
    postgres: Settings,
    empty_postgres_url: str,
    tmp_path: Path,
) -> None:
    clinics = await populate(postgres_database)
    conversation = await fill(clinics)
    file = tmp_path / "b.tar.gz"
    made = await asyncio.to_thread(make_backup, postgres, file, with_key=False)
    assert made.manifest.counts["messages"] == 3
    assert names_in(tmp_path) == ["b.tar.gz"]

    with pytest.raises(BackupError, match="has tables already"):
        await asyncio.to_thread(restore_backup, postgres, file)
    elsewhere = postgres.model_copy(update={"database_url": empty_postgres_url})
    await asyncio.to_thread(restore_backup, elsewhere, file, key_file=tmp_path / "key")

    found = await examine_database(empty_postgres_url)
    assert exit_code(found) == 0, found
    restored = Database(empty_postgres_url)
    clinics_there = type(clinics.ana)(restored, clinics.ana.clinic_id, clinics.ana.actor)
    before = await messages_page(clinics.ana, conversation)
    assert await messages_page(clinics_there, conversation) == before
    await restored.close()


def test_without_the_programs_one_sentence_says_what_to_run(
    postgres: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BackupError, match="run where they are: pg_dump --format=custom"):
        make_backup(postgres, tmp_path / "b")
    with pytest.raises(BackupError, match="run where they are: pg_restore"):
        restore_dump(postgres.database_url, tmp_path / "b")
    assert names_in(tmp_path) == []


def test_what_a_program_says_is_passed_on_and_nothing_is_left(
    postgres: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    program = programs / "pg_dump"
    program.write_text(FAILS)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    with pytest.raises(BackupError) as refused:
        make_backup(postgres, tmp_path / "b")
    assert str(refused.value) == "pg_dump: error: server version mismatch"
    assert names_in(tmp_path) == ["programs"]


def test_the_password_is_in_the_environment_of_the_program_alone() -> None:
    told = _environment("postgresql+asyncpg://eva:p%40ss@db.example:5433/chat?ssl=require")
    assert {name: told[name] for name in told if name.startswith("PG")} == {
        "PGHOST": "db.example",
        "PGPORT": "5433",
        "PGUSER": "eva",
        "PGPASSWORD": "p@ss",
        "PGDATABASE": "chat",
        "PGSSLMODE": "require",
    }
    assert "PGPASSWORD" not in os.environ
    socket = _environment("postgresql+asyncpg://postgres@/chat?host=/run/pg")
    assert socket["PGHOST"] == "/run/pg"
