"""The write-ahead log gets small again after somebody read for a long time."""

from contextlib import closing
from pathlib import Path

from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.storage.sqlite.library import sqlite3
from tests.conftest import Clinics

MESSAGES = 500
# As much as 1,500 short messages write, in fewer commits.
BODY = "x" * 60_000
MOST_BYTES = 20 * 1024 * 1024


async def test_the_log_shrinks_when_a_long_reader_has_left(
    clinics: Clinics, database_path: Path
) -> None:
    log = database_path.with_name(f"{database_path.name}-wal")

    async def deliver(key: int) -> None:
        await receive_message(
            clinics.aurora, name="Zoé", phone="+5511911110001", body=BODY, external_id=str(key)
        )

    await deliver(0)
    with closing(sqlite3.connect(database_path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM messages").fetchone()
        for key in range(1, MESSAGES):
            await deliver(key)
        assert log.stat().st_size > MOST_BYTES
        reader.execute("ROLLBACK")
    for key in range(MESSAGES, MESSAGES + 3):
        await deliver(key)

    assert log.stat().st_size < MOST_BYTES
