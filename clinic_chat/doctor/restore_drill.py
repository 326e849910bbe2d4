"""A rehearsal: the newest backup is restored beside everything else, examined, and removed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, func, make_url, select, table, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from clinic_chat.backups.archives.encryption import is_encrypted
from clinic_chat.backups.archives.manifest import Manifest
from clinic_chat.backups.errors import BackupError, NotPossibleHere, reason
from clinic_chat.backups.restore import restore_backup
from clinic_chat.backups.schedule import backup_folder, backups_in
from clinic_chat.backups.unfinished import unfinished_folder
from clinic_chat.doctor.examination import examine_database
from clinic_chat.doctor.finding import Finding, Verdict, judged, unknown
from clinic_chat.settings import Settings
from clinic_chat.storage.inspection import inspecting, sqlite_file, sqlite_url
from clinic_chat.storage.migrate import migrate

SUBJECT = "restore drill"


async def drill(settings: Settings, identities: Sequence[Path] = ()) -> list[Finding]:
    """Whether the newest backup of the backup folder can be restored, and is what it tells."""
    try:
        folder = backup_folder(settings)
        made = backups_in(folder)
        if not made:
            return [Finding(SUBJECT, Verdict.WRONG, f"there is no backup in {folder}")]
        newest = next(iter(made))
        if is_encrypted(newest) and not identities:
            return [unknown(SUBJECT, f"{newest.name} is encrypted: name the key with --identity")]
        return await _drill(settings, newest, identities)
    except NotPossibleHere as error:
        return [unknown(SUBJECT, str(error))]
    except (BackupError, OSError, SQLAlchemyError) as error:
        return [Finding(SUBJECT, Verdict.WRONG, _cause(error))]


async def _drill(settings: Settings, newest: Path, identities: Sequence[Path]) -> list[Finding]:
    async with _scratch(settings, newest.parent) as (scratch, folder):
        manifest = await asyncio.to_thread(
            restore_backup, scratch, newest, identities, key_file=folder / "key"
        )
        counts = await _check_counts(scratch.database_url, manifest)
        # An older version's is brought to this one's schema, as after a real restore.
        await migrate(scratch.database_url)
        found = await examine_database(scratch.database_url, thorough=True)
    restored = f"{newest.name} can be restored"
    return [
        judged(SUBJECT, [], restored),
        counts,
        *(Finding(f"restored {one.subject}", one.verdict, one.text) for one in found),
    ]


async def _check_counts(url: str, manifest: Manifest) -> Finding:
    def count(connection: Connection) -> dict[str, int]:
        return {
            name: connection.execute(select(func.count()).select_from(table(name))).scalar() or 0
            for name in manifest.counts
        }

    async with inspecting(url) as connection:
        found = await connection.run_sync(count)
    problems = [
        f"{name}: {found[name]} rows, and {told} when it was made"
        for name, told in manifest.counts.items()
        if found[name] != told
    ]
    return judged("restored rows", problems, f"{sum(found.values()):,} rows, as when it was made")


@asynccontextmanager
async def _scratch(settings: Settings, backups: Path) -> AsyncIterator[tuple[Settings, Path]]:
    """Settings with an empty database that goes when the block ends, and a folder for its files."""
    database = sqlite_file(settings.database_url)
    with unfinished_folder(database.absolute().parent if database else backups) as folder:
        if database is not None:
            url = sqlite_url(folder / "clinic_chat.db")
            yield settings.model_copy(update={"database_url": url, "secret_key": ""}), folder
            return
        name = f"clinic_chat_drill_{uuid4().hex}"
        try:
            await _administer(settings.database_url, f"CREATE DATABASE {name}")
        except SQLAlchemyError as error:
            raise NotPossibleHere(f"no database can be made: {_cause(error)}") from None
        try:
            there = make_url(settings.database_url).set(database=name)
            url = there.render_as_string(hide_password=False)
            yield settings.model_copy(update={"database_url": url, "secret_key": ""}), folder
        finally:
            await _administer(settings.database_url, f"DROP DATABASE {name} WITH (FORCE)")


def _cause(error: Exception) -> str:
    return reason(getattr(error, "orig", None) or error)


async def _administer(url: str, command: str) -> None:
    engine = create_async_engine(
        url, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True
    )
    async with engine.connect() as connection:
        await connection.execute(text(command))
    await engine.dispose()
