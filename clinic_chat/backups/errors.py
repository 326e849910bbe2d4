"""What goes wrong with backups."""

import errno

from clinic_chat.storage.sqlite.library import sqlite3


class BackupError(Exception):
    """One sentence for a person: why there is no backup, or why one was not restored."""


class NotPossibleHere(BackupError):
    """Nothing is wrong, but what is needed for it is not installed, set or allowed."""


def reason(error: Exception) -> str:
    """What went wrong below, in plain words."""
    if isinstance(error, OSError):
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return "there is no space left on the disk"
        return f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"
    if isinstance(error, sqlite3.Error) and "is full" in str(error):
        return "there is no space left on the disk"
    return str(error) or type(error).__name__
