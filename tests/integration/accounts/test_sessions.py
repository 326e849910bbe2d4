"""Sign-in sessions: who gets one, how long it lives, and what of it is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
import time_machine
from argon2 import PasswordHasher, extract_parameters
from sqlalchemy import delete, func, select

from clinic_chat.domain.accounts.passwords import hash_password
from clinic_chat.domain.accounts.session_records import SignInSession
from clinic_chat.domain.accounts.sessions import SEEN_RESOLUTION, Sessions
from clinic_chat.domain.accounts.users import Membership, User
from clinic_chat.domain.clinics.actors import Role
from clinic_chat.settings import Settings
from clinic_chat.storage.base import now
from clinic_chat.storage.database import Database
from clinic_chat.storage.sqlite import engine as storage
from clinic_chat.storage.sqlite.library import sqlite3

if TYPE_CHECKING:
    from tests.conftest import Clinics

ANA = "ana@aurora.example"
START = datetime(2026, 3, 2, 8, tzinfo=UTC)
IDLE = timedelta(minutes=60)
LIFETIME = timedelta(days=2)
Clock = time_machine.Traveller
SETTINGS = Settings(secret_key="a" * 32, session_idle_minutes=60, session_days=2)


@pytest.fixture
def sessions(clinics: Clinics) -> Sessions:
    return Sessions(clinics.database, SETTINGS)


@pytest.fixture
def clock(clinics: Clinics) -> Iterator[Clock]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def verifications(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that Argon2 really verifies a password against, as it happens."""
    seen: list[str] = []
    verify = PasswordHasher.verify

    def watch(self: PasswordHasher, password_hash: str, password: str) -> bool:
        seen.append(password_hash)
        return verify(self, password_hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", watch)
    return seen


async def _signed_in(sessions: Sessions, password: str, email: str = ANA) -> str:
    cookie = await sessions.sign_in(email, password)
    assert cookie is not None
    return cookie


async def _session_id(sessions: Sessions, cookie: str) -> UUID:
    identity = await sessions.find(cookie)
    assert identity is not None
    return identity.session_id


async def _live_sessions(clinics: Clinics) -> int:
    async with clinics.database.read() as session:
        return await session.scalar(select(func.count()).select_from(SignInSession)) or 0


async def _join(clinics: Clinics, user_id: UUID | None, clinic_id: UUID) -> None:
    assert user_id is not None
    async with clinics.database.write() as session:
        session.add(Membership(user_id=user_id, clinic_id=clinic_id, role=Role.PROFESSIONAL))


async def test_the_cookie_of_a_sign_in_says_who_it_is(
    any_database: Database, sessions: Sessions, clinics: Clinics, password: str
) -> None:
    identity = await sessions.find(await _signed_in(sessions, password))
    assert identity is not None
    assert identity.user_id == clinics.ana.user_id
    assert identity.clinic_id == clinics.aurora.clinic_id
    assert (identity.user_name, identity.email) == ("Ana Souza", ANA)
    assert (identity.clinic_slug, identity.clinic_name) == ("aurora", "Clínica Aurora")
    assert identity.role == Role.ADMIN


async def test_an_email_address_is_found_whatever_its_case_and_spaces(
    sessions: Sessions, password: str
) -> None:
    assert await sessions.sign_in(f"  {ANA.upper()} ", password)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (ANA, "wrong password"),
        (ANA, ""),
        (ANA, "x" * 100_000),
        (ANA, "correct horse battery\x00"),
        (ANA, "\ud800"),
        ("nobody@aurora.example", "correct horse battery"),
        ("", "correct horse battery"),
        ("a\x00@aurora.example", "correct horse battery"),
        ("\ud800@aurora.example", "correct horse battery"),
        ("' OR 1=1 --", "' OR 1=1 --"),
        ("%", "%"),
    ],
    ids=lambda value: ascii(value)[:30],
)
async def test_an_unknown_email_or_a_wrong_password_gets_no_cookie(
    any_database: Database, sessions: Sessions, email: str, password: str
) -> None:
    assert await sessions.sign_in(email, password) is None


async def test_a_person_without_a_clinic_gets_no_cookie(
    sessions: Sessions, clinics: Clinics, password: str
) -> None:
    async with clinics.database.write() as session:
        await session.execute(delete(Membership))
    assert await sessions.sign_in(ANA, password) is None


async def test_an_unknown_email_costs_the_same_argon2_verification_as_a_wrong_password(
    sessions: Sessions, clinics: Clinics, verifications: list[str]
) -> None:
    real = await hash_password("any other password")
    async with clinics.database.write() as session:
        ana = await session.get_one(User, clinics.ana.user_id)
        ana.password_hash = real
    assert await sessions.sign_in(ANA, "wrong") is None
    assert await sessions.sign_in("nobody@aurora.example", "wrong") is None
    known, unknown = verifications
    assert known == real
    assert extract_parameters(unknown) == extract_parameters(known)


async def test_only_a_keyed_hash_of_the_cookie_is_stored(
    sessions: Sessions, clinics: Clinics, database_path: Path, password: str
) -> None:
    cookie = await _signed_in(sessions, password)
    with closing(sqlite3.connect(database_path)) as connection:
        (stored,) = connection.execute("SELECT cookie_hash FROM sessions").fetchone()
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            rows = connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
            assert cookie not in repr(rows)
    assert len(bytes.fromhex(stored)) == 32
    other_key = Sessions(clinics.database, SETTINGS.model_copy(update={"secret_key": "b" * 32}))
    assert await other_key.find(cookie) is None
    assert await other_key.find(stored) is None
    assert await sessions.find(stored) is None


async def test_every_sign_in_gets_a_long_cookie_of_its_own(
    sessions: Sessions, password: str
) -> None:
    cookies = {await _signed_in(sessions, password) for _ in range(5)}
    assert len(cookies) == 5
    assert all(len(cookie) >= 43 for cookie in cookies)  # 256 bits in base64
    for cookie in cookies:
        assert await sessions.find(cookie)


@pytest.mark.parametrize("cookie", [None, "", "x", "a" * 5_000, "\x00", "\ud800", "é"], ids=ascii)
async def test_what_is_no_cookie_finds_nobody(
    any_database: Database, sessions: Sessions, cookie: str | None
) -> None:
    assert await sessions.find(cookie) is None


async def test_a_session_ends_after_too_long_without_activity(
    any_database: Database, sessions: Sessions, clock: Clock, password: str
) -> None:
    cookie = await _signed_in(sessions, password)
    clock.shift(IDLE)
    assert await sessions.find(cookie)
    clock.shift(timedelta(milliseconds=1))
    assert await sessions.find(cookie) is None


async def test_an_open_tab_is_nothing_that_its_person_does(
    any_database: Database, sessions: Sessions, clock: Clock, password: str
) -> None:
    cookie = await _signed_in(sessions, password)
    session_id = await _session_id(sessions, cookie)
    for _ in range(4):
        clock.shift(IDLE / 4)
        assert await sessions.find(cookie)
        assert await sessions.still_live([session_id])
    clock.shift(timedelta(milliseconds=1))
    assert not await sessions.still_live([session_id])
    assert await sessions.find(cookie) is None


async def test_what_its_person_does_keeps_a_session_until_its_lifetime_is_over(
    any_database: Database, sessions: Sessions, clock: Clock, password: str
) -> None:
    cookie = await _signed_in(sessions, password)
    session_id = await _session_id(sessions, cookie)
    while now() + IDLE / 2 <= START + LIFETIME:
        clock.shift(IDLE / 2)
        assert await sessions.still_live([session_id], {session_id: now()})
    clock.move_to(START + LIFETIME + timedelta(milliseconds=1))
    assert await sessions.find(cookie) is None


async def test_a_page_load_keeps_a_session(sessions: Sessions, clock: Clock, password: str) -> None:
    cookie = await _signed_in(sessions, password)
    clock.shift(IDLE)
    await sessions.note_activity(cookie)
    await sessions.note_activity("nobody's")
    await sessions.note_activity(None)
    clock.shift(IDLE)
    assert await sessions.find(cookie)


async def test_a_session_that_was_idle_for_too_long_does_not_come_back(
    sessions: Sessions, clock: Clock, password: str
) -> None:
    cookie = await _signed_in(sessions, password)
    session_id = await _session_id(sessions, cookie)
    clock.shift(IDLE + timedelta(seconds=1))
    assert not await sessions.still_live([session_id], {session_id: now()})
    await sessions.note_activity(cookie)
    assert await sessions.find(cookie) is None


async def test_what_was_done_a_moment_before_the_end_counts_although_it_is_not_written_yet(
    sessions: Sessions, clock: Clock, password: str
) -> None:
    cookie = await _signed_in(sessions, password)
    session_id = await _session_id(sessions, cookie)
    clock.shift(IDLE - timedelta(seconds=1))
    acted = now()
    clock.shift(timedelta(seconds=3))
    assert await sessions.still_live([session_id], {session_id: acted})
    assert await sessions.find(cookie)


async def test_activity_is_written_down_at_most_every_five_minutes(
    sessions: Sessions, clinics: Clinics, clock: Clock, password: str
) -> None:
    async def seen_at() -> datetime | None:
        async with clinics.database.read() as session:
            return await session.scalar(select(SignInSession.seen_at))

    cookie = await _signed_in(sessions, password)
    clock.shift(SEEN_RESOLUTION)
    await sessions.note_activity(cookie)
    assert await seen_at() == START
    clock.shift(timedelta(milliseconds=1))
    await sessions.note_activity(cookie)
    assert await seen_at() == now()


async def test_somebody_is_known_while_nothing_can_be_written(
    clinics: Clinics, database_path: Path, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "BUSY_TIMEOUT_MS", 50)
    database = Database(f"sqlite+aiosqlite:///{database_path}")
    sessions = Sessions(database, SETTINGS)
    with time_machine.travel(START, tick=False) as clock:
        cookie = await _signed_in(sessions, password)
        session_id = await _session_id(sessions, cookie)
        clock.shift(SEEN_RESOLUTION * 2)
        with closing(sqlite3.connect(database_path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert await sessions.still_live([session_id], {session_id: now()})
            other.execute("ROLLBACK")
    await database.close()


async def test_a_sign_in_clears_away_the_persons_sessions_whose_lifetime_is_over(
    sessions: Sessions, clinics: Clinics, clock: Clock, password: str
) -> None:
    for _ in range(3):
        await _signed_in(sessions, password)
    clock.shift(LIFETIME + timedelta(seconds=1))
    await _signed_in(sessions, password)
    async with clinics.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(SignInSession)) == 1


async def test_a_session_that_was_ended_is_worth_nothing_and_others_stay(
    any_database: Database, sessions: Sessions, password: str
) -> None:
    cookie, other = await _signed_in(sessions, password), await _signed_in(sessions, password)
    identity = await sessions.find(cookie)
    assert identity is not None
    await sessions.end(identity.session_id)
    await sessions.end(identity.session_id)  # twice is fine
    assert await sessions.find(cookie) is None
    assert await sessions.find(other)


async def test_switching_moves_to_the_other_clinic_and_ends_the_old_session(
    any_database: Database, sessions: Sessions, clinics: Clinics, password: str
) -> None:
    await _join(clinics, clinics.ana.user_id, clinics.boreal.clinic_id)
    old = await _signed_in(sessions, password)
    new = await sessions.switch(old, "boreal")
    identity = await sessions.find(new)
    assert identity is not None
    assert identity.clinic_id == clinics.boreal.clinic_id
    assert identity.role == Role.PROFESSIONAL
    assert await sessions.find(old) is None


async def test_the_lifetime_counts_from_the_sign_in_however_often_the_clinic_changes(
    any_database: Database, sessions: Sessions, clinics: Clinics, clock: Clock, password: str
) -> None:
    await _join(clinics, clinics.ana.user_id, clinics.boreal.clinic_id)
    cookie: str | None = await _signed_in(sessions, password)
    there = "boreal"
    while now() + IDLE <= START + LIFETIME:
        clock.shift(IDLE)
        assert cookie is not None
        cookie = await sessions.switch(cookie, there)
        there = "aurora" if there == "boreal" else "boreal"
    assert await sessions.find(cookie)
    clock.move_to(START + LIFETIME + timedelta(milliseconds=1))
    assert await sessions.find(cookie) is None


async def test_of_many_switches_at_once_one_session_comes_out(
    any_database: Database, sessions: Sessions, clinics: Clinics, password: str
) -> None:
    await _join(clinics, clinics.ana.user_id, clinics.boreal.clinic_id)
    cookie = await _signed_in(sessions, password)
    switched = await asyncio.gather(*(sessions.switch(cookie, "boreal") for _ in range(10)))
    assert len([new for new in switched if new]) == 1
    assert await _live_sessions(clinics) == 1


async def test_a_sign_in_ends_the_session_it_takes_the_place_of_in_the_same_moment(
    any_database: Database, sessions: Sessions, clinics: Clinics, password: str
) -> None:
    old = await _signed_in(sessions, password)
    new = await sessions.sign_in(ANA, password, instead_of=old)
    assert await sessions.find(new)
    assert await sessions.find(old) is None
    assert await _live_sessions(clinics) == 1


async def test_who_was_deactivated_has_no_session_and_gets_none(
    any_database: Database, sessions: Sessions, clinics: Clinics, password: str
) -> None:
    cookie = await _signed_in(sessions, password)
    async with clinics.database.write() as session:
        (await session.get_one(User, clinics.ana.user_id)).deactivated_at = now()
    assert await sessions.find(cookie) is None
    assert await sessions.sign_in(ANA, password) is None


async def test_a_sign_in_returns_to_the_clinic_of_the_last_session(
    sessions: Sessions, clinics: Clinics, clock: Clock, password: str
) -> None:
    await _join(clinics, clinics.ana.user_id, clinics.boreal.clinic_id)
    await sessions.switch(await _signed_in(sessions, password), "boreal")
    clock.shift(timedelta(hours=1))
    identity = await sessions.find(await _signed_in(sessions, password))
    assert identity is not None
    assert identity.clinic_slug == "boreal"


@pytest.mark.parametrize("slug", ["boreal", "no-such-clinic", "", "\x00"], ids=ascii)
async def test_nobody_switches_to_a_clinic_they_do_not_work_in(
    any_database: Database, sessions: Sessions, password: str, slug: str
) -> None:
    cookie = await _signed_in(sessions, password)
    assert await sessions.switch(cookie, slug) is None
    assert await sessions.find(cookie)


async def test_a_session_that_is_over_cannot_switch(
    sessions: Sessions, clock: Clock, password: str
) -> None:
    cookie = await _signed_in(sessions, password)
    clock.shift(IDLE * 2)
    assert await sessions.switch(cookie, "aurora") is None


async def test_leaving_the_clinic_ends_the_session(
    any_database: Database, sessions: Sessions, clinics: Clinics, password: str
) -> None:
    cookie = await _signed_in(sessions, password)
    async with clinics.database.write() as session:
        await session.execute(delete(Membership).where(Membership.user_id == clinics.ana.user_id))
    assert await sessions.find(cookie) is None


async def test_deleting_a_person_deletes_their_sessions(
    any_database: Database, sessions: Sessions, clinics: Clinics, password: str
) -> None:
    cookie = await _signed_in(sessions, password)
    async with clinics.database.write() as session:
        await session.delete(await session.get_one(User, clinics.ana.user_id))
    assert await sessions.find(cookie) is None
    async with clinics.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(SignInSession)) == 0
