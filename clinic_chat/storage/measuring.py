"""How large the database is, and what its connections do, read for a scrape."""

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import cast

from sqlalchemy import QueuePool, text
from sqlalchemy.ext.asyncio import AsyncEngine

from clinic_chat.metrics.database import CONNECTIONS, SIZE_BYTES, WAL_BYTES
from clinic_chat.metrics.instruments import Labels
from clinic_chat.metrics.scrape import Measured


async def measured(engines: Mapping[str, AsyncEngine]) -> Measured:
    """The size of the database, and the connections of these engines by the name of each."""
    connections: dict[Labels, float] = {}
    for name, engine in engines.items():
        pool = cast(QueuePool, engine.pool)
        connections[name, "in_use"] = pool.checkedout()
        connections[name, "idle"] = pool.checkedin()
    engine = next(iter(engines.values()))
    found: Measured = {CONNECTIONS: connections}
    if engine.dialect.name == "sqlite":
        return found | _file_sizes(engine.url.database or "")
    async with engine.connect() as connection:
        size = await connection.scalar(text("SELECT pg_database_size(current_database())"))
    return found | {SIZE_BYTES: {(): size or 0}}


def _file_sizes(path: str) -> Measured:
    found: Measured = {}
    for gauge, name in ((SIZE_BYTES, path), (WAL_BYTES, f"{path}-wal")):
        # There is no file of a database in memory, and no log of one that nobody has open.
        with suppress(OSError):
            found[gauge] = {(): os.stat(name).st_size}
    return found
