"""Whether what is around the database is as it has to be: key, disk, clock, library, backups."""

import shutil
import stat
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, func, select

from clinic_chat.backups.archives.encryption import recipients_in
from clinic_chat.backups.errors import BackupError, reason
from clinic_chat.backups.schedule import backups_in
from clinic_chat.doctor.finding import Finding, judged, unknown
from clinic_chat.domain.accounts.session_records import SignInSession
from clinic_chat.domain.events.log import Event
from clinic_chat.domain.messages.message import Message
from clinic_chat.settings import Settings, check_key
from clinic_chat.storage.base import now
from clinic_chat.storage.inspection import sqlite_file
from clinic_chat.storage.sqlite.library import has_reset_bug, sqlite3
from clinic_chat.web.origins import is_origin

# Clocks of machines that are set by the network differ by far less.
CLOCK_TOLERANCE = timedelta(minutes=5)
MINUTE = "%Y-%m-%d %H:%M UTC"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def check_settings(settings: Settings) -> Finding:
    """Whether the settings can work together."""
    problems = []
    try:
        recipients_in(settings.backup_encrypt_to)
    except BackupError as error:
        problems.append(f"CLINIC_CHAT_BACKUP_ENCRYPT_TO: {error}")
    if settings.session_idle_minutes > settings.session_days * 24 * 60:
        problems.append("CLINIC_CHAT_SESSION_IDLE_MINUTES is longer than CLINIC_CHAT_SESSION_DAYS")
    problems += [
        f"CLINIC_CHAT_ALLOWED_ORIGINS: {origin} is no origin, as https://example.com is"
        for origin in settings.allowed_origins
        if not is_origin(origin)
    ]
    folder = settings.backup_dir
    if folder is not None and not folder.is_dir() and not folder.absolute().parent.is_dir():
        problems.append(f"CLINIC_CHAT_BACKUP_DIR: there is no folder {folder.absolute().parent}")
    return judged("settings", problems, "they can work together")


def check_key_file(settings: Settings, key_file: Path, *, has_sessions: bool) -> Finding:
    """Whether the key is there, long enough, and its owner's alone."""
    if settings.secret_key:
        return judged("key", [], "it is in CLINIC_CHAT_SECRET_KEY")
    if not key_file.exists():
        missing = f"{key_file} is missing: people are signed in with a key that is not here"
        return judged("key", [missing] if has_sessions else [], "it is made at the first start")
    problems = []
    try:
        mode = key_file.stat().st_mode
        if mode & OTHERS:
            problems.append(f"others can read {key_file} (mode {stat.S_IMODE(mode):o})")
        check_key(key_file.read_text().strip())
    except OSError as error:
        return unknown("key", f"{key_file}: {reason(error)}")
    except ValueError as error:
        problems.append(f"{key_file}: {error}")
    return judged("key", problems, f"{key_file} is there, and its owner's alone")


def check_disk(settings: Settings) -> Finding:
    """Whether a copy of the database finds space, where it is and where backups are."""
    database = sqlite_file(settings.database_url)
    if database is None:
        return judged("disk", [], "PostgreSQL's disk is looked at where it runs")
    try:
        size = sum(
            path.stat().st_size for path in (database, Path(f"{database}-wal")) if path.exists()
        )
        folders = {database.absolute().parent}
        if settings.backup_dir is not None and settings.backup_dir.is_dir():
            folders.add(settings.backup_dir)
        problems = [
            f"{free:,} bytes are free in {folder}, and the database has {size:,}"
            for folder in sorted(folders)
            if (free := shutil.disk_usage(folder).free) < size
        ]
    except OSError as error:
        return unknown("disk", reason(error))
    return judged("disk", problems, f"there is space for a copy of the database ({size:,} bytes)")


def check_clock(connection: Connection) -> Finding:
    """Whether nothing was stored at a time that is still to come."""
    moment = now()
    problems = []
    for name, column in (
        ("a message", Message.created_at),
        ("an event", Event.at),
        ("a session", SignInSession.seen_at),
    ):
        newest = connection.execute(select(func.max(column))).scalar()
        if newest is not None and newest > moment + CLOCK_TOLERANCE:
            problems.append(f"{name} is of {newest:{MINUTE}}, and now it is {moment:{MINUTE}}")
    return judged("clock", problems, f"nothing is of later than now, {moment:{MINUTE}}")


def check_library(settings: Settings) -> Finding:
    """Whether commands may run beside a server."""
    if sqlite_file(settings.database_url) is None:
        return judged("library", [], "PostgreSQL")
    old = f"SQLite {sqlite3.sqlite_version} can corrupt a database that two processes write"
    return judged("library", [old] if has_reset_bug() else [], f"SQLite {sqlite3.sqlite_version}")


def check_backups(settings: Settings) -> Finding:
    """Whether the newest backup is as new as it has to be."""
    if not settings.backup_every_hours or settings.backup_dir is None:
        return judged("backups", [], "the server is not asked to make any")
    try:
        made = backups_in(settings.backup_dir)
    except OSError as error:
        return judged("backups", [reason(error)], "")
    if not made:
        return judged("backups", [f"there is none in {settings.backup_dir}"], "")
    (newest, moment), *_ = made.items()
    age = now() - moment
    told = f"{newest.name} is {age.total_seconds() / 3600:.1f} hours old"
    late = age > 2 * timedelta(hours=settings.backup_every_hours)
    return judged("backups", [told] if late else [], told)
