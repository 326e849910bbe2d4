"""Alembic environment: runs migrations over the application's asynchronous drivers."""

import asyncio
from typing import Any

import structlog
from alembic import context
from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from clinic_chat.storage.base import Base
from clinic_chat.storage.sqlite.connection import sqlite_connection
from clinic_chat.storage.sqlite.engine import sqlite_driver
from clinic_chat.storage.sqlite.statistics import fix_statistics

# Any constant that no other advisory lock in the database uses.
ADVISORY_LOCK = 0x436C696E
SECONDS_FOR_ANOTHER_PROCESS = 60

log = structlog.get_logger("clinic_chat.storage.migrate")


def _log_migration(ctx: object, step: Any, heads: object, run_args: object) -> None:
    log.info("database.migrating", revision=step.up_revision_id, backwards=not step.is_upgrade)


def _run(connection: Connection) -> None:
    postgresql = connection.dialect.name == "postgresql"
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=not postgresql,
        transaction_per_migration=False,
        transactional_ddl=True,
        on_version_apply=_log_migration,
    )
    with context.begin_transaction():
        if postgresql:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
        context.run_migrations()
        if not postgresql:
            fix_statistics(connection)


def _engine(url: str) -> AsyncEngine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_async_engine(url, poolclass=NullPool)
    engine = create_async_engine(
        url,
        poolclass=NullPool,
        module=sqlite_driver(),
        connect_args={
            "timeout": SECONDS_FOR_ANOTHER_PROCESS,
            "async_creator_fn": sqlite_connection,
        },
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        # Otherwise the driver would commit each statement that changes a table by itself, and a
        # process that stops in the middle would leave half of the tables.
        connection.isolation_level = None

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


async def _online() -> None:
    engine = _engine(context.config.attributes["database_url"])
    async with engine.connect() as connection:
        await connection.run_sync(_run)
        await connection.commit()
    await engine.dispose()


asyncio.run(_online())
