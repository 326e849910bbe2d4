"""A database that is locked, full or out of reach: which errors say so, in whichever words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from clinic_chat.metrics.database import UNAVAILABLE
from clinic_chat.storage.sqlite.library import sqlite3

# Result codes without their extension (https://sqlite.org/rescode.html).
SQLITE_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}
# Classes of SQLSTATE: connection, no such database, deadlock, out of resources, not now (as a
# lock that takes too long), shutting down, system error.
POSTGRESQL_UNAVAILABLE = {"08", "3D", "40", "53", "55", "57", "58"}


class StorageUnavailable(Exception):
    """The database is locked, full or out of reach; the work was rolled back, try again."""


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Have what the database cannot do now raised as `StorageUnavailable`."""
    try:
        yield
    except DBAPIError as error:
        if error.connection_invalidated or _is_unavailable(error.orig):
            UNAVAILABLE.add()
            raise StorageUnavailable(type(error.orig).__name__) from error
        raise
    except (OSError, PoolTimeout) as error:
        UNAVAILABLE.add()
        raise StorageUnavailable(type(error).__name__) from error


def _is_unavailable(error: object) -> bool:
    """Whether the state of the database is in the way, and not the statement wrong."""
    sqlite_code = getattr(error, "sqlite_errorcode", None)
    if sqlite_code is not None:
        return sqlite_code & 0xFF in SQLITE_UNAVAILABLE
    return str(getattr(error, "sqlstate", None))[:2] in POSTGRESQL_UNAVAILABLE
