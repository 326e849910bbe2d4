"""Where a server is, and where its backup is restored."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from clinic_chat.settings import Settings
from clinic_chat.storage.database import Database
from clinic_chat.storage.inspection import sqlite_url
from tests.conftest import Clinics
from tests.integration.backups.contents import KEY, fill
from tests.support.servers.postgresql import POSTGRES


@pytest.fixture
def settings(database_path: Path) -> Settings:
    """The settings of a server with `database`."""
    return Settings(database_url=sqlite_url(database_path), secret_key="", backup_dir=None)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """The key file of that server."""
    path = tmp_path / "its_key"
    path.write_text(KEY)
    path.chmod(0o600)
    return path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The folder of a server where there is nothing yet."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


@pytest.fixture
def elsewhere(place: Path) -> Settings:
    """The settings of that server."""
    return Settings(database_url=sqlite_url(place / "clinic_chat.db"), secret_key="")


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    """A folder for backups."""
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def filled_template(
    sqlite_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
    populate: Callable[..., Awaitable[Clinics]],
) -> Path:
    """A file with two clinics and a conversation, for copying."""
    path = tmp_path_factory.mktemp("filled") / "filled.db"
    shutil.copy(sqlite_template, path)

    async def fill_it() -> None:
        database = Database(sqlite_url(path))
        await fill(await populate(database))
        await database.close()

    asyncio.run(fill_it())
    return path


@pytest.fixture
def filled(filled_template: Path, database_path: Path) -> None:
    """The server has two clinics and a conversation."""
    shutil.copy(filled_template, database_path)


@pytest.fixture
async def conversation(clinics: Clinics) -> str:
    """Aurora's conversation, in the test's database."""
    return await fill(clinics)


@pytest.fixture
def postgres_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs that belong to the tests' PostgreSQL are found first."""
    monkeypatch.setenv("PATH", str(POSTGRES / "bin"), prepend=os.pathsep)
