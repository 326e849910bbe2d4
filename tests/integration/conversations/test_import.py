"""Importing dialogues into a clinic, on both kinds of database."""

import asyncio
import csv
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.views import StaffConversation
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.events.log import CommittedEvent, last_seq
from clinic_chat.domain.imports.importer import (
    BATCH_ROWS,
    TRANSACTION_MESSAGES,
    import_dialogues,
)
from clinic_chat.domain.messages.message import Message
from clinic_chat.domain.messages.views import StaffMessage
from clinic_chat.domain.patients.patient import Patient
from clinic_chat.domain.queries.filters import Filter
from clinic_chat.domain.queries.inbox import list_conversations
from clinic_chat.domain.queries.message_pages import messages_page
from clinic_chat.storage.base import now
from clinic_chat.storage.database import Database
from clinic_chat.storage.sqlite.library import sqlite3
from tests.conftest import Clinics

COUGH = "Doctor: What brings you in?\r\nPatient: A cough.\r\nGuest_family: For two weeks!"
KNEE = "Doctor: How is the knee?\nPatient: Better.\nPatient: Much better."
Row = tuple[str, str, str]


def write(path: Path, rows: Iterable[Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["ID", "section_header", "section_text", "dialogue"])
        writer.writerows([name, section, "", dialogue] for name, section, dialogue in rows)
    return path


async def counted(scope: ClinicScope) -> tuple[int, int]:
    """How many patients and messages the clinic has."""
    async with scope.read() as session:
        patients = await session.scalar(select(func.count()).select_from(Patient))
        messages = await session.scalar(select(func.count()).select_from(Message))
    return patients or 0, messages or 0


async def thread(scope: ClinicScope, name: str) -> tuple[StaffConversation, list[StaffMessage]]:
    page = await list_conversations(scope, Filter(search=name))
    return page.rows[0], (await messages_page(scope, page.rows[0].id)).messages


async def test_a_dialogue_becomes_a_conversation_with_both_sides(
    any_database: Database, clinics: Clinics, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.csv", [("17", "CC", COUGH)])
    result = await import_dialogues(clinics.aurora, path)
    assert (result.conversations, result.messages, result.unchanged) == (1, 3, 0)
    assert result.problems == []
    conversation, messages = await thread(clinics.aurora, "mts 0017")
    assert conversation.patient_name == "MTS 0017 CC"
    assert conversation.patient_phone == ""
    assert conversation.channel == "import"
    assert conversation.inbound_count == 2
    assert conversation.preview == "For two weeks!"
    assert [(m.seq, m.direction, m.author_name, m.author_id, m.body) for m in messages] == [
        (1, "outbound", "Doctor", "", "What brings you in?"),
        (2, "inbound", "MTS 0017 CC", "", "A cough."),
        (3, "inbound", "Guest family", "", "For two weeks!"),
    ]
    assert await last_seq(clinics.aurora) == 3


async def test_importing_again_from_a_renamed_file_adds_nothing(
    any_database: Database, clinics: Clinics, tmp_path: Path
) -> None:
    rows = [("1", "CC", COUGH), ("2", "CC", COUGH), ("2", "ROS", COUGH), ("2", "CC", KNEE)]
    first = await import_dialogues(clinics.aurora, write(tmp_path / "a.csv", rows))
    assert (first.conversations, first.messages, first.unchanged) == (3, 9, 1)
    # Another program may have saved it with other line ends.
    renamed = [(name, section, text.replace("\r\n", "\n")) for name, section, text in rows]
    again = await import_dialogues(clinics.aurora, write(tmp_path / "b.csv", renamed))
    assert (again.conversations, again.messages, again.unchanged) == (0, 0, 4)
    assert again.problems == []
    assert await counted(clinics.aurora) == (3, 9)
    assert await last_seq(clinics.aurora) == 9


async def test_a_longer_file_adds_only_what_is_new(clinics: Clinics, tmp_path: Path) -> None:
    await import_dialogues(clinics.aurora, write(tmp_path / "a.csv", [("1", "CC", COUGH)]))
    path = write(tmp_path / "a.csv", [("1", "CC", COUGH), ("2", "CC", KNEE)])
    result = await import_dialogues(clinics.aurora, path)
    assert (result.conversations, result.messages, result.unchanged) == (1, 3, 1)


async def test_each_clinic_gets_its_own_copy(clinics: Clinics, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [("1", "CC", COUGH)])
    await import_dialogues(clinics.aurora, path)
    assert await counted(clinics.boreal) == (0, 0)
    assert (await import_dialogues(clinics.boreal, path)).conversations == 1


async def test_bad_rows_are_named_and_leave_no_trace_while_good_rows_stay(
    any_database: Database, clinics: Clinics, tmp_path: Path
) -> None:
    rows = [
        ("1", "CC", COUGH),
        ("", "CC", COUGH),
        ("3", "CC", ""),
        ("4", "CC", "nobody speaks"),
        ("5", "CC", "Doctor: Olá\nPatient: " + "a" * 65_537),
        ("6", "CC", "Doctor: Hello\nPatient: a\0b"),
        ("7" * 200, "CC", KNEE),
        ("8", "CC", KNEE),
    ]
    path = write(tmp_path / "a.csv", rows)
    with path.open("ab") as file:
        file.write(b"9,CC,Doctor: a\r\n10,CC,,Doctor: \xff\r\n11,CC,,Doctor: ok\r\n")
    result = await import_dialogues(clinics.aurora, path)
    assert [(problem.line, problem.reason) for problem in result.problems] == [
        (5, "the ID is empty"),
        (8, "the dialogue is empty"),
        (9, "the dialogue does not begin with a speaker"),
        (10, "turn 2: the body has over 65536 characters"),
        (14, "ID and section_header: the name has over 120 characters"),
        (20, "3 fields instead of 4"),
        (21, "bytes that are not UTF-8"),
    ]
    assert (result.conversations, result.messages) == (4, 9)
    assert await counted(clinics.aurora) == (4, 9)


async def test_conversations_keep_the_order_of_the_file_and_end_before_now(
    clinics: Clinics, tmp_path: Path
) -> None:
    rows = [(str(number), "CC", KNEE) for number in range(BATCH_ROWS + 5)]
    begun = now()
    steps: list[tuple[int, int]] = []
    path = write(tmp_path / "a.csv", rows)
    await import_dialogues(clinics.aurora, path, lambda *step: steps.append(step))
    assert steps == [(BATCH_ROWS, BATCH_ROWS + 5), (BATCH_ROWS + 5, BATCH_ROWS + 5)]
    page = await list_conversations(clinics.aurora, limit=100)
    assert [row.patient_name for row in page.rows] == [
        f"MTS {number:04} CC" for number in reversed(range(BATCH_ROWS + 5))
    ]
    moments = [datetime.fromisoformat(row.last_activity_at) for row in page.rows]
    assert len(set(moments)) == len(moments)
    assert begun <= moments[0] <= now()
    messages = (await messages_page(clinics.aurora, page.rows[0].id)).messages
    times = [datetime.fromisoformat(message.at) for message in messages]
    assert times == [moments[0] - timedelta(minutes=back) for back in (2, 1, 0)]


async def test_an_unreadable_file_stores_nothing(clinics: Clinics, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot read"):
        await import_dialogues(clinics.aurora, tmp_path / "missing.csv")
    assert await counted(clinics.aurora) == (0, 0)


async def test_no_transaction_holds_up_the_staff_for_long(
    any_database: Database, clinics: Clinics, tmp_path: Path
) -> None:
    sizes: list[int] = []

    async def committed(items: list[CommittedEvent]) -> None:
        sizes.append(len(items))

    any_database.on_commit(committed)
    rows = [(str(number), "CC", KNEE) for number in range(30)]
    result = await import_dialogues(clinics.aurora, write(tmp_path / "a.csv", rows))

    assert sum(sizes) == result.messages == 90
    assert max(sizes) < TRANSACTION_MESSAGES + 3


async def test_a_file_that_is_there_already_waits_for_nobody(
    database_path: Path, clinics: Clinics, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.csv", [("1", "CC", COUGH), ("2", "CC", KNEE)])
    await import_dialogues(clinics.aurora, path)
    with closing(sqlite3.connect(database_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(1):
            assert (await import_dialogues(clinics.aurora, path)).unchanged == 2
