"""Makes a backup: the database at one moment, the key and the files, in one archive."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic
from typing import IO

from sqlalchemy.exc import SQLAlchemyError

from clinic_chat import __version__
from clinic_chat.backups.archives.archive import Source, member_of, write_archive
from clinic_chat.backups.archives.encryption import encrypted, recipients_in
from clinic_chat.backups.archives.manifest import FILES, KEY, KeyPlace, Manifest
from clinic_chat.backups.errors import BackupError, reason
from clinic_chat.backups.snapshot import Snapshot, snapshot
from clinic_chat.backups.unfinished import put_in_place, unfinished_folder
from clinic_chat.settings import Settings
from clinic_chat.storage.inspection import sqlite_file
from clinic_chat.storage.sqlite.library import sqlite3


@dataclass(frozen=True)
class Backup:
    """A backup that was made."""

    file: Path
    size: int
    seconds: float
    manifest: Manifest
    encrypted: bool


def make_backup(
    settings: Settings,
    file: Path,
    recipients: Sequence[str] = (),
    *,
    with_key: bool = True,
    key_file: Path | None = None,
) -> Backup:
    """Write an archive that only its owner, or the holders of the recipients' keys, can read.

    `file` is there once it is whole and on the disk; otherwise nothing is.

    Raises:
        BackupError: why there is none.
    """
    begun = monotonic()
    keys = recipients_in(recipients)
    if file.is_symlink() or file.exists():
        raise BackupError(f"{file} is there already, and is not overwritten")
    if not file.absolute().parent.is_dir():
        raise BackupError(f"there is no folder {file.absolute().parent}")
    try:
        with unfinished_folder(file.absolute().parent) as folder:
            unfinished = folder / "archive"
            with snapshot(settings.database_url, folder) as taken:
                sources = _sources(
                    settings, taken, key_file or settings.key_file if with_key else None
                )
                manifest = _manifest(settings, taken, sources, with_key=with_key)
                with _private(unfinished) as sink, encrypted(sink, keys) as plain:
                    write_archive(plain, manifest, sources)
            put_in_place(unfinished, file)
            size = file.stat().st_size
    except FileExistsError:
        raise BackupError(f"{file} is there already, and is not overwritten") from None
    except (OSError, sqlite3.Error, SQLAlchemyError) as error:
        raise BackupError(reason(getattr(error, "orig", None) or error)) from error
    return Backup(file, size, monotonic() - begun, manifest, bool(keys))


@contextmanager
def _private(path: Path) -> Iterator[IO[bytes]]:
    path.touch(mode=0o600, exist_ok=False)
    with path.open("wb") as file:
        yield file


def _sources(settings: Settings, taken: Snapshot, key_file: Path | None) -> dict[str, Source]:
    sources: dict[str, Source] = {taken.member: partial(_again, taken.file)}
    if key_file is not None and not settings.secret_key and key_file.exists():
        sources[KEY] = partial(_open, key_file)
    # After the database: what it refers to was there before.
    for path in _files(settings):
        name = f"{FILES}/{path.relative_to(files_folder(settings)).as_posix()}"
        sources[name] = partial(_open, path)
    return sources


def _manifest(
    settings: Settings, taken: Snapshot, sources: dict[str, Source], *, with_key: bool
) -> Manifest:
    if settings.secret_key:
        key = KeyPlace.ENVIRONMENT
    elif KEY in sources:
        key = KeyPlace.INCLUDED
    else:
        key = KeyPlace.NONE if with_key else KeyPlace.LEFT_OUT
    return Manifest(
        product=__version__,
        database=taken.kind,
        schema_revision=taken.schema_revision,
        created=datetime.now(UTC).replace(microsecond=0),
        key=key,
        counts=taken.counts,
        members=tuple(member_of(name, source) for name, source in sources.items()),
    )


def files_folder(settings: Settings) -> Path:
    """Where what messages refer to lies, if there is any."""
    database = sqlite_file(settings.database_url)
    return (database.absolute().parent if database else settings.data_dir) / FILES


def _files(settings: Settings) -> list[Path]:
    found = files_folder(settings).rglob("*")
    return sorted(path for path in found if path.is_file() and not path.is_symlink())


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")


@contextmanager
def _again(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """The snapshot from its beginning; it is closed by whoever took it."""
    file.seek(0)
    yield file
