"""Migration: brings a database to the newest schema."""

import asyncio
import threading
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from clinic_chat.storage.inspection import current_revision

MIGRATIONS = Path(__file__).parent / "migrations"
# Alembic keeps the running migration in module globals.
_one_at_a_time = threading.Lock()


class SchemaTooNew(Exception):
    """A newer version of Clinic Chat has migrated this database; nothing was changed."""


@dataclass(frozen=True)
class Schema:
    """Where a database's schema stands."""

    current: str | None
    """None for a database without tables of ours."""
    newest: str

    @property
    def is_behind(self) -> bool:
        """Whether there is something in it, in the form of an older version."""
        return self.current is not None and self.current != self.newest


def alembic_config(url: str) -> Config:
    """Alembic's configuration for this database, in place of an alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["database_url"] = url
    return config


def known_revisions() -> list[str]:
    """The revisions that this version of the code can migrate from, the newest first."""
    scripts = ScriptDirectory.from_config(alembic_config(""))
    return [script.revision for script in scripts.walk_revisions()]


async def schema_of(url: str) -> Schema:
    """How a database's schema compares with the code's.

    Raises:
        SchemaTooNew: this version does not know it.
    """
    known = known_revisions()
    current = await current_revision(url)
    if current is not None and current not in known:
        raise SchemaTooNew(
            f"the database has the schema {current} of a newer version, and this one knows "
            f"{known[0]} at most: run that version, or restore a backup from before"
        )
    return Schema(current, known[0])


async def migrate(url: str) -> None:
    """Run every migration that the database lacks. Processes that start together run in turn.

    Raises:
        SchemaTooNew: a newer version has migrated it.
    """
    await schema_of(url)
    await asyncio.to_thread(_upgrade, url)


def _upgrade(url: str) -> None:
    with _one_at_a_time:
        command.upgrade(alembic_config(url), "head")
