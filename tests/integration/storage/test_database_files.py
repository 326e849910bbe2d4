"""The files of an SQLite database: private, and safe while another process uses them too."""

import asyncio
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from clinic_chat.domain.clinics.clinic import Clinic, create_clinic
from clinic_chat.storage.database import Database
from clinic_chat.storage.sqlite.connection import keep_private
from clinic_chat.storage.sqlite.library import sqlite3

WRITE_ELSEWHERE = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1], isolation_level=None) as database:
    database.execute("UPDATE clinics SET name = 'from elsewhere'")
database.close()
"""


def modes(path: Path) -> dict[str, str]:
    return {file.name: oct(file.stat().st_mode & 0o777) for file in path.parent.iterdir()}


def log_file(path: Path) -> int:
    """Which file the write-ahead log is."""
    return Path(f"{path}-wal").stat().st_ino


@pytest.mark.parametrize("mode", [None, 0o644, 0o666])
async def test_only_its_owner_can_read_what_is_stored(tmp_path: Path, mode: int | None) -> None:
    path = tmp_path / "new.db"
    if mode is not None:
        path.touch(mode=mode)
    database = Database(f"sqlite+aiosqlite:///{path}")
    await database.ping()

    assert set(modes(path).values()) == {"0o600"}
    await database.close()


async def test_logs_that_others_can_read_are_made_private(database: Database) -> None:
    await create_clinic(database, "sul", "Sul")
    path = Path(database.url.removeprefix("sqlite+aiosqlite:///"))
    for file in path.parent.glob(f"{path.name}*"):
        file.chmod(0o644)

    keep_private(str(path))

    assert set(modes(path).values()) == {"0o600"}
    assert len(modes(path)) == 3


async def test_another_process_takes_no_log_away_from_connections_that_are_open(
    database: Database, database_path: Path
) -> None:
    await create_clinic(database, "sul", "Sul")
    keep_private(str(database_path))
    log = await asyncio.to_thread(log_file, database_path)

    command = [sys.executable, "-c", WRITE_ELSEWHERE, str(database_path)]
    await asyncio.to_thread(subprocess.run, command, check=True, timeout=60)

    assert await asyncio.to_thread(log_file, database_path) == log
    async with database.read() as session:
        assert await session.scalar(select(Clinic.name)) == "from elsewhere"
    await create_clinic(database, "norte", "Norte")
    with closing(sqlite3.connect(database_path)) as other:
        assert other.execute("SELECT count(*) FROM clinics").fetchone() == (2,)


def test_what_is_no_file_or_has_no_folder_is_left_to_the_database(tmp_path: Path) -> None:
    for path in (":memory:", "file:x?mode=memory", str(tmp_path / "no" / "folder.db")):
        keep_private(path)

    assert list(tmp_path.iterdir()) == []
