"""What the inbox, threads and searches ask goes by index and reads no more in a larger clinic.

The statements are those that feeds and commands send, with their values; the databases say how
they would find the rows.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from clinic_chat.cache.hybrid import MEGABYTE, HybridCache
from clinic_chat.cache.memory import MemoryLevel
from clinic_chat.domain.clinics.actors import SYSTEM
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.assignment import assign, set_status
from clinic_chat.domain.conversations.conversation import Status
from clinic_chat.domain.conversations.starting import start_conversation_with
from clinic_chat.domain.messages.read_markers import mark_read, mark_unread
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.patient_records.changes import create_patient, rename_patient
from clinic_chat.domain.patient_records.identities import add_identity, remove_identity
from clinic_chat.domain.patient_records.merging import merge_patients
from clinic_chat.domain.patient_records.views import get_patient
from clinic_chat.domain.patients.entered_identities import EnteredPatient
from clinic_chat.domain.queries.conversation_pages import Order
from clinic_chat.domain.queries.filters import AssigneeFilter, program_filter
from clinic_chat.domain.queries.inbox import list_conversations
from clinic_chat.domain.queries.message_pages import messages_page
from clinic_chat.domain.queries.patient_pages import find_patients, list_patients
from clinic_chat.domain.queries.single_message import get_message
from clinic_chat.realtime.feeds import personal
from clinic_chat.realtime.feeds.cached.thread_pages import ThreadPages
from clinic_chat.realtime.feeds.inbox import FEED, KEY, InboxFeed
from clinic_chat.realtime.feeds.thread import ThreadFeed
from clinic_chat.storage.database import Database
from tests.load.servers.volume import LargeClinic, fill_volume
from tests.load.servers.volume_rows import LAST_AT, RARE_NAME, Volume
from tests.support.sending import send_message

# More patients of a common name than a search sorts, and more conversations than a page by far.
VOLUME = Volume(8_000, 2)
FEW = {
    *("clinics", "users", "memberships", "conversation_totals", "read_totals"),
    "patient_merges",
}
"""The tables that do not grow with patients and messages."""
# Rows of a step: 1,001 candidates of a search, or a page of a view in which few rows are.
MOST_READ = 2_500
MOST_SORTED = 64
# What alone leads to more rows in a larger clinic.
WIDE = {"clinic_id", "user_id", "assignee_id", "status"}


@dataclass(frozen=True)
class Sent:
    """A statement as it was sent."""

    sql: str
    values: Any


@contextmanager
def statements_of(database: Database) -> Iterator[list[Sent]]:
    """Collects what is sent to the database, each form of a statement once."""
    found: dict[str, Sent] = {}

    def note(_: Any, __: Any, sql: str, values: Any, ___: Any, many: bool) -> None:
        found.setdefault(sql, Sent(sql, values[0] if many else values))

    engines = [engine.sync_engine for engine in (database._reader, database._writer)]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    sent: list[Sent] = []
    yield sent
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)
    sent.extend(found.values())


@pytest.fixture
async def large(any_database: Database) -> LargeClinic:
    return await fill_volume(any_database, VOLUME)


async def use(large: LargeClinic) -> None:
    """Do with the clinic what people and channels do."""
    staff = large.scope
    channel = ClinicScope(staff.database, staff.clinic_id, SYSTEM)
    cache = HybridCache(MemoryLevel(MEGABYTE))
    inbox = InboxFeed(Mock(), Mock(), Mock(), cache)
    thread = ThreadFeed(Mock(), ThreadPages(cache, lambda _: True))
    place = str(large.conversations[17])
    middle = f"{LAST_AT.isoformat()}_{place}"
    await inbox.start(staff, KEY, {}, None)
    for search in ("", "maria", RARE_NAME, "zoe zanetti", large.phones[3]):
        for cursor in ("", middle):
            for who in AssigneeFilter:
                for status in ("", *Status):
                    # Of a search's rows with both filters there are hardly any.
                    for unread in (False, True)[: 1 if search and who != "all" else 2]:
                        await inbox.page(staff, KEY, _view(search, who, status, unread, cursor))
    await thread.start(staff, place, {}, None)
    await thread.start(staff, place, {}, 1)
    await thread.page(staff, place, {"before": 2})
    await thread.page(staff, place, {"after": 1})
    for phone in (large.phones[17], "+5571999990000"):
        last = await receive_message(
            channel, name="Nova", phone=phone, body="oi", external_id=phone
        )
    await send_message(staff, place, "oi", "1")
    await mark_read(staff, place, 3)
    await mark_unread(staff, place)
    await mark_read(staff, place, 4)
    await set_status(staff, place, "pending")
    await assign(staff, last.message.conversation_id, str(staff.user_id), "")
    await use_as_program(large)
    version = VOLUME.conversations * VOLUME.messages_each
    await inbox.start(staff, KEY, {FEED: version, personal.FEED: VOLUME.conversations}, None)
    await thread.start(staff, place, {"messages": 2}, None)


async def use_as_program(large: LargeClinic) -> None:
    """Do with the clinic what programs do besides."""
    staff = large.scope
    place = str(large.conversations[17])
    colleague = str(staff.user_id)
    middle = {Order.ACTIVITY: f"{LAST_AT.isoformat()}_{place}", Order.CREATED: place}
    for order in Order:
        for assignee in ("", "me", "none", colleague, str(uuid4())):
            for status in ("", *Status):
                for search, cursor in (("", ""), ("", middle[order]), ("maria", middle[order])):
                    wanted = program_filter(
                        staff, search=search, assignee=assignee, status=status, active_since=None
                    )
                    await list_conversations(staff, wanted, cursor=cursor, order=order)
    recent = program_filter(staff, search="", assignee="", status="", active_since=LAST_AT)
    await list_conversations(staff, recent)
    row = (await list_conversations(staff)).rows[0]
    for search in ("", "maria", RARE_NAME, "zoe zanetti", large.phones[3]):
        for cursor in ("", row.patient_id):
            await list_patients(staff, search=search, cursor=cursor)
    await find_patients(staff, phone=large.phones[3])
    await get_patient(staff, row.patient_id)
    await rename_patient(staff, row.patient_id, "Zilda Quaresma")
    for number in range(2):
        await add_identity(staff, row.patient_id, "external", f"P-{number}")
    same = await create_patient(staff, EnteredPatient("Zilda", "+5571999990001"))
    await merge_patients(staff, same.id, row.patient_id)
    await merge_patients(staff, same.id, row.patient_id)
    merged = await get_patient(staff, row.patient_id)
    await remove_identity(staff, row.patient_id, merged.identities[0].id)
    await start_conversation_with(staff, EnteredPatient("Nova", "+5571999990002"))
    newest = (await messages_page(staff, place)).messages[-1]
    await get_message(staff, newest.id)


def _view(search: str, who: str, status: str, unread: bool, cursor: str) -> dict[str, Any]:
    filters = {"search": search, "who": who, "status": status, "unread": unread}
    return {**filters, "cursor": cursor, "number": 1}


async def faults_in(connection: AsyncConnection, sent: list[Sent]) -> list[str]:
    """What is wrong with the plans of the statements, each with its statement."""
    sqlite = connection.dialect.name == "sqlite"
    look = _look_at_sqlite if sqlite else _look_at_postgresql
    return [
        f"{fault}\n  {one.sql}"
        for one in sent
        if re.match("SELECT|UPDATE|DELETE", one.sql)
        for fault in await look(connection, one)
    ]


async def _look_at_sqlite(connection: AsyncConnection, one: Sent) -> list[str]:
    plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one.sql}", one.values)
    steps = [str(tuple(row)[-1]) for row in plan]
    conversation = re.compile(r"SEARCH conversations .*\((?:clinic_id=\? AND )?id=\?\)")
    by_id = any(conversation.search(step) for step in steps)
    faults = []
    for step in steps:
        scanned = re.match(r"SCAN (\w+)", step)
        if scanned and scanned[1] not in FEW | {"CONSTANT"}:
            faults.append(step)
        if "AUTOMATIC" in step or ("TEMP B-TREE" in step and not by_id):
            faults.append(step)
        found = re.match(r"SEARCH (\w+) .*\((.*)\)", step)
        # Views are counted before they are found by this one.
        counted = "ix_conversations_clinic_id_status_assignee_id" in step
        if found and found[1] not in FEW and " LIMIT " not in one.sql and not counted:
            terms = set(re.findall(r"(\w+)[=<>]", found[2]))
            if terms <= WIDE:
                faults.append(f"{step}, without a limit")
    return faults


async def _look_at_postgresql(connection: AsyncConnection, one: Sent) -> list[str]:
    # Only what reads is run.
    how = "ANALYZE, " if one.sql.startswith("SELECT") else ""
    explain = f"EXPLAIN ({how}FORMAT JSON) {one.sql}"
    plan = (await connection.exec_driver_sql(explain, one.values)).scalar()
    assert plan is not None
    return list(_faults_in_node(plan[0]["Plan"]))


def _faults_in_node(node: dict[str, Any]) -> Iterator[str]:
    kind, table = node["Node Type"], node.get("Relation Name", "")
    if kind == "Seq Scan" and table not in FEW:
        yield f"Seq Scan on {table}"
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    read = (node.get("Actual Rows", 0) + removed) * node.get("Actual Loops", 0)
    if "Scan" in kind and table not in FEW and read > MOST_READ:
        yield f"{kind} on {table} reads {read:.0f} rows"
    for inner in node.get("Plans", []):
        if "Sort" in kind and inner.get("Actual Rows", 0) > MOST_SORTED:
            yield f"{kind} of {inner['Actual Rows']:.0f} rows"
        yield from _faults_in_node(inner)


async def test_everything_goes_by_index(any_database: Database, large: LargeClinic) -> None:
    with statements_of(any_database) as sent:
        await use(large)
    assert len(sent) > 100
    async with any_database._writer.connect() as connection:
        assert await faults_in(connection, sent) == []
        # An index that is missing is seen.
        await connection.exec_driver_sql("DROP INDEX ix_conversations_clinic_id_status_assignee_id")
        faults = await faults_in(connection, sent)
        assert faults
        assert all("conversations" in fault for fault in faults)
        await connection.rollback()
