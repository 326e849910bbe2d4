"""A drill restores the newest backup aside, examines it, and leaves nothing."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pyrage
import pytest
from alembic import command

from clinic_chat.backups import backup as backup_module
from clinic_chat.backups.archives.manifest import Manifest
from clinic_chat.backups.backup import make_backup
from clinic_chat.backups.schedule import backup_name
from clinic_chat.doctor.finding import Finding, Verdict, exit_code
from clinic_chat.doctor.restore_drill import drill
from clinic_chat.settings import Settings
from clinic_chat.storage.database import Database
from clinic_chat.storage.inspection import sqlite_url
from clinic_chat.storage.migrate import alembic_config
from tests.integration.backups.contents import change, names_in

NOW = datetime.now(UTC)


@pytest.fixture
def drilled(settings: Settings, backups: Path) -> Settings:
    """A server with a folder for backups."""
    return settings.model_copy(update={"backup_dir": backups})


def subjects(findings: list[Finding], verdict: Verdict) -> set[str]:
    return {finding.subject for finding in findings if finding.verdict is verdict}


@pytest.mark.usefixtures("conversation", "postgres_programs")
async def test_the_newest_backup_is_found_whole_and_nothing_is_left(
    any_database: Database, drilled: Settings, backups: Path, tmp_path: Path
) -> None:
    drilled = drilled.model_copy(update={"database_url": any_database.url})
    (backups / backup_name(NOW - timedelta(days=1), encrypted=False)).write_text("broken")
    await asyncio.to_thread(
        make_backup, drilled, backups / backup_name(NOW, encrypted=False), with_key=False
    )
    before = names_in(tmp_path), names_in(backups)

    found = await drill(drilled)

    assert exit_code(found) == 0, found
    assert {"restore drill", "restored rows", "restored pages", "restored messages"} <= subjects(
        found, Verdict.OK
    )
    assert (names_in(tmp_path), names_in(backups)) == before


async def test_a_backup_that_cannot_be_restored_is_wrong(drilled: Settings, backups: Path) -> None:
    assert exit_code(await drill(drilled)) == 1
    (backups / backup_name(NOW, encrypted=False)).write_text("broken")
    (found,) = await drill(drilled)
    assert (found.verdict, "damaged" in found.text) == (Verdict.WRONG, True)
    without = drilled.model_copy(update={"backup_dir": None})
    assert exit_code(await drill(without)) == 2


@pytest.mark.usefixtures("filled")
async def test_what_was_wrong_already_and_other_counts_are_found(
    drilled: Settings, backups: Path, database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(database_path, "DELETE FROM events WHERE seq = 2")

    def miscounted(**fields: object) -> object:
        counts = fields.pop("counts")
        assert isinstance(counts, dict)
        return Manifest(**fields, counts=counts | {"users": 99})  # type: ignore[arg-type]

    monkeypatch.setattr(backup_module, "Manifest", miscounted)
    make_backup(drilled, backups / backup_name(NOW, encrypted=False), with_key=False)

    found = await drill(drilled)

    assert subjects(found, Verdict.WRONG) == {"restored rows", "restored log", "restored versions"}


async def test_an_encrypted_one_needs_the_key(
    drilled: Settings, backups: Path, tmp_path: Path
) -> None:
    identity = pyrage.x25519.Identity.generate()
    key = tmp_path / "identity"
    key.write_text(f"{identity}\n")
    name = backup_name(NOW, encrypted=True)
    make_backup(drilled, backups / name, [str(identity.to_public())], with_key=False)

    assert exit_code(await drill(drilled)) == 2
    assert exit_code(await drill(drilled, [key])) == 0


def test_one_of_an_older_version_is_migrated_aside(
    drilled: Settings, backups: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old.db"
    command.upgrade(alembic_config(sqlite_url(old)), "0006")
    older = drilled.model_copy(update={"database_url": sqlite_url(old)})
    make_backup(older, backups / backup_name(NOW, encrypted=False), with_key=False)

    found = asyncio.run(drill(older))

    assert exit_code(found) == 0, found
    assert os.listdir(backups) == [backup_name(NOW, encrypted=False)]


@pytest.mark.usefixtures("postgres_programs")
async def test_an_account_that_may_make_no_database_cannot_drill(
    drilled: Settings, postgres_database_url: str, backups: Path
) -> None:
    postgres = drilled.model_copy(update={"database_url": postgres_database_url})
    await asyncio.to_thread(
        make_backup, postgres, backups / backup_name(NOW, encrypted=False), with_key=False
    )
    connection = await asyncpg.connect(postgres_database_url.replace("+asyncpg", ""))
    await connection.execute("CREATE ROLE clerk LOGIN")
    clerk = postgres_database_url.replace("postgres@/", "clerk@/")
    found = await drill(postgres.model_copy(update={"database_url": clerk}))
    await connection.execute("DROP ROLE clerk")
    await connection.close()

    assert exit_code(found) == 2
    assert "permission denied to create database" in found[0].text
