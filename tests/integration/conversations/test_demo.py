"""The demo clinics: that they are there once, and hold together."""

import asyncio
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import select

from clinic_chat.demo import DEMO_PASSWORD, fill_demo
from clinic_chat.demo.people import CLINICS, STAFF
from clinic_chat.demo.script import load_scripts, parse_scripts
from clinic_chat.domain.accounts.passwords import verify_password
from clinic_chat.domain.accounts.sessions import Sessions
from clinic_chat.domain.accounts.users import User, clinics_of, colleagues, create_user
from clinic_chat.domain.clinics.actors import SYSTEM
from clinic_chat.domain.clinics.clinic import clinic_names, create_clinic, find_clinic
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import Conversation
from clinic_chat.domain.conversations.read_marker import ReadMarker
from clinic_chat.domain.events.log import Event
from clinic_chat.domain.messages.message import Direction, Message, MessageStatus
from clinic_chat.domain.patients.patient import Patient
from clinic_chat.domain.patients.phones import phone_address
from clinic_chat.domain.queries.inbox import list_conversations
from clinic_chat.settings import Settings
from clinic_chat.storage.base import now
from clinic_chat.storage.database import Database
from tests.conftest import TEST_KEY, stored


@pytest.fixture(scope="module")
def filled_path(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """A SQLite file with the demo in it, for copying."""
    path = Path(shutil.copy(sqlite_template, tmp_path_factory.mktemp("demo") / "demo.db"))

    async def fill() -> None:
        database = Database(f"sqlite+aiosqlite:///{path}")
        assert await fill_demo(database)
        await database.close()

    asyncio.run(fill())
    return path


@pytest.fixture
async def filled(filled_path: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """A database with the demo in it."""
    path = shutil.copy(filled_path, tmp_path / "demo.db")
    database = Database(f"sqlite+aiosqlite:///{path}")
    yield database
    await database.close()


async def scope_of(database: Database, slug: str) -> ClinicScope:
    return ClinicScope(database, (await find_clinic(database, slug)).id, SYSTEM)


async def messages_by_conversation(scope: ClinicScope) -> dict[Conversation, list[Message]]:
    async with scope.read() as session:
        conversations = {row.id: row for row in await session.scalars(select(Conversation))}
        found: dict[Conversation, list[Message]] = defaultdict(list)
        for message in await session.scalars(select(Message).order_by(Message.seq)):
            found[conversations[message.conversation_id]].append(message)
    return found


async def test_nobody_signs_in_to_the_demo_beside_a_real_clinic(filled: Database) -> None:
    sessions = Sessions(filled, Settings(database_url=filled.url, secret_key=TEST_KEY))
    cookie = await sessions.sign_in("ana@aurora.example", DEMO_PASSWORD)
    assert cookie is not None
    real = await create_clinic(filled, "central", "Clínica Central")
    await create_user(filled, real.id, "eva@central.example", "Eva", "uma tarde no parque")

    assert await sessions.sign_in("ana@aurora.example", DEMO_PASSWORD) is None
    assert await sessions.sign_in("eva@central.example", "uma tarde no parque")
    # A published password opens no real clinic either.
    await create_user(filled, real.id, "carla@boreal.example", "Carla", "")
    assert await sessions.sign_in("carla@boreal.example", DEMO_PASSWORD) is None


async def test_the_staff_of_both_clinics_can_sign_in(filled: Database) -> None:
    staff = {}
    for slug in ("aurora", "boreal"):
        clinic = await find_clinic(filled, slug)
        async with filled.read() as session:
            staff[slug] = {one.name: one.role for one in await colleagues(session, clinic.id)}
    assert sorted(staff["aurora"].values()) == [
        "admin",
        "professional",
        "professional",
        "receptionist",
    ]
    assert len(staff["boreal"]) == 2
    async with filled.read() as session:
        users = {user.email: user for user in await session.scalars(select(User))}
    assert len(users) == 5
    for email, locale in (
        ("ana@aurora.example", "pt-BR"),
        ("bruno@aurora.example", "pt-BR"),
        ("carla@boreal.example", "en"),
    ):
        assert users[email].locale == locale
        assert await verify_password(DEMO_PASSWORD, stored(users[email].password_hash))
    in_both = [user for user in users.values() if len(await clinics_of(filled, user.id)) == 2]
    assert len(in_both) == 1


async def test_filling_again_changes_nothing(filled: Database) -> None:
    scope = await scope_of(filled, "aurora")
    before = await messages_by_conversation(scope)
    assert not await fill_demo(filled)
    after = await messages_by_conversation(scope)
    assert [len(rows) for rows in after.values()] == [len(rows) for rows in before.values()]


async def test_a_database_with_any_clinic_is_left_alone(database: Database) -> None:
    mine = await create_clinic(database, "mine", "My clinic")
    assert not await fill_demo(database)
    async with database.read() as session:
        assert (await session.scalars(select(User))).all() == []
    assert await messages_by_conversation(ClinicScope(database, mine.id, SYSTEM)) == {}


@pytest.mark.parametrize("slug", ["aurora", "boreal"])
async def test_a_fill_that_was_interrupted_is_completed_by_the_next(
    database: Database, slug: str
) -> None:
    filling = asyncio.create_task(fill_demo(database))
    while slug not in await clinic_names(database):
        pass
    filling.cancel()
    await asyncio.gather(filling, return_exceptions=True)

    assert await fill_demo(database)
    assert not await fill_demo(database)
    for clinic in CLINICS:
        scope = await scope_of(database, clinic.slug)
        assert len((await list_conversations(scope)).rows) == len(load_scripts(clinic.slug))
        async with database.read() as session:
            assert len(await colleagues(session, scope.clinic_id)) == sum(
                clinic.slug in person.roles for person in STAFF
            )


async def test_two_fills_at_once_make_one_demo(database: Database) -> None:
    assert any(await asyncio.gather(fill_demo(database), fill_demo(database)))
    for clinic in CLINICS:
        scope = await scope_of(database, clinic.slug)
        assert len(await messages_by_conversation(scope)) == len(load_scripts(clinic.slug))
    assert len(await messages_by_conversation(await scope_of(database, "boreal"))) == 11


async def test_thirty_patients_have_valid_numbers_and_varied_conversations(
    filled: Database,
) -> None:
    lengths: list[int] = []
    for slug, expected in (("aurora", 19), ("boreal", 11)):
        scope = await scope_of(filled, slug)
        async with scope.read() as session:
            patients = (await session.scalars(select(Patient))).all()
        assert len(patients) == expected
        assert all(
            phone_address(patient.search_phones).number == patient.search_phones
            for patient in patients
        )
        lengths += [len(rows) for rows in (await messages_by_conversation(scope)).values()]
    assert len(lengths) == 30
    assert 300 <= sum(lengths) <= 450
    assert min(lengths) == 1
    assert max(lengths) >= 30


async def test_conversations_numbers_times_and_previews_are_consistent(filled: Database) -> None:
    for slug in ("aurora", "boreal"):
        scope = await scope_of(filled, slug)
        for conversation, messages in (await messages_by_conversation(scope)).items():
            last = messages[-1]
            inbound = [message for message in messages if message.direction == Direction.INBOUND]
            assert [message.seq for message in messages] == list(range(1, len(messages) + 1))
            assert conversation.last_seq == conversation.version == last.seq
            assert conversation.inbound_count == len(inbound)
            assert conversation.preview_status == last.status
            assert conversation.last_activity_at == last.created_at <= now()
            assert conversation.created_at == messages[0].created_at
            assert all(a.created_at < b.created_at for a, b in pairwise(messages))
        async with scope.read() as session:
            seqs = list(await session.scalars(select(Event.seq).order_by(Event.seq)))
        assert seqs == list(range(1, len(seqs) + 1))


async def test_every_outbound_status_occurs_with_its_times(filled: Database) -> None:
    seen: dict[str, int] = defaultdict(int)
    for slug in ("aurora", "boreal"):
        for messages in (await messages_by_conversation(await scope_of(filled, slug))).values():
            for message in messages:
                if message.direction == Direction.INBOUND:
                    continue
                seen[message.status] += 1
                read, failed = (
                    message.status == status
                    for status in (MessageStatus.READ, MessageStatus.FAILED)
                )
                assert (message.read_at is not None) == read
                assert (message.failed_at is not None) == bool(message.failure) == failed
                delivered = read or message.status == MessageStatus.DELIVERED
                assert (message.delivered_at is not None) == delivered
    assert seen.keys() == set(MessageStatus)
    assert seen[MessageStatus.FAILED] == 1


async def test_just_a_few_conversations_wait_unread_for_each_person(filled: Database) -> None:
    for slug, email in (
        ("aurora", "ana@aurora.example"),
        ("aurora", "bruno@aurora.example"),
        ("boreal", "carla@boreal.example"),
    ):
        scope = await scope_of(filled, slug)
        async with filled.read() as session:
            user_id = await session.scalar(select(User.id).where(User.email == email))
        async with scope.read() as session:
            markers = (
                await session.scalars(select(ReadMarker).where(ReadMarker.user_id == user_id))
            ).all()
        read = {str(marker.conversation_id): marker.inbound_read for marker in markers}
        rows = (await list_conversations(scope)).rows
        unread = [row for row in rows if row.inbound_count > read[row.id]]
        assert 1 <= len(unread) <= 5, email
        assert all(row.preview_direction == "inbound" for row in unread)


@pytest.mark.parametrize("slug", ["aurora", "boreal"])
def test_the_demo_makes_sense_at_any_moment_of_the_week(slug: str) -> None:
    zone = next(clinic.zone for clinic in CLINICS if clinic.slug == slug)
    monday = datetime(2026, 3, 2, 0, 3, tzinfo=UTC)
    for hours in range(0, 24 * 7, 5):
        moment = monday + timedelta(hours=hours)
        for script in load_scripts(slug):
            times = [at for block in script.blocks for at in block.times(moment, zone)]
            assert all(a < b for a, b in pairwise(times)), script.patient
            assert moment - timedelta(days=15) < times[0]
            assert times[-1] < moment


def test_a_line_of_no_known_form_is_refused() -> None:
    with pytest.raises(ValueError, match="not a line of a demo conversation: mood: good"):
        parse_scripts("# A Patient, +5511900000000\nmood: good\n")
