"""SQLite library: the wheel's module, or Python's own where there is no wheel.

SQLite 3.7.0 to 3.51.2 can corrupt a database in WAL mode when two connections write or checkpoint
at once (https://sqlite.org/wal.html#walresetbug), as the command line does beside a server.

All code of a process opens databases with this module: two libraries do not see each other's
locks (https://sqlite.org/howtocorrupt.html, 2.2.1).
"""

import sqlite3 as standard
from types import SimpleNamespace
from typing import Any

import aiosqlite

try:
    from pysqlite3 import dbapi2 as sqlite3
except ImportError:
    sqlite3 = standard

__all__ = ["driver", "has_reset_bug", "sqlite3"]
WITHOUT_RESET_BUG = (3, 51, 3)
# The names that SQLAlchemy reads from aiosqlite, which has them from Python's own module.
_NAMES = (
    "DatabaseError",
    "Error",
    "IntegrityError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "sqlite_version",
    "sqlite_version_info",
)

# aiosqlite's connections, with the errors and the version of the module in use.
driver: Any = SimpleNamespace(
    connect=aiosqlite.connect,
    Connection=aiosqlite.Connection,
    **{name: getattr(sqlite3, name) for name in _NAMES},
)


def has_reset_bug() -> bool:
    """Whether two processes on one database could corrupt it."""
    return bool(sqlite3.sqlite_version_info < WITHOUT_RESET_BUG)
