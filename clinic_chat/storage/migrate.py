"""Migration: brings a database to the newest schema."""

import asyncio
import threading
from pathlib import Path

from alembic import command
from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
# Alembic keeps the running migration in module globals.
_one_at_a_time = threading.Lock()


def alembic_config(url: str) -> Config:
    """Alembic's configuration for this database, in place of an alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["database_url"] = url
    return config


async def migrate(url: str) -> None:
    """Run every migration that the database lacks. Processes that start together run in turn."""
    await asyncio.to_thread(_upgrade, url)


def _upgrade(url: str) -> None:
    with _one_at_a_time:
        command.upgrade(alembic_config(url), "head")
