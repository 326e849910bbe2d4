"""An upgrade backs a database up before it changes it, and one that fails leaves it as it was."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from alembic import command
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from clinic_chat.backups import upgrade as upgrade_module
from clinic_chat.backups.errors import BackupError
from clinic_chat.backups.restore import restore_backup
from clinic_chat.backups.unfinished import LOCK
from clinic_chat.backups.upgrade import KEPT, upgrade
from clinic_chat.settings import Settings
from clinic_chat.storage import migrate as migrations
from clinic_chat.storage.inspection import current_revision, sqlite_url
from clinic_chat.storage.migrate import SchemaTooNew, alembic_config, known_revisions
from tests.integration.backups.contents import change, names_in

OLD = "0006"
# Makes a table, changes another one and a row, and then fails.
BROKEN = """
from alembic import op
import sqlalchemy as sa

revision = "9001"
down_revision = "{newest}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("half", sa.Column("id", sa.Integer()))
    op.add_column("clinics", sa.Column("half", sa.Integer()))
    op.execute("UPDATE clinics SET name = 'half'")
    op.execute("INSERT INTO half VALUES (1)")
    op.execute("SELECT no_such_function()")
"""


@pytest.fixture
def broken_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code of a version whose last migration fails in the middle."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrations.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    text = BROKEN.format(newest=known_revisions()[0])
    (folder / "versions" / "9001_broken.py").write_text(text)
    monkeypatch.setattr(migrations, "MIGRATIONS", folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, place: Path, backups: Path) -> Settings:
    """A server whose database is of an older version; on each kind."""
    if request.param == "sqlite":
        url = sqlite_url(place / "clinic_chat.db")
    else:
        request.getfixturevalue("postgres_programs")
        url = request.getfixturevalue("empty_postgres_url")
    command.upgrade(alembic_config(url), OLD)
    asyncio.run(_in(url, _add_clinic))
    return Settings(database_url=url, secret_key="", backup_dir=backups)


async def _in(url: str, ask: Callable[[Connection], Any]) -> Any:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        answer = await connection.run_sync(ask)
    await engine.dispose()
    return answer


def _add_clinic(connection: Connection) -> None:
    connection.execute(
        text(
            "INSERT INTO clinics (id, slug, name, timezone, last_event_seq, created_at) VALUES"
            " ('00000000000000000000000000000001', 'sul', 'Sul', 'UTC', 0, '2030-01-01 00:00:00')"
        )
    )


def _empty(connection: Connection) -> None:
    connection.execute(text("DROP SCHEMA public CASCADE"))
    connection.execute(text("CREATE SCHEMA public"))


def _state(connection: Connection) -> tuple[Any, ...]:
    found = inspect(connection)
    return (
        sorted(found.get_table_names()),
        sorted(column["name"] for column in found.get_columns("clinics")),
        connection.execute(text("SELECT name FROM clinics")).scalars().all(),
        connection.execute(text("SELECT version_num FROM alembic_version")).scalar(),
    )


async def test_a_database_that_is_behind_is_backed_up_and_migrated(
    old: Settings, backups: Path, place: Path, empty_postgres_url: str
) -> None:
    before = await _in(old.database_url, _state)
    await asyncio.gather(*(upgrade(old) for _ in range(2)))

    assert await current_revision(old.database_url) == known_revisions()[0]
    lock, made = names_in(backups)
    assert lock == LOCK
    assert made.startswith(f"before-{known_revisions()[0]}-")
    assert made.endswith(".tar.gz")
    await upgrade(old)
    assert names_in(backups) == [lock, made]

    again = sqlite_url(place / "again.db")
    if old.database_url.startswith("postgresql"):
        again = empty_postgres_url
        await _in(again, _empty)
    restored = old.model_copy(update={"database_url": again})
    await asyncio.to_thread(restore_backup, restored, backups / made, key_file=place / "key")
    assert await _in(again, _state) == before


@pytest.mark.usefixtures("broken_version")
async def test_a_migration_that_fails_in_the_middle_leaves_the_old_state(
    old: Settings, backups: Path
) -> None:
    before = await _in(old.database_url, _state)
    for _ in range(2):
        with pytest.raises(DBAPIError):
            await upgrade(old)
        assert await _in(old.database_url, _state) == before
        assert before[-1] == OLD
    assert [name for name in names_in(backups) if name.startswith("before-9001-")]


async def test_without_a_folder_for_backups_it_lies_beside_the_database(
    settings: Settings, database_path: Path
) -> None:
    await asyncio.to_thread(command.downgrade, alembic_config(settings.database_url), "0007")
    await upgrade(settings)
    (made,) = [name for name in names_in(database_path.parent) if name.startswith("before-")]
    assert oct((database_path.parent / made).stat().st_mode & 0o777) == "0o600"


async def test_few_are_kept(settings: Settings, backups: Path) -> None:
    others = {"clinic-chat-20200101T000000Z.tar.gz", "before-lunch.txt"}
    before = {f"before-000{number}-2020010{number}T000000Z.tar.gz" for number in range(1, 6)}
    for name in others | before:
        (backups / name).touch()
    await asyncio.to_thread(command.downgrade, alembic_config(settings.database_url), "0007")
    await upgrade(settings.model_copy(update={"backup_dir": backups}))

    kept = [name for name in names_in(backups) if name.startswith("before-0")]
    assert len(kept) == KEPT
    assert [name[:11] for name in kept[:2]] == ["before-0004", "before-0005"]
    assert others <= set(names_in(backups))


async def test_what_cannot_be_backed_up_is_not_migrated(
    settings: Settings, backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(command.downgrade, alembic_config(settings.database_url), "0007")

    def full(*_: object) -> None:
        raise BackupError("there is no space left on the disk")

    monkeypatch.setattr(upgrade_module, "make_backup", full)
    with pytest.raises(BackupError, match=r"was not migrated, because .* no space left"):
        await upgrade(settings.model_copy(update={"backup_dir": backups}))
    assert await current_revision(settings.database_url) == "0007"


async def test_postgresql_without_its_programs_is_migrated_and_that_is_said(
    empty_postgres_url: str, backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(command.upgrade, alembic_config(empty_postgres_url), OLD)
    monkeypatch.setenv("PATH", "")
    settings = Settings(database_url=empty_postgres_url, backup_dir=backups)
    with structlog.testing.capture_logs() as lines:
        await upgrade(settings)
    assert await current_revision(empty_postgres_url) == known_revisions()[0]
    (told,) = [line for line in lines if line["event"] == "database.not_backed_up"]
    assert "pg_dump is not on the PATH" in told["reason"]


async def test_a_new_database_is_made_without_a_backup(elsewhere: Settings, place: Path) -> None:
    await upgrade(elsewhere)
    assert names_in(place) == ["clinic_chat.db"]


async def test_a_newer_schema_is_refused_and_left_alone(
    settings: Settings, database_path: Path
) -> None:
    change(database_path, "UPDATE alembic_version SET version_num = '9999'")
    for migration in (upgrade(settings), migrations.migrate(settings.database_url)):
        with pytest.raises(SchemaTooNew, match="9999 of a newer version"):
            await migration
    assert await current_revision(settings.database_url) == "9999"
    assert [name for name in names_in(database_path.parent) if "before" in name] == []
