"""One moment of a database as a file without a name, which is gone when it is closed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from clinic_chat.backups.archives.manifest import POSTGRESQL, SQLITE
from clinic_chat.backups.postgresql import dump
from clinic_chat.backups.sqlite_copy import copy_sqlite
from clinic_chat.storage.inspection import sqlite_file


@dataclass(frozen=True)
class Snapshot:
    """A database as it was at one moment."""

    kind: Literal["sqlite", "postgresql"]
    member: str
    """Its name in an archive."""
    file: IO[bytes]
    schema_revision: str | None
    counts: dict[str, int]


@contextmanager
def snapshot(url: str, folder: Path) -> Iterator[Snapshot]:
    """A copy of the database, while others write to it.

    Its bytes lie beside an SQLite database, and for other kinds in `folder`.

    Raises:
        BackupError: the database is damaged, or a program for it is missing or refuses.
    """
    path = sqlite_file(url)
    if path is None:
        with dump(url, folder) as (file, revision, counts):
            yield Snapshot("postgresql", POSTGRESQL, file, revision, counts)
    else:
        with copy_sqlite(path) as (file, revision, counts):
            yield Snapshot("sqlite", SQLITE, file, revision, counts)
