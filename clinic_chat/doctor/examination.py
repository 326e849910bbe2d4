"""Examines a database and what is around it, also while a server runs; nothing is changed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from clinic_chat.backups.errors import reason
from clinic_chat.doctor.finding import Finding, Verdict, judged, unknown
from clinic_chat.doctor.integrity import check_clinics, check_pages, check_references
from clinic_chat.doctor.keeping import KEEPING
from clinic_chat.doctor.numbering import NUMBERING
from clinic_chat.doctor.surroundings import (
    check_backups,
    check_clock,
    check_disk,
    check_key_file,
    check_library,
    check_settings,
)
from clinic_chat.domain.accounts.session_records import SignInSession
from clinic_chat.settings import Settings
from clinic_chat.storage.inspection import inspecting, sqlite_file
from clinic_chat.storage.migrate import SchemaTooNew, schema_of
from clinic_chat.storage.sqlite.library import sqlite3

Check = Callable[[Connection], Finding]
DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


async def examine(settings: Settings, *, key_file: Path | None = None) -> list[Finding]:
    """How the configured database and its surroundings are."""
    key: Check = partial(_check_key, settings, key_file or settings.key_file)
    checks = (*ROW_CHECKS, check_clock, key)
    return [
        check_settings(settings),
        check_library(settings),
        check_disk(settings),
        *await examine_database(settings.database_url, checks),
        check_backups(settings),
    ]


async def examine_database(
    url: str, checks: tuple[Check, ...] | None = None, *, thorough: bool = False
) -> list[Finding]:
    """How a database is: its pages, its schema and, in today's schema, its rows."""
    path = sqlite_file(url)
    if path is not None and not path.exists():
        return [unknown("database", f"there is none at {path}: `migrate` makes one")]
    try:
        schema = await schema_of(url)
        async with inspecting(url) as connection:
            pages = await connection.run_sync(_made(partial(check_pages, thorough=thorough)))
        if schema.current is None:
            return [pages, unknown("schema", "there are no tables: `migrate` makes them")]
        if schema.is_behind:
            behind = f"it is {schema.current}, and this version's is {schema.newest}: run `migrate`"
            return [pages, Finding("schema", Verdict.WRONG, behind)]
        async with inspecting(url) as connection:
            rows = [await connection.run_sync(_made(check)) for check in checks or ROW_CHECKS]
    except SchemaTooNew as error:
        return [Finding("schema", Verdict.WRONG, str(error))]
    except (SQLAlchemyError, OSError) as error:
        return [_failed("database", error)]
    return [pages, judged("schema", [], f"it is {schema.current}, the newest"), *rows]


def _made(check: Check) -> Check:
    """The check; what the database cannot read for it is a finding too."""

    def make(connection: Connection) -> Finding:
        try:
            return check(connection)
        except DBAPIError as error:
            name = getattr(check, "func", check).__name__.strip("_").removeprefix("check_")
            return _failed(name.replace("_", " "), error)

    return make


def _failed(subject: str, error: Exception) -> Finding:
    cause = getattr(error, "orig", None) or error
    code = getattr(cause, "sqlite_errorcode", 0) or 0
    verdict = Verdict.WRONG if code & 0xFF in DAMAGE else Verdict.UNKNOWN
    return Finding(subject, verdict, f"it cannot be read: {reason(cause)}")


def _check_key(settings: Settings, key_file: Path, connection: Connection) -> Finding:
    sessions = connection.execute(select(func.count()).select_from(SignInSession)).scalar()
    return check_key_file(settings, key_file, has_sessions=bool(sessions))


ROW_CHECKS: tuple[Check, ...] = (check_references, check_clinics, *NUMBERING, *KEEPING)
