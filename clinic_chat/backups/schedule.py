"""Backups that the server makes by itself: their names, when the next is due, which are kept."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clinic_chat.backups.errors import BackupError, NotPossibleHere, reason
from clinic_chat.settings import Settings

NAMES = re.compile(r"clinic-chat-(\d{8}T\d{6}Z)\.tar\.gz(?:\.age)?")
STAMP = "%Y%m%dT%H%M%SZ"
DAYS = 7
WEEKS = 4


def backup_folder(settings: Settings) -> Path:
    """The folder of `CLINIC_CHAT_BACKUP_DIR`, made where only it itself is missing.

    Raises:
        BackupError: it is not set, or cannot be made.
    """
    if settings.backup_dir is None:
        raise NotPossibleHere("CLINIC_CHAT_BACKUP_DIR is not set")
    try:
        settings.backup_dir.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        told = f"there can be no folder {settings.backup_dir}: {reason(error)}"
        raise BackupError(told) from None
    return settings.backup_dir.absolute()


def backup_name(moment: datetime, *, encrypted: bool, prefix: str = "clinic-chat") -> str:
    """What a backup of this moment is called."""
    return f"{prefix}-{moment.astimezone(UTC):{STAMP}}.tar.gz{'.age' if encrypted else ''}"


def backups_in(folder: Path) -> dict[Path, datetime]:
    """The scheduled backups in a folder and when they were made, the newest first."""
    found = {
        path: datetime.strptime(match[1], STAMP).replace(tzinfo=UTC)
        for path in folder.iterdir()
        if (match := NAMES.fullmatch(path.name))
    }
    return dict(sorted(found.items(), key=lambda item: item[1], reverse=True))


def is_due(made: Iterable[datetime], now: datetime, every: timedelta) -> bool:
    """Whether the next backup is to be made; what is of later than now does not count."""
    newest = max((moment for moment in made if moment <= now), default=None)
    return newest is None or now - newest >= every


def expired(made: dict[Path, datetime], keep: int) -> list[Path]:
    """Those that are not kept any more.

    Kept are the newest `keep`, the newest of each of the last 7 days that have one, and the
    newest of each of the last 4 weeks that have one.
    """
    newest_first = sorted(made, key=lambda path: made[path], reverse=True)
    days: dict[object, Path] = {}
    weeks: dict[object, Path] = {}
    for path in newest_first:
        days.setdefault(made[path].date(), path)
        weeks.setdefault(made[path].isocalendar()[:2], path)
    kept = {*newest_first[:keep], *list(days.values())[:DAYS], *list(weeks.values())[:WEEKS]}
    return [path for path in newest_first if path not in kept]
