"""A clinic with something of everything, and how to look at what became of it."""

from contextlib import closing
from pathlib import Path
from typing import Any

from clinic_chat.domain.messages.read_markers import mark_read
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.reports.daily_messages import count_messages
from clinic_chat.storage.sqlite.library import sqlite3
from clinic_chat.workers.log_worker import LogWorker, Reader
from tests.conftest import Clinics
from tests.support.sending import send_message

COUNTS = Reader("daily_messages", count_messages)
KEY = "k" * 48


async def fill(clinics: Clinics) -> str:
    """Give Aurora a conversation of three messages and what belongs to one; its id."""
    conversation = ""
    for number, body in enumerate(("Bom dia \u2764\ufe0f", "Posso remarcar?\n'\"")):
        stored = await receive_message(
            clinics.aurora,
            name="Paula",
            phone="+5511987654321",
            body=body,
            external_id=f"{number}",
        )
        conversation = stored.message.conversation_id
    await send_message(clinics.ana, conversation, "Claro!", "k")
    await mark_read(clinics.ana, conversation, 3)
    await LogWorker(clinics.database, (COUNTS,)).catch_up(COUNTS)
    return conversation


def table_rows(path: Path, table: str) -> list[tuple[Any, ...]]:
    """Everything in a table."""
    with closing(sqlite3.connect(path)) as connection:
        rows: list[tuple[Any, ...]] = connection.execute(
            f"SELECT * FROM {table} ORDER BY 1, 2"  # noqa: S608
        ).fetchall()
    return rows


def change(path: Path, *statements: str) -> None:
    """Change a database as no use case would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def names_in(folder: Path) -> list[str]:
    """What is in a folder, also what is hidden."""
    return sorted(path.name for path in folder.iterdir())
