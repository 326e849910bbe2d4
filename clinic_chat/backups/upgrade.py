"""An upgrade: a database of an older version is backed up, and then migrated."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path

import structlog

from clinic_chat.backups.backup import make_backup
from clinic_chat.backups.errors import BackupError
from clinic_chat.backups.schedule import backup_folder, backup_name
from clinic_chat.backups.unfinished import folder_lock
from clinic_chat.settings import Settings
from clinic_chat.storage.inspection import sqlite_file
from clinic_chat.storage.migrate import migrate, schema_of

KEPT = 3
NAMES = re.compile(r"before-\w+-(\d{8}T\d{6}Z)\.tar\.gz(?:\.age)?")

log = structlog.get_logger(__name__)


async def upgrade(settings: Settings) -> None:
    """Bring the configured database to the newest schema; one that is behind is backed up first.

    Raises:
        SchemaTooNew: a newer version has migrated it.
        BackupError: it could not be backed up, and was left as it is.
    """
    schema = await schema_of(settings.database_url)
    if schema.is_behind:
        await asyncio.to_thread(_upgrade, settings)
    elif schema.current is None:
        await migrate(settings.database_url)


def _upgrade(settings: Settings) -> None:
    """Others that start at the same time wait, and then find nothing to do."""
    database = sqlite_file(settings.database_url)
    try:
        folder = _folder(settings, database)
    except BackupError as error:
        _go_on_without(error, database)
        asyncio.run(migrate(settings.database_url))
        return
    with folder_lock(folder, wait=True):
        schema = asyncio.run(schema_of(settings.database_url))
        if schema.is_behind:
            try:
                _back_up(settings, folder, schema.newest)
            except BackupError as error:
                _go_on_without(error, database)
            asyncio.run(migrate(settings.database_url))


def _folder(settings: Settings, database: Path | None) -> Path:
    if database is not None and settings.backup_dir is None:
        return database.absolute().parent
    return backup_folder(settings)


def _back_up(settings: Settings, folder: Path, revision: str) -> None:
    recipients = settings.backup_encrypt_to
    name = backup_name(datetime.now(UTC), encrypted=bool(recipients), prefix=f"before-{revision}")
    if (folder / name).exists():
        return  # by a start of this very second, whose migration failed
    made = make_backup(settings, folder / name, recipients)
    seconds = round(made.seconds, 1)
    log.info("database.backed_up", file=str(made.file), bytes=made.size, seconds=seconds)
    before = {path: match[1] for path in folder.iterdir() if (match := NAMES.fullmatch(path.name))}
    for path in sorted(before, key=lambda path: before[path], reverse=True)[KEPT:]:
        path.unlink(missing_ok=True)


def _go_on_without(error: BackupError, database: Path | None) -> None:
    if database is not None:
        raise BackupError(
            f"the database was not migrated, because no backup could be made before: {error}"
        ) from error
    # There a migration is one transaction, and the server is backed up by whoever runs it.
    log.warning("database.not_backed_up", reason=str(error))
