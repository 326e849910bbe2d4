"""An SQLite database as it is at one moment, while a server writes to it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

from clinic_chat.backups.errors import BackupError
from clinic_chat.backups.unfinished import PREFIX
from clinic_chat.storage.inspection import open_sqlite
from clinic_chat.storage.sqlite.library import sqlite3


@contextmanager
def copy_sqlite(path: Path) -> Iterator[tuple[IO[bytes], str | None, dict[str, int]]]:
    """A copy without a name, its schema's revision and its rows by table.

    All in one transaction that reads, so in WAL mode nobody waits for it
    (https://sqlite.org/backup.html); a damaged database is not copied over good backups.

    Raises:
        BackupError: there is no database, or it is damaged.
    """
    if not path.exists():
        raise BackupError(f"there is no database at {path}")
    with closing(open_sqlite(path)) as source, closing(_Unnamed(path.absolute().parent)) as copy:
        source.execute("BEGIN")
        tables = _tables(source)
        damage = source.execute("PRAGMA quick_check(1)").fetchone()[0]
        if damage != "ok":
            raise BackupError(f"the database is damaged, see `doctor`: {damage}")
        counts = {name: _count(source, name) for name in tables}
        revision = None
        if "alembic_version" in tables:
            row = source.execute("SELECT version_num FROM alembic_version").fetchone()
            revision = row and row[0]
        source.backup(copy.connection)
        source.execute("ROLLBACK")
        copy.connection.close()
        yield copy.file, revision, counts


def _tables(connection: Any) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [row[0] for row in rows if not row[0].startswith("sqlite_")]


def _count(connection: Any, table: str) -> int:
    quoted = table.replace('"', '""')
    return int(connection.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()[0])  # noqa: S608


class _Unnamed:
    """A database whose file has lost its name, so that nothing of it outlives the process."""

    def __init__(self, folder: Path) -> None:
        handle, name = tempfile.mkstemp(prefix=PREFIX, dir=folder)
        self.file = open(handle, "rb")  # noqa: SIM115
        try:
            self.connection = sqlite3.connect(name, isolation_level=None)
            # A copy that is not finished is worth nothing: nothing is kept to take it back.
            self.connection.execute("PRAGMA journal_mode=OFF")
            self.connection.execute("PRAGMA synchronous=OFF")
        finally:
            os.unlink(name)

    def close(self) -> None:
        self.connection.close()
        self.file.close()
