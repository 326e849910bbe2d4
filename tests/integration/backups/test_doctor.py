"""The doctor finds what is wrong, says it in plain words, and changes nothing."""

import asyncio
import hashlib
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from clinic_chat.backups.schedule import backup_name
from clinic_chat.doctor import surroundings
from clinic_chat.doctor.examination import examine, examine_database
from clinic_chat.doctor.finding import Finding, Verdict, exit_code, judged, unknown
from clinic_chat.settings import Settings
from clinic_chat.storage.database import Database
from clinic_chat.storage.inspection import sqlite_url
from tests.integration.backups.contents import change, fill

SUBJECTS = {
    "settings",
    "library",
    "disk",
    "pages",
    "schema",
    "references",
    "clinics",
    "log",
    "messages",
    "versions",
    "read markers",
    "readers",
    "counts",
    "search words",
    "clock",
    "key",
    "backups",
}


def wrong(findings: list[Finding]) -> dict[str, str]:
    return {one.subject: one.text for one in findings if one.verdict is Verdict.WRONG}


async def test_a_server_that_is_well_has_nothing_wrong(
    any_database: Database, conversation: str, key_file: Path
) -> None:
    settings = Settings(database_url=any_database.url, secret_key="", backup_dir=None)
    found = await examine(settings, key_file=key_file)

    assert conversation
    assert [one for one in found if one.verdict is not Verdict.OK] == []
    assert {one.subject for one in found} == SUBJECTS
    assert exit_code(found) == 0


@pytest.mark.usefixtures("conversation")
async def test_nothing_is_changed_while_a_server_runs(
    settings: Settings, database_path: Path, key_file: Path
) -> None:
    def bytes_of() -> list[str]:
        files = (database_path, Path(f"{database_path}-wal"), key_file)
        return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]

    before = bytes_of()
    await examine(settings, key_file=key_file)
    assert bytes_of() == before


SESSION = (
    "INSERT INTO sessions (id, cookie_hash, user_id, clinic_id, created_at, signed_in_at, seen_at)"
    " SELECT hex(randomblob(16)), 'x', user_id, clinic_id, '2020-01-01 00:00:00',"
    " '2020-01-01 00:00:00', '2020-01-01 00:00:00' FROM memberships LIMIT 1"
)
MESSAGES_OF_BOREAL = (
    "UPDATE messages SET clinic_id = (SELECT id FROM clinics WHERE slug = 'boreal')"
)
PATIENTS_OF_BOREAL = MESSAGES_OF_BOREAL.replace("messages", "patients")


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("statement", "subject", "text"),
    [
        ("DELETE FROM events WHERE seq = 2", "log", "aurora: 2 events, numbered up to 3"),
        ("DELETE FROM events WHERE seq = 3", "log", "up to 2, and the clinic says 3"),
        ("UPDATE clinics SET last_event_seq = 9", "log", "boreal: 0 events"),
        ("DELETE FROM messages WHERE seq = 2", "messages", "2 messages, numbered up to 3"),
        ("UPDATE conversations SET last_seq = 9", "messages", "it says 9 and 2"),
        ("UPDATE conversations SET inbound_count = 9", "messages", "it says 3 and 9"),
        ("UPDATE conversations SET version = 9", "versions", "up to version 3, it says 9"),
        ("UPDATE events SET subject_version = 7 WHERE seq = 3", "versions", "up to version 7"),
        ("DELETE FROM conversations", "versions", "events of 1 conversations that are not there"),
        ("DELETE FROM conversations", "references", "messages: 3 rows without their conversations"),
        ("DELETE FROM users", "references", "memberships: 3 rows without their users"),
        (MESSAGES_OF_BOREAL, "clinics", "messages: 3 rows of"),
        (PATIENTS_OF_BOREAL, "clinics", "conversations: 1 rows"),
        ("UPDATE read_markers SET seq = 9", "read markers", "read up to 9 of 3"),
        ("UPDATE read_markers SET inbound_read = 1", "read markers", "1 of the patient's where 2"),
        ("UPDATE memberships SET personal_version = 0", "read markers", "a marker of version 1"),
        ("UPDATE log_readers SET cursor = 9", "readers", "daily_messages has taken 9 events of 3"),
        ("UPDATE messages SET created_at = '2999-01-01 00:00:00.000000'", "clock", "2999-01-01"),
        ("UPDATE conversations SET status = 'pending'", "counts", "1 conversations are pending"),
        ("DELETE FROM conversation_totals", "counts", "and 0 are counted"),
        ("UPDATE memberships SET read_counts = '{\"mine/open\": 7}'", "counts", "and 7 are"),
        ("UPDATE patients SET search_name = 'x'", "search words", "other words than their own"),
        ("UPDATE word_parts SET part = 'x' || part", "search words", "by how they begin"),
        (SESSION.replace("2020", "2999"), "clock", "a session is of 2999"),
        ("UPDATE alembic_version SET version_num = '0007'", "schema", "run `migrate`"),
        ("UPDATE alembic_version SET version_num = '9999'", "schema", "of a newer version"),
    ],
)
async def test_what_does_not_agree_is_found(
    settings: Settings,
    database_path: Path,
    key_file: Path,
    statement: str,
    subject: str,
    text: str,
) -> None:
    change(database_path, "PRAGMA foreign_keys=OFF", statement)

    found = await examine(settings, key_file=key_file)

    assert text in wrong(found)[subject]
    assert exit_code(found) == 1


async def test_the_same_is_found_on_postgresql(
    postgres_database: Database, populate: Callable[..., Any]
) -> None:
    await fill(await populate(postgres_database))
    connection = await asyncpg.connect(postgres_database.url.replace("+asyncpg", ""))
    await connection.execute("SET session_replication_role = replica")
    for statement in (
        "DELETE FROM events WHERE seq = 2",
        "DELETE FROM users",
        "UPDATE read_markers SET inbound_read = 1",
        "UPDATE conversations SET last_seq = 9",
    ):
        await connection.execute(statement)
    found = wrong(await examine_database(postgres_database.url))
    # So that they can be removed.
    await connection.execute("TRUNCATE clinics, users CASCADE")
    await connection.close()

    assert set(found) >= {"log", "versions", "references", "read markers", "messages"}


def damage(path: Path) -> None:
    """Turn around every bit after the first pages."""
    data = path.read_bytes()
    path.write_bytes(data[:8192] + bytes(byte ^ 0xFF for byte in data[8192:]))


@pytest.mark.usefixtures("conversation")
async def test_damaged_pages_are_found(
    database: Database, settings: Settings, database_path: Path, key_file: Path
) -> None:
    await database.close()
    damage(database_path)

    found = await examine(settings, key_file=key_file)

    assert "pages" in wrong(found) or "database" in wrong(found)
    assert exit_code(found) == 1


def test_what_is_no_database_is_wrong_and_what_is_not_there_cannot_be_looked_at(
    settings: Settings, tmp_path: Path, key_file: Path
) -> None:
    no_database = tmp_path / "text.db"
    no_database.write_text("this is no database" * 100)
    empty = tmp_path / "empty.db"
    empty.touch()
    codes = []
    for path in (no_database, empty, tmp_path / "missing.db"):
        other = settings.model_copy(update={"database_url": sqlite_url(path)})
        codes.append(exit_code(asyncio.run(examine(other, key_file=key_file))))
    assert codes == [1, 2, 2]
    assert not (tmp_path / "missing.db").exists()

    away = "postgresql+asyncpg://u:secret@127.0.0.1:1/x"
    elsewhere = settings.model_copy(update={"database_url": away})
    found = asyncio.run(examine(elsewhere, key_file=key_file))
    assert exit_code(found) == 2
    assert "secret" not in str(found)


@pytest.mark.usefixtures("filled")
def test_a_key_that_is_missing_short_or_readable_by_others_is_found(
    settings: Settings, database_path: Path, key_file: Path
) -> None:
    def said() -> str:
        return wrong(asyncio.run(examine(settings, key_file=key_file))).get("key", "")

    key_file.chmod(0o644)
    assert "others can read" in said()
    key_file.chmod(0o600)
    key_file.write_text("short")
    assert "at least 32 characters" in said()
    key_file.unlink()
    assert said() == ""
    change(database_path, SESSION)
    assert "is missing" in said()
    settings.secret_key = "k" * 40
    assert said() == ""


async def test_the_surroundings_are_looked_at(
    settings: Settings, key_file: Path, backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings.model_copy(
        update={
            "backup_dir": backups,
            "backup_every_hours": 6,
            "backup_encrypt_to": ["age1x"],
            "session_idle_minutes": 60 * 24 * 30,
            "allowed_origins": ["example.com", "https://example.com"],
        }
    )
    monkeypatch.setattr(surroundings, "has_reset_bug", lambda: True)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000))
    found = wrong(await examine(settings, key_file=key_file))

    assert set(found) == {"settings", "library", "disk", "backups"}
    for text in ("BACKUP_ENCRYPT_TO", "SESSION_IDLE_MINUTES", "example.com is no origin"):
        assert text in found["settings"]
    assert "can corrupt a database" in found["library"]
    assert "1,000 bytes are free" in found["disk"]
    assert "there is none" in found["backups"]

    now = datetime.now(UTC)
    (backups / backup_name(now - timedelta(hours=13), encrypted=False)).touch()
    assert "13.0 hours old" in surroundings.check_backups(settings).text
    assert surroundings.check_backups(settings).verdict is Verdict.WRONG
    (backups / backup_name(now - timedelta(hours=11), encrypted=True)).touch()
    assert surroundings.check_backups(settings).verdict is Verdict.OK
    settings = settings.model_copy(update={"backup_dir": backups / "no" / "folder"})
    assert surroundings.check_backups(settings).verdict is Verdict.WRONG
    assert "BACKUP_DIR" in surroundings.check_settings(settings).text


def test_many_problems_are_shortened_and_what_is_wrong_comes_first() -> None:
    many = judged("log", [f"p{number}" for number in range(8)], "")
    assert many.text == "p0; p1; p2; p3; p4; and 3 more"
    fine, gap = judged("log", [], "fine"), unknown("log", "away")
    assert [exit_code(one) for one in ([fine], [fine, gap], [gap, many, fine])] == [0, 2, 1]
    assert os.linesep not in many.text
