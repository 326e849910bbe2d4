"""A clinic's session behaves as if no other clinic existed, whatever the code writes.

Most tests here compare two worlds: a database with both clinics and a copy of it without
Boreal's rows. What a session for Aurora returns and writes must be the same in both, and
Boreal's rows must stay as they were. A statement that cannot keep that must be refused.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    CursorResult,
    Uuid,
    case,
    column,
    delete,
    exists,
    func,
    insert,
    inspect,
    lambda_stmt,
    literal,
    literal_column,
    not_,
    or_,
    select,
    table,
    text,
    true,
    tuple_,
    union,
    union_all,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import (
    Bundle,
    aliased,
    join,
    make_transient_to_detached,
    outerjoin,
    with_loader_criteria,
    with_polymorphic,
)
from sqlalchemy.orm.attributes import set_committed_value

from clinic_chat.domain.accounts.users import Membership, User
from clinic_chat.domain.administration.audit_trail import AuditEntry
from clinic_chat.domain.administration.own_account import change_name
from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import Conversation
from clinic_chat.domain.conversations.counts import ConversationTotal
from clinic_chat.domain.conversations.read_marker import ReadMarker
from clinic_chat.domain.events.log import Event
from clinic_chat.domain.messages.drafts import Draft, save_draft
from clinic_chat.domain.messages.message import Message
from clinic_chat.domain.messages.read_markers import mark_read
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.patient_records.changes import create_patient
from clinic_chat.domain.patient_records.merging import PatientMerge, merge_patients
from clinic_chat.domain.patients.entered_identities import EnteredPatient
from clinic_chat.domain.patients.identities import PatientIdentity
from clinic_chat.domain.patients.patient import Patient
from clinic_chat.domain.patients.search_words import PatientWord, WordPart
from clinic_chat.domain.reports.daily_messages import DailyMessages
from clinic_chat.domain.single_sign_on.providers import (
    IdentityProvider,
    ProviderAccount,
    UsedState,
)
from clinic_chat.domain.tables import metadata
from clinic_chat.domain.webhooks.delivery import WebhookDelivery
from clinic_chat.domain.webhooks.settings import create_webhook
from clinic_chat.domain.webhooks.webhook import Webhook, webhook_seal
from clinic_chat.outbound.client import Outbound
from clinic_chat.storage.base import Base, ClinicOwned
from clinic_chat.storage.database import Database
from clinic_chat.storage.scoping import PARAMETER, UnscopedQuery
from clinic_chat.storage.sqlite.library import sqlite3
from clinic_chat.workers.log_worker import LogWorker
from clinic_chat.workers.readers import READERS
from tests.support.sending import send_message

if TYPE_CHECKING:
    from tests.conftest import Clinics

# Statements here are made to reach too far.
pytestmark = pytest.mark.filterwarnings("ignore:SELECT statement has a cartesian product")

OWNED = sorted(
    (mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, ClinicOwned)),
    # Processes that share the tests must name them in one order.
    key=lambda entity: str(inspect(entity).local_table),
)
TABLES = [
    table.name
    for table in metadata.sorted_tables
    if table in {inspect(entity).local_table for entity in OWNED}
]
REFUSED = "refused"
NEW_ID = UUID("01890000-0000-7000-8000-000000000001")


@dataclass(frozen=True)
class Rows:
    """The ids of what a clinic has."""

    clinic: UUID
    patient: UUID
    conversation: UUID
    message: UUID


@dataclass(frozen=True)
class Worlds:
    """The same Aurora twice: beside Boreal, and alone."""

    both: Database
    alone: Database
    both_path: Path
    alone_path: Path
    ours: Rows
    theirs: Rows


@pytest.fixture(scope="module")
def seeded(
    populate: Callable[..., Awaitable[Clinics]],
    sqlite_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Path, Rows, Rows]:
    """The files of the two worlds, for copying, and the ids of Aurora and Boreal."""
    folder = tmp_path_factory.mktemp("worlds")
    both, alone = folder / "both.db", folder / "alone.db"
    shutil.copy(sqlite_template, both)

    async def fill() -> tuple[Rows, Rows]:
        database = Database(f"sqlite+aiosqlite:///{both}")
        rows = await _fill(await populate(database))
        await database.close()
        return rows

    ours, theirs = asyncio.run(fill())
    shutil.copy(both, alone)
    with closing(sqlite3.connect(alone)) as connection, connection:
        for name in reversed(TABLES):
            connection.execute(f"DELETE FROM {name} WHERE clinic_id = ?", (theirs.clinic.hex,))  # noqa: S608
    return both, alone, ours, theirs


@pytest.fixture
async def worlds(seeded: tuple[Path, Path, Rows, Rows], tmp_path: Path) -> AsyncIterator[Worlds]:
    both_path, alone_path = (Path(shutil.copy(path, tmp_path)) for path in seeded[:2])
    both = Database(f"sqlite+aiosqlite:///{both_path}")
    alone = Database(f"sqlite+aiosqlite:///{alone_path}")
    yield Worlds(both, alone, both_path, alone_path, *seeded[2:])
    await both.close()
    await alone.close()


async def _fill(clinics: Clinics) -> tuple[Rows, Rows]:
    return (
        await _fill_one(clinics.aurora, clinics.ana, "Paula", "+5511900000001", "nossa"),
        await _fill_one(clinics.boreal, clinics.carla, "Sigrid", "+5511900000002", "alheia"),
    )


async def _fill_one(
    channel: ClinicScope, staff: ClinicScope, name: str, phone: str, body: str
) -> Rows:
    seal, url = webhook_seal(b"a key"), f"https://{name}.example"
    await create_webhook(channel, seal, Outbound(), url, ["message:new"])
    received = await receive_message(channel, name=name, phone=phone, body=body, external_id="1")
    conversation = received.message.conversation_id
    answer = await send_message(staff, conversation, f"resposta {body}", "1")
    await receive_message(channel, name=name, phone=phone, body=f"{body} 2", external_id="2")
    await mark_read(staff, conversation, 3)
    await save_draft(staff, conversation, f"rascunho {body}")
    await change_name(staff, f"Equipe {name}")
    await _sign_in_by_provider(channel, staff, name)
    for reader in READERS:
        await LogWorker(channel.database, READERS).catch_up(reader)
    async with channel.read() as session:
        patient = await session.scalar(select(Conversation.patient_id))
    assert patient is not None
    same = await create_patient(channel, EnteredPatient(f"{name} {body}"))
    await merge_patients(channel, same.id, patient)
    return Rows(channel.clinic_id, patient, UUID(conversation), UUID(answer.message.id))


async def _sign_in_by_provider(channel: ClinicScope, staff: ClinicScope, name: str) -> None:
    async with channel.write() as session:
        provider = IdentityProvider(issuer=f"https://{name}", client_id=name, sealed_secret="")
        account = ProviderAccount(issuer=provider.issuer, subject=name, user_id=staff.staff_id())
        session.add_all([provider, account, UsedState(state_hash=name)])


Step = Callable[[AsyncSession, Rows, Rows], Awaitable[Any]]


async def _outcome_when_alone(worlds: Worlds, step: Step) -> Any:
    """Runs the step in both worlds and returns its outcome, which must be the same."""
    theirs = _dump(worlds.both_path, worlds.theirs.clinic)
    beside = await _outcome(worlds.both, step, worlds)
    alone = await _outcome(worlds.alone, step, worlds)
    assert beside == alone
    assert _dump(worlds.both_path, worlds.theirs.clinic) == theirs
    assert not any(_dump(worlds.alone_path, worlds.theirs.clinic).values())
    ours = _dump(worlds.both_path, worlds.ours.clinic)
    assert ours == _dump(worlds.alone_path, worlds.ours.clinic)
    assert _free(worlds.both_path) == _free(worlds.alone_path)
    return beside


async def _outcome(database: Database, step: Step, worlds: Worlds) -> Any:
    """What the step returned; what it wrote is committed."""
    try:
        async with database.write(worlds.ours.clinic) as session:
            return _plain(await step(session, worlds.ours, worlds.theirs))
    except UnscopedQuery:
        return REFUSED


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)) or hasattr(value, "_mapping"):
        return tuple(_plain(item) for item in value)
    if hasattr(value, "__mapper__"):
        return tuple(getattr(value, attribute.key) for attribute in inspect(value).mapper.attrs)
    return value


def _dump(path: Path, clinic: UUID) -> dict[str, list[tuple[Any, ...]]]:
    """A clinic's rows, table by table."""
    return {
        table: _rows(path, f"{table} WHERE clinic_id = '{clinic.hex}' ORDER BY 1, 2")
        for table in TABLES
    }


def _free(path: Path) -> list[list[tuple[Any, ...]]]:
    """The rows that belong to no clinic."""
    return [_rows(path, f"{table} ORDER BY 1") for table in ("clinics", "users", "memberships")]


def _rows(path: Path, of: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT * FROM {of}").fetchall()  # noqa: S608


def _statement(make: Callable[[Rows, Rows], Any]) -> Step:
    async def step(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
        result = await session.execute(make(ours, theirs))
        if isinstance(result, CursorResult) and not result.returns_rows:
            return result.rowcount
        return result.all()

    return step


other = aliased(Message)
core: Any = Message.__table__

# o has our ids, t theirs.
FILTERED_READS: dict[str, Callable[[Rows, Rows], Any]] = {
    "entity": lambda o, t: select(Message),
    "column": lambda o, t: select(Message.body),
    "by another's id": lambda o, t: select(Message).where(Message.id == t.message),
    "saying another's clinic": lambda o, t: select(Message).where(Message.clinic_id == t.clinic),
    "or true": lambda o, t: select(Message).where(or_(Message.id == t.message, true())),
    "every entity": lambda o, t: select(Patient.name).add_columns(
        select(func.count(Event.seq)).scalar_subquery(),
        select(func.count(ReadMarker.seq)).scalar_subquery(),
    ),
    "count of entity": lambda o, t: select(func.count()).select_from(Message),
    "count of column": lambda o, t: select(func.count(Message.id)),
    "count distinct": lambda o, t: select(func.count(Message.body.distinct())),
    "two functions": lambda o, t: select(func.max(Message.body), func.min(Patient.name)),
    "tuple": lambda o, t: select(Message.id).where(
        tuple_(Message.id, Message.clinic_id).in_([(t.message, t.clinic)])
    ),
    "bundle": lambda o, t: select(Bundle("b", Message.body, Patient.name)),
    "alias": lambda o, t: select(other),
    "alias of another's id": lambda o, t: select(other.body).where(other.id == t.message),
    "alias and entity": lambda o, t: select(Message.body, other.body),
    "flat alias": lambda o, t: select(aliased(Message, flat=True)),
    "polymorphic": lambda o, t: select(with_polymorphic(Message, "*")),
    "join": lambda o, t: select(Clinic.slug, Message.body).join(Message, true()),
    "join on clinic": lambda o, t: select(Clinic.slug, Message.body).join(
        Message, Message.clinic_id == Clinic.id
    ),
    "join to alias": lambda o, t: select(Message.body, other.body).join(other, true()),
    "outer join": lambda o, t: select(Clinic.slug, Message.body).outerjoin(
        Message, Message.clinic_id == Clinic.id
    ),
    "outer join or true": lambda o, t: select(Clinic.slug, Message.body).outerjoin(
        Message, or_(Message.clinic_id == t.clinic, true())
    ),
    "from a join": lambda o, t: select(Message.body).select_from(
        join(Clinic, Message, Message.clinic_id == Clinic.id)
    ),
    "from an outer join": lambda o, t: select(Message.body, Clinic.slug).select_from(
        outerjoin(Message, Clinic, Message.clinic_id != Clinic.id)
    ),
    "from the right of an outer join": lambda o, t: select(Clinic.slug, Message.body).select_from(
        outerjoin(Clinic, Message, true())
    ),
    "only in where": lambda o, t: select(Clinic.slug).where(Message.body.contains("alheia")),
    "with_only_columns": lambda o, t: select(Message.id).with_only_columns(Patient.name),
    "with_only_columns keeping froms": lambda o, t: select(Message.id).with_only_columns(
        func.count(), maintain_column_froms=True
    ),
    "subquery": lambda o, t: select(select(Message.body).subquery()),
    "subquery in a column": lambda o, t: select(
        Clinic.slug, select(Message.body).limit(1).scalar_subquery()
    ),
    "correlated subquery": lambda o, t: select(
        Clinic.slug,
        select(func.count(Message.id)).where(Message.clinic_id == Clinic.id).scalar_subquery(),
    ),
    "correlated to an alias": lambda o, t: select(Message.body).where(
        select(other.id).where(other.seq == Message.seq).exists()
    ),
    "not correlated": lambda o, t: select(Message.body).where(
        select(Message.id).where(Message.id == t.message).correlate(None).exists()
    ),
    "correlated away": lambda o, t: select(
        select(Message.body).correlate(Message).limit(1).scalar_subquery()
    ),
    "correlated except": lambda o, t: select(Message.body).where(
        select(Patient.id)
        .where(Patient.id == t.patient, Message.id != Patient.id)
        .correlate_except(Patient)
        .exists()
    ),
    "exists of a select": lambda o, t: select(
        select(Message.id).where(Message.id == t.message).exists()
    ),
    "not exists": lambda o, t: select(Clinic.slug).where(
        not_(exists(select(Message.id).where(Message.clinic_id == Clinic.id)))
    ),
    "in a subquery": lambda o, t: select(Clinic.slug).where(
        Clinic.id.in_(select(Message.clinic_id))
    ),
    "not in a subquery": lambda o, t: select(Clinic.slug).where(
        Clinic.id.not_in(select(Message.clinic_id))
    ),
    "alias of a subquery": lambda o, t: select(aliased(Message, select(Message).subquery())),
    "alias of a core alias": lambda o, t: select(aliased(Message, core.alias())),
    "alias of a union": lambda o, t: select(
        aliased(Message, union(select(Message), select(Message)).subquery())
    ),
    "union": lambda o, t: union(select(Message.body), select(Patient.name)),
    "union all of an alias": lambda o, t: union_all(select(Message.body), select(other.body)),
    "union of entities": lambda o, t: select(Message).from_statement(
        union_all(select(Message), select(Message))
    ),
    "except": lambda o, t: select(Clinic.id).except_(select(Message.clinic_id)),
    "intersect": lambda o, t: select(Clinic.id).intersect(select(Message.clinic_id)),
    "from a statement": lambda o, t: select(Message).from_statement(select(Message)),
    "cte": lambda o, t: select(select(Message.body).cte()),
    "recursive cte": lambda o, t: _recursive(t),
    "cte added": lambda o, t: select(Clinic.slug).add_cte(select(Message.body).cte()),
    "lateral": lambda o, t: select(select(Message.body).subquery()).select_from(Clinic),
    "window": lambda o, t: select(Patient.name, func.count().over(partition_by=Message.body)),
    "lambda": lambda o, t: lambda_stmt(lambda: select(Message.body)),
    "for update": lambda o, t: select(Message).with_for_update(of=Message),
    "limit and offset": lambda o, t: select(Message.body).order_by(Message.id).limit(9).offset(1),
    "rows of no clinic": lambda o, t: select(Clinic.slug),
}

REFUSED_READS: dict[str, Callable[[Rows, Rows], Any]] = {
    "alias of a core subquery": lambda o, t: select(aliased(Message, select(core).subquery())),
    "function of two entities": lambda o, t: select(func.max(Message.body + Patient.name)),
    "case of two entities": lambda o, t: select(
        case((Message.body != Patient.name, Patient.name), else_=Message.body)
    ),
    "full join": lambda o, t: select(Clinic.slug, Message.body).outerjoin(
        Message, Message.seq == -1, full=True
    ),
    "full join from the left": lambda o, t: select(Message.body, Clinic.slug).outerjoin(
        Clinic, Message.seq == -1, full=True
    ),
    "from a nested join": lambda o, t: select(Clinic.slug).select_from(
        outerjoin(Clinic, join(Message, Patient, true()), true())
    ),
    "with_only_columns of core": lambda o, t: select(Message.id).with_only_columns(core.c.body),
    "exists": lambda o, t: select(exists().where(Message.id == t.message)),
    "subquery of core in where": lambda o, t: select(Message.body).where(
        exists(select(core.c.id).where(core.c.id == t.message).correlate(None))
    ),
    "core column beside an entity": lambda o, t: select(Clinic.slug, core.c.body),
    "core table beside an entity": lambda o, t: select(Clinic.slug, core),
    "core join": lambda o, t: select(Clinic.slug, core.c.body).join(
        core, core.c.clinic_id == Clinic.id
    ),
    "core alias named like ours": lambda o, t: select(
        Message.body, core.alias("conversations").c.body
    ),
    "union with core": lambda o, t: union(select(Clinic.slug), select(core.c.body)),
    "from a core statement": lambda o, t: select(Message).from_statement(select(core)),
    "from text": lambda o, t: select(Message).from_statement(text("SELECT * FROM messages")),
    "from text with columns": lambda o, t: select(Message).from_statement(
        text("SELECT id, body FROM messages").columns(Message.id, Message.body)
    ),
    "cte of core": lambda o, t: select(Clinic.slug, select(core.c.body).cte().c.body),
    "cte named like ours": lambda o, t: select(select(Patient.name).cte("messages")),
    "raw where": lambda o, t: select(Message).where(text("1=1 OR 1=1")),
    "raw where on core": lambda o, t: select(Clinic.slug).where(
        text("EXISTS (SELECT 1 FROM messages WHERE body LIKE '%alheia%')")
    ),
    "raw column": lambda o, t: select(
        Clinic.slug, literal_column("(SELECT group_concat(body) FROM messages)")
    ),
    "raw having": lambda o, t: (
        select(Message.body).group_by(Message.body).having(text("1=1 OR 1=1"))
    ),
    "raw order": lambda o, t: select(Message.body).order_by(
        text("(SELECT count(*) FROM messages)")
    ),
    "raw suffix": lambda o, t: select(Message.body).suffix_with("OR 1=1"),
    "raw prefix": lambda o, t: select(Message.body).prefix_with(
        "(SELECT max(body) FROM messages),"
    ),
    "raw hint": lambda o, t: select(Message.body).with_statement_hint("OR 1=1"),
    "raw operator": lambda o, t: select(Message.body).where(
        Message.body.op("= '' OR 1=1 OR ''=")("")
    ),
    "raw criteria": lambda o, t: select(Message.body).options(
        with_loader_criteria(Message, literal_column("1=1 OR 1=1"))
    ),
    "lightweight table": lambda o, t: select(Clinic.slug, table("messages", column("body")).c.body),
}


def _recursive(theirs: Rows) -> Any:
    start = select(Message.seq.label("n")).where(Message.id == theirs.message).cte(recursive=True)
    step = aliased(Message)
    return select(start.union_all(select(start.c.n + 1).join(step, step.seq == start.c.n)).c.n)


@pytest.mark.parametrize("name", FILTERED_READS)
async def test_a_read_returns_the_same_when_the_clinic_is_alone(worlds: Worlds, name: str) -> None:
    assert await _outcome_when_alone(worlds, _statement(FILTERED_READS[name])) != REFUSED


@pytest.mark.parametrize("name", REFUSED_READS)
async def test_a_read_that_could_leave_the_clinic_is_refused(worlds: Worlds, name: str) -> None:
    assert await _outcome_when_alone(worlds, _statement(REFUSED_READS[name])) == REFUSED


AT = datetime(2026, 1, 2, tzinfo=UTC)


def _row(ours: Rows, **values: Any) -> dict[str, Any]:
    return {
        "id": NEW_ID,
        "conversation_id": ours.conversation,
        "seq": 9,
        "direction": "inbound",
        "author_name": "Paula",
        "body": "nova",
        "origin": "api",
        "client_id": "9",
        "created_at": AT,
        **values,
    }


FILTERED_CHANGES: dict[str, Callable[[Rows, Rows], Any]] = {
    "update": lambda o, t: update(Message).values(body="lida"),
    "update where true": lambda o, t: update(Message).where(true()).values(body="lida"),
    "update by another's id": lambda o, t: (
        update(Message).where(or_(Message.id == t.message, Message.clinic_id == t.clinic))
    ).values(body="lida"),
    "update returning": lambda o, t: update(Message).values(body="lida").returning(Message.body),
    "update and fetch": lambda o, t: (
        update(Message).values(body="lida").execution_options(synchronize_session="fetch")
    ),
    "update by a subquery": lambda o, t: (
        update(Message).where(Message.id.in_(select(other.id))).values(body="lida")
    ),
    "update by an expression": lambda o, t: update(Message).values(body=Message.body + "!"),
    "update of rows of no clinic": lambda o, t: (
        update(Membership).where(Membership.clinic_id == o.clinic).values(personal_version=7)
    ),
    "delete": lambda o, t: delete(Message),
    "delete by another's id": lambda o, t: delete(Message).where(Message.id == t.message),
    "delete returning": lambda o, t: delete(Message).returning(Message.body),
    "delete by a subquery": lambda o, t: delete(Message).where(
        exists(select(Patient.id).where(Patient.id == t.patient))
    ),
}

REFUSED_CHANGES: dict[str, Callable[[Rows, Rows], Any]] = {
    "update of the clinic": lambda o, t: update(Message).values(clinic_id=t.clinic),
    "ordered update of the clinic": lambda o, t: update(Message).ordered_values(
        (Message.body, "x"), (Message.clinic_id, t.clinic)
    ),
    "update with another entity": lambda o, t: (
        update(Conversation).values(preview=Patient.name).where(Patient.id == t.patient)
    ),
    "update with core": lambda o, t: update(Conversation).values(
        preview=select(core.c.body).where(core.c.id == t.message).scalar_subquery()
    ),
    "update of core": lambda o, t: update(core).values(body="x"),
    "update of rows of no clinic with core": lambda o, t: update(User).values(
        name=select(func.max(core.c.body)).scalar_subquery()
    ),
    "update by text": lambda o, t: update(Message).where(text("1=1 OR 1=1")).values(body="x"),
    "update outside the orm": lambda o, t: (
        update(Message).values(body="x").execution_options(dml_strategy="core_only")
    ),
    "delete of core": lambda o, t: delete(core),
    "insert of values": lambda o, t: insert(Message).values(**_row(o, clinic_id=t.clinic)),
    "insert of many values": lambda o, t: insert(Message).values([_row(o, clinic_id=t.clinic)]),
    "insert from a select": lambda o, t: insert(Patient).from_select(
        ["id", "name", "search_name", "clinic_id", "created_at"],
        select(
            literal(NEW_ID, Uuid()), Clinic.name, Clinic.slug, Clinic.id, Clinic.created_at
        ).where(Clinic.id == t.clinic),
    ),
    "insert into rows of no clinic": lambda o, t: insert(User).from_select(
        ["id", "email", "name", "password_hash", "created_at"],
        select(Message.id, Message.body, Message.body, Message.body, Message.created_at),
    ),
    "insert without rows": lambda o, t: insert(Message),
    "insert of core": lambda o, t: insert(core).values(**_row(o, clinic_id=t.clinic)),
    "text": lambda o, t: text("UPDATE messages SET body = 'x'"),
}


@pytest.mark.parametrize("name", FILTERED_CHANGES)
async def test_a_change_reaches_the_same_rows_when_the_clinic_is_alone(
    worlds: Worlds, name: str
) -> None:
    assert await _outcome_when_alone(worlds, _statement(FILTERED_CHANGES[name])) != REFUSED


@pytest.mark.parametrize("name", REFUSED_CHANGES)
async def test_a_change_that_could_leave_the_clinic_is_refused(worlds: Worlds, name: str) -> None:
    assert await _outcome_when_alone(worlds, _statement(REFUSED_CHANGES[name])) == REFUSED


async def _get(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
    return await session.get(Message, ours.message), await session.get(Message, theirs.message)


async def _get_anew(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
    await session.get(Message, ours.message)
    return [
        await session.get(Message, key, populate_existing=True, with_for_update=True)
        for key in (ours.message, theirs.message)
    ]


async def _refresh(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
    message = await session.get_one(Message, ours.message)
    session.expire(message)
    await session.refresh(message)
    return message.body


async def _legacy_query(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
    def query(sync: Any) -> Any:
        messages = sync.query(Message).filter(Message.id == theirs.message)
        return (
            messages.all(),
            messages.count(),
            sync.query(messages.exists()).scalar(),
            messages.update({"body": "x"}),
            messages.delete(),
            sync.query(Message).join(Patient, true()).count(),
        )

    return await session.run_sync(query)


async def _insert(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
    await session.execute(insert(Message), [_row(ours)])
    return await session.scalar(select(Message.clinic_id).where(Message.id == NEW_ID))


async def _insert_returning(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
    return await session.scalar(insert(Message).returning(Message.clinic_id), _row(ours))


async def _add(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
    message = Message(**_row(ours))
    session.add(message)
    await session.flush()
    return message.clinic_id


async def _delete_loaded(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
    await session.delete(await session.get_one(Message, ours.message))


async def _assign_expression(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
    conversation = await session.get_one(Conversation, ours.conversation)
    conversation.version = Conversation.version + 1


KEPT_INSIDE: dict[str, Step] = {
    "get": _get,
    "get anew": _get_anew,
    "refresh": _refresh,
    "legacy query": _legacy_query,
    "insert": _insert,
    "insert returning": _insert_returning,
    "add": _add,
    "delete of a loaded row": _delete_loaded,
    "attribute set to an expression": _assign_expression,
}


@pytest.mark.parametrize("name", KEPT_INSIDE)
async def test_a_sessions_method_stays_inside_the_clinic(worlds: Worlds, name: str) -> None:
    assert await _outcome_when_alone(worlds, KEPT_INSIDE[name]) != REFUSED


def _executed(make: Callable[[Rows, Rows], Any], parameters: Any, **options: Any) -> Step:
    async def step(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
        await session.execute(make(ours, theirs), parameters(ours, theirs), **options)

    return step


async def _core_connection(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
    await (await session.connection()).execute(update(core).values(body="x"))


async def _streamed(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
    return [row async for row in await session.stream(select(core))]


async def _bulk_insert(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
    rows = [_row(theirs, clinic_id=theirs.clinic)]
    await session.run_sync(lambda sync: sync.bulk_insert_mappings(Message, rows))


async def _bulk_update(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
    rows = [{"id": theirs.message, "body": "x"}]
    await session.run_sync(lambda sync: sync.bulk_update_mappings(Message, rows))


async def _bulk_save(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
    rows = [Message(**_row(theirs, clinic_id=theirs.clinic))]
    await session.run_sync(lambda sync: sync.bulk_save_objects(rows))


async def _add_anothers(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
    session.add(Message(**_row(theirs, clinic_id=theirs.clinic)))
    await session.flush()


async def _give_away(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
    message = await session.get_one(Message, ours.message)
    message.clinic_id = theirs.clinic
    await session.flush()


def _forged(theirs: Rows, clinic: UUID) -> Message:
    message = Message(id=theirs.message)
    make_transient_to_detached(message)
    set_committed_value(message, "clinic_id", clinic)
    return message


async def _attach(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
    message = _forged(theirs, ours.clinic)
    session.add(message)
    message.body = "x"
    await session.flush()


async def _delete_forged(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
    await session.delete(_forged(theirs, ours.clinic))
    await session.flush()


async def _merge_forged(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
    message = await session.merge(_forged(theirs, ours.clinic), load=False)
    message.body = "x"
    await session.flush()


async def _assign_query(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
    message = await session.get_one(Message, ours.message)
    message.body = select(core.c.body).where(core.c.id == theirs.message).scalar_subquery()
    await session.flush()


async def _assign_query_to_free(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
    user = (await session.scalars(select(User))).first()
    assert user is not None
    user.name = select(func.max(core.c.body)).scalar_subquery()
    await session.flush()


async def _assign_text(session: AsyncSession, ours: Rows, theirs: Rows) -> Any:
    message = await session.get_one(Message, ours.message)
    message.body = literal_column("(SELECT max(body) FROM messages)")
    await session.flush()


REFUSED_METHODS: dict[str, Step] = {
    "the clinic's parameter": _executed(
        lambda o, t: select(Message), lambda o, t: {PARAMETER: t.clinic}
    ),
    "update by key": _executed(
        lambda o, t: update(Message), lambda o, t: [{"id": t.message, "body": "x"}]
    ),
    "update of the clinic as a parameter": _executed(
        lambda o, t: update(Message).values(body="x"), lambda o, t: {"clinic_id": t.clinic}
    ),
    "update outside the orm": _executed(
        lambda o, t: update(Message).values(body="x"),
        lambda o, t: None,
        execution_options={"dml_strategy": "core_only"},
    ),
    "insert of another's row": _executed(
        lambda o, t: insert(Message), lambda o, t: [_row(o), _row(t, clinic_id=t.clinic)]
    ),
    "insert of one of another's": _executed(
        lambda o, t: insert(Message), lambda o, t: _row(t, clinic_id=t.clinic)
    ),
    "insert of values beside a row": _executed(
        lambda o, t: insert(Message).values(clinic_id=t.clinic), lambda o, t: [_row(o)]
    ),
    "insert over another's": _executed(
        lambda o, t: sqlite.insert(Message).on_conflict_do_update(
            index_elements=["id"], set_={"body": "x"}
        ),
        lambda o, t: [_row(o, id=t.message)],
    ),
    "text": _executed(lambda o, t: text("SELECT * FROM messages"), lambda o, t: None),
    "core connection": _core_connection,
    "core stream": _streamed,
    "bulk insert": _bulk_insert,
    "bulk update": _bulk_update,
    "bulk save": _bulk_save,
    "add of another's row": _add_anothers,
    "change of a row's clinic": _give_away,
    "attaching a forged row": _attach,
    "deleting a forged row": _delete_forged,
    "merging a forged row": _merge_forged,
    "attribute set to a query": _assign_query,
    "free attribute set to a query": _assign_query_to_free,
    "attribute set to text": _assign_text,
}


@pytest.mark.parametrize("name", REFUSED_METHODS)
async def test_a_sessions_method_that_could_leave_the_clinic_is_refused(
    worlds: Worlds, name: str
) -> None:
    assert await _outcome_when_alone(worlds, REFUSED_METHODS[name]) == REFUSED


async def test_a_row_of_another_clinics_session_cannot_be_attached(worlds: Worlds) -> None:
    async with worlds.both.read(worlds.theirs.clinic) as session:
        message = await session.get_one(Message, worlds.theirs.message)
    async with worlds.both.read(worlds.ours.clinic) as session:
        with pytest.raises(UnscopedQuery):
            session.add(message)


async def test_another_clinics_id_cannot_be_taken_over(worlds: Worlds) -> None:
    before = _dump(worlds.both_path, worlds.theirs.clinic)
    for build in (Message, lambda **values: Message(**values, clinic_id=worlds.ours.clinic)):
        with pytest.raises(IntegrityError):
            async with worlds.both.write(worlds.ours.clinic) as session:
                await session.merge(build(**_row(worlds.ours, id=worlds.theirs.message)))
    assert _dump(worlds.both_path, worlds.theirs.clinic) == before


async def test_a_session_without_a_clinic_reaches_no_clinics_rows(worlds: Worlds) -> None:
    allowed = {**FILTERED_READS, **FILTERED_CHANGES}
    for name, make in {**allowed, **REFUSED_READS, **REFUSED_CHANGES}.items():
        statement = make(worlds.ours, worlds.theirs)
        async with worlds.both.read() as session:
            if "rows of no clinic" in name and name in allowed:
                await session.execute(statement)
            else:
                with pytest.raises(UnscopedQuery):
                    pytest.fail(f"{name} returned {(await session.execute(statement)).all()}")


@pytest.mark.parametrize("entity", OWNED, ids=lambda entity: entity.__tablename__)
async def test_a_session_without_a_clinic_writes_no_clinics_rows(
    worlds: Worlds, entity: type[Any]
) -> None:
    with pytest.raises(UnscopedQuery):
        async with worlds.both.write() as session:
            session.add(entity(clinic_id=worlds.ours.clinic))
    async with worlds.both.write() as session:
        with pytest.raises(UnscopedQuery):
            await session.execute(insert(entity), [{"clinic_id": worlds.ours.clinic}])


def test_every_table_with_a_clinic_is_scoped_except_what_is_read_across_clinics() -> None:
    with_clinic = {table.name for table in metadata.sorted_tables if "clinic_id" in table.columns}
    assert with_clinic - set(TABLES) == {
        "memberships",
        "sessions",
        "api_tokens",
        "log_readers",
        # Workers look through all clinics for what is due; it has times and numbers.
        "webhook_queues",
        "invitations",
    }


def _select_all(entity: Any) -> Callable[[Rows, Rows], Any]:
    return lambda _ours, _theirs: select(entity)


async def test_every_clinic_owned_table_is_filtered(worlds: Worlds) -> None:
    for entity in OWNED:
        rows = await _outcome_when_alone(worlds, _statement(_select_all(entity)))
        assert rows, entity


async def test_the_same_statement_serves_each_clinic_its_own_rows(worlds: Worlds) -> None:
    async def bodies(clinic: UUID) -> set[str]:
        async with worlds.both.read(clinic) as session:
            return set(await session.scalars(select(Message.body)))

    clinics = [worlds.ours.clinic, worlds.theirs.clinic] * 10
    found = await asyncio.gather(*map(bodies, clinics))
    assert (
        found
        == [
            {"nossa", "resposta nossa", "nossa 2"},
            {"alheia", "resposta alheia", "alheia 2"},
        ]
        * 10
    )


class _Undo(Exception):
    """Ends a transaction without keeping what it wrote."""


async def test_postgresql_is_kept_inside_the_clinic_too(
    postgres_database: Database, populate: Callable[..., Awaitable[Clinics]]
) -> None:
    ours, theirs = await _fill(await populate(postgres_database))
    async with postgres_database.read(theirs.clinic) as session:
        before = _plain((await session.scalars(select(Message))).all())

    async def run(make: Callable[[Rows, Rows], Any]) -> Any:
        with suppress(_Undo):
            async with postgres_database.write(ours.clinic) as session:
                outcome = _plain(await _statement(make)(session, ours, theirs))
                async with postgres_database.read(theirs.clinic) as watching:
                    assert _plain((await watching.scalars(select(Message))).all()) == before
                raise _Undo
        return outcome

    for name, make in {**FILTERED_READS, **FILTERED_CHANGES}.items():
        outcome = str(await run(make))
        assert not re.search("alheia|Sigrid", outcome), name
        for key in (theirs.patient, theirs.conversation, theirs.message):
            assert repr(key) not in outcome, name
    refused = {
        **REFUSED_READS,
        **REFUSED_CHANGES,
        "delete using another entity": lambda o, t: delete(Conversation).where(
            Patient.id == t.patient
        ),
    }
    for name, make in refused.items():
        with pytest.raises(UnscopedQuery):
            pytest.fail(f"{name} returned {await run(make)}")


ENTITIES = [*OWNED, Clinic, aliased(Message), aliased(Patient), aliased(Conversation)]
NAMES = {
    Patient: "name",
    Conversation: "preview",
    Message: "body",
    Event: "type",
    ReadMarker: "inbound_read",
    ConversationTotal: "status",
    PatientWord: "word",
    WordPart: "part",
    PatientIdentity: "value",
    PatientMerge: "actor_kind",
    DailyMessages: "inbound",
    AuditEntry: "action",
    Draft: "body",
    IdentityProvider: "issuer",
    ProviderAccount: "subject",
    UsedState: "state_hash",
    Webhook: "url",
    WebhookDelivery: "type",
    Clinic: "slug",
}


def _name(entity: Any) -> Any:
    return getattr(entity, NAMES[inspect(entity).mapper.class_])


def _clinic(entity: Any) -> Any:
    return entity.id if entity is Clinic else entity.clinic_id


@st.composite
def selects(draw: Any, theirs: Rows, depth: int = 2) -> Any:
    """Some SELECT of one text over one to three entities, nested up to `depth` deep."""
    entity, *joined = draw(st.lists(st.sampled_from(ENTITIES), min_size=1, max_size=3, unique=True))
    chosen, stray = draw(st.sampled_from([entity, *joined])), draw(st.sampled_from(ENTITIES))
    texts = [
        _name(chosen),
        func.coalesce(_name(chosen), ""),
        func.max(func.coalesce(_name(chosen), "") + _name(stray)),
        case((_name(chosen) != "", _name(stray)), else_=""),
    ]
    statement = select(draw(st.sampled_from(texts)).label("name")).select_from(entity)
    for target in joined:
        on = draw(st.sampled_from(_conditions(target, entity, theirs)))
        side = {"isouter": draw(st.booleans()), "full": draw(st.integers(0, 9)) == 0}
        if draw(st.booleans()):
            target = join(target, stray, draw(st.sampled_from(_conditions(target, stray, theirs))))
        statement = statement.join(target, on, **side)
    for condition in draw(
        st.lists(st.sampled_from(_conditions(chosen, stray, theirs)), max_size=2)
    ):
        statement = statement.where(condition)
    if not depth:
        return statement
    inner = draw(selects(theirs, depth - 1))
    tests = st.sampled_from([inner.exists(), _name(chosen).in_(inner)])
    for test in draw(st.lists(tests, max_size=2)):
        statement = statement.where(draw(st.sampled_from([test, not_(test)])))
    shapes = [
        statement,
        select(statement.subquery().c.name),
        select(statement.cte().c.name),
        select(union_all(statement, inner).subquery().c.name),
        select(statement.limit(1).scalar_subquery().label("name")).select_from(Clinic),
    ]
    return draw(st.sampled_from(shapes))


def _conditions(one: Any, two: Any, theirs: Rows) -> list[Any]:
    return [
        true(),
        _clinic(one) == _clinic(two),
        _clinic(one) == theirs.clinic,
        or_(_clinic(one) != _clinic(two), _clinic(two) == theirs.clinic),
    ]


@given(data=st.data())
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_any_select_returns_the_same_when_the_clinic_is_alone(
    worlds: Worlds, data: st.DataObject
) -> None:
    statement = data.draw(selects(worlds.theirs))

    async def names(database: Database) -> Any:
        try:
            async with database.read(worlds.ours.clinic) as session:
                return Counter(await session.scalars(statement))
        except (UnscopedQuery, SQLAlchemyError) as refusal:
            return type(refusal)

    assert await names(worlds.both) == await names(worlds.alone)
