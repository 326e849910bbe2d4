"""Which SQLite really runs, on every way to a database file."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

import clinic_chat
from clinic_chat.server import serve
from clinic_chat.storage.database import Database
from clinic_chat.storage.sqlite import library
from clinic_chat.storage.sqlite.library import WITHOUT_RESET_BUG, has_reset_bug, sqlite3

PACKAGE = Path(clinic_chat.__file__).parent
TESTS = Path(__file__).parents[2]


def version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


@pytest.mark.parametrize("engine", ["_reader", "_writer"])
async def test_the_sqlite_that_runs_cannot_corrupt_a_database(
    database: Database, engine: str
) -> None:
    connections: AsyncEngine = getattr(database, engine)
    async with connections.connect() as connection:
        running = (await connection.execute(text("SELECT sqlite_version()"))).scalar_one()

    assert version(running) >= WITHOUT_RESET_BUG
    assert running == sqlite3.sqlite_version
    assert not has_reset_bug()


def test_nothing_opens_a_database_with_another_library() -> None:
    # In one process two libraries do not see each other's locks.
    importing = [
        path
        for root in (PACKAGE, TESTS)
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import) and any(name.name == "sqlite3" for name in node.names)
    ]
    assert importing == [PACKAGE / "storage" / "sqlite" / "library.py"]


def test_migrations_run_on_the_same_library(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from clinic_chat.storage.sqlite import library\n"
        "opened = []\n"
        "connect = library.sqlite3.connect\n"
        "library.sqlite3.connect = lambda *a, **o: opened.append(a) or connect(*a, **o)\n"
        "from clinic_chat.storage.migrate import migrate\n"
        "asyncio.run(migrate(sys.argv[1]))\n"
        "assert opened\n"
    )
    url = f"sqlite+aiosqlite:///{tmp_path / 'a.db'}"
    subprocess.run([sys.executable, "-c", program, url], cwd=PACKAGE.parent, check=True, timeout=60)


def test_an_old_library_is_told_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "sqlite+aiosqlite:///clinic_chat.db"
    with structlog.testing.capture_logs() as told:
        serve._tell_sqlite(url)
        serve._tell_sqlite("postgresql+asyncpg://localhost/clinic_chat")
        monkeypatch.setattr(library.sqlite3, "sqlite_version_info", (3, 40, 1))
        serve._tell_sqlite(url)

    assert [line["event"] for line in told] == [
        "sqlite.library",
        "sqlite.library",
        "sqlite.old_library",
    ]
