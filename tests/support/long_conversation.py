"""Long conversations, written directly to the server's database because that is quick."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import UUID

from clinic_chat.storage.base import new_id
from clinic_chat.storage.sqlite.library import sqlite3
from tests.support.browser.talk import Talk
from tests.support.servers.server import Server

APART = timedelta(minutes=7)


def body_of(seq: int) -> str:
    """What a message says; their heights differ."""
    return "\n".join([f"Mensagem {seq}", *["e mais uma linha"] * (seq % 5)])


def bodies_of(first: int, last: int) -> list[str]:
    """What the messages from one number to another say."""
    return [body_of(seq) for seq in range(first, last + 1)]


def fill(server: Server, talk: Talk, count: int, *, apart: timedelta = APART) -> None:
    """Give a conversation `count` messages in all; the last was written just now.

    The patient writes two, then Ana one. Nobody may have opened the conversation.
    """
    key = UUID(talk.conversation_id).hex
    newest = datetime.now(UTC)
    inbound = 0
    with closing(sqlite3.connect(server.database, timeout=10)) as database, database:
        ana_id, ana = database.execute(
            "SELECT id, name FROM users WHERE email LIKE 'ana@%'"
        ).fetchone()
        (clinic,) = database.execute(
            "SELECT clinic_id FROM conversations WHERE id = ?", (key,)
        ).fetchone()
        database.execute("DELETE FROM messages WHERE conversation_id = ?", (key,))
        for seq in range(1, count + 1):
            written = seq % 3 == 0
            inbound += not written
            at = (newest - (count - seq) * apart).strftime("%Y-%m-%d %H:%M:%S.000000")
            database.execute(
                "INSERT INTO messages (id, conversation_id, seq, direction, author_id, "
                "author_name, body, origin, client_id, status, created_at, failure, clinic_id) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, 'past', ?, 'sent', ?, '', ?)",
                (
                    new_id().hex,
                    key,
                    seq,
                    "outbound" if written else "inbound",
                    ana_id if written else None,
                    ana if written else talk.name,
                    body_of(seq),
                    f"{key}:{seq}",
                    at,
                    clinic,
                ),
            )
        database.execute(
            "UPDATE conversations SET last_seq = ?, inbound_count = ? WHERE id = ?",
            (count, inbound, key),
        )
