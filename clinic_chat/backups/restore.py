"""Restores a backup where there is nothing yet; all of it is checked before any of it is placed."""

import asyncio
import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from clinic_chat.backups.archives.encryption import decrypted, identities_in
from clinic_chat.backups.archives.extraction import extract
from clinic_chat.backups.archives.manifest import FILES, KEY, POSTGRESQL, SQLITE, Manifest
from clinic_chat.backups.backup import files_folder
from clinic_chat.backups.errors import BackupError, reason
from clinic_chat.backups.postgresql import restore_dump, table_names
from clinic_chat.backups.unfinished import put_in_place, sync, unfinished_folder
from clinic_chat.settings import Settings
from clinic_chat.storage.inspection import open_sqlite, sqlite_file
from clinic_chat.storage.migrate import known_revisions
from clinic_chat.storage.sqlite.library import sqlite3


def restore_backup(
    settings: Settings, file: Path, identities: Sequence[Path] = (), *, key_file: Path | None = None
) -> Manifest:
    """Put an archive's database, key and files where the settings say; what was in it.

    Raises:
        BackupError: why nothing was restored: something is there, or something is wrong with
            the archive.
    """
    keys = identities_in(identities)
    key_file = key_file or settings.key_file
    database = sqlite_file(settings.database_url)
    try:
        _refuse_what_is_there(settings, database)
        with (
            decrypted(file, keys) as archive,
            unfinished_folder((database or file).absolute().parent) as folder,
        ):
            manifest = extract(archive, folder, lambda found: _check(found, database, folder))
            _refuse_another_key(settings, folder / KEY, key_file)
            if database is None:
                restore_dump(settings.database_url, folder / POSTGRESQL)
                _place_beside(settings, folder, key_file)
            else:
                _check_sqlite(folder / SQLITE, manifest)
                _place_beside(settings, folder, key_file)
                # The last: whoever finds a database finds all that belongs to it.
                database.unlink(missing_ok=True)
                put_in_place(folder / SQLITE, database)
    except (OSError, sqlite3.Error, SQLAlchemyError) as error:
        raise BackupError(reason(getattr(error, "orig", None) or error)) from error
    return manifest


def _refuse_what_is_there(settings: Settings, database: Path | None) -> None:
    if database is None:
        if asyncio.run(table_names(settings.database_url)):
            raise BackupError("the database has tables already: restore into an empty one")
    else:
        _refuse_sqlite(database)
    folder = files_folder(settings)
    if folder.is_dir() and any(folder.iterdir()):
        raise BackupError(f"there are files in {folder} already: move them away")


def _refuse_sqlite(database: Path) -> None:
    if not database.absolute().parent.is_dir():
        raise BackupError(f"there is no folder {database.absolute().parent}")
    if database.exists():
        with closing(open_sqlite(database)) as connection:
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise BackupError(f"{database} has tables already: restore elsewhere")
    for ending in ("-wal", "-journal"):
        log = Path(f"{database}{ending}")
        if log.exists() and log.stat().st_size:
            # It would be taken for a part of what is restored.
            raise BackupError(f"{log} is there, of another database: move it away")


def _check(manifest: Manifest, database: Path | None, folder: Path) -> None:
    kind, member = ("postgresql", POSTGRESQL) if database is None else ("sqlite", SQLITE)
    if manifest.database != kind:
        raise BackupError(
            f"it is of a database of the kind {manifest.database}, and CLINIC_CHAT_DATABASE_URL "
            f"names one of the kind {kind}"
        )
    if member not in {one.name for one in manifest.members}:
        raise BackupError("there is no database in it")
    revision = manifest.schema_revision
    if revision is not None and revision not in known_revisions():
        raise BackupError(
            f"it has the schema {revision}, of a newer version than this one: Clinic Chat "
            f"{manifest.product} made it"
        )
    wanted, free = sum(one.size for one in manifest.members), shutil.disk_usage(folder).free
    if wanted > free:
        raise BackupError(f"it needs {wanted:,} bytes, and {free:,} are free in {folder.parent}")


def _check_sqlite(copy: Path, manifest: Manifest) -> None:
    with closing(open_sqlite(copy)) as connection:
        damage = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if damage != "ok":
            raise BackupError(f"the database in it is damaged: {damage}")
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
        revision = None
        if ("alembic_version",) in tables:
            (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        if revision != manifest.schema_revision:
            raise BackupError(f"the database in it has the schema {revision}, its manifest another")


def _refuse_another_key(settings: Settings, key: Path, key_file: Path) -> None:
    if not key.exists() or settings.secret_key or not key_file.exists():
        return
    if key_file.read_bytes().strip() != key.read_bytes().strip():
        raise BackupError(f"{key_file} is there with another key: move it away")


def _place_beside(settings: Settings, folder: Path, key_file: Path) -> None:
    files = folder / FILES
    if files.is_dir():
        for path in (*files.rglob("*"), files):
            sync(path)
        target = files_folder(settings)
        if target.exists():
            target.rmdir()
        shutil.move(files, target)
        sync(target.parent)
    if (folder / KEY).exists() and not settings.secret_key and not key_file.exists():
        with unfinished_folder(key_file.parent) as beside:
            shutil.copyfile(folder / KEY, beside / KEY)
            (beside / KEY).chmod(0o600)
            put_in_place(beside / KEY, key_file)
