"""The second factor: set up by its person, asked for at each sign-in, and how it is lost."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import time_machine
from sqlalchemy import select

from clinic_chat.domain.accounts.permissions import Permission, allows
from clinic_chat.domain.accounts.second_factors.authenticator_app import (
    RECOVERY_CODES,
    RecoveryCode,
    Seal,
    SecondFactor,
)
from clinic_chat.domain.accounts.sessions import SecondFactorNeeded, Sessions
from clinic_chat.domain.accounts.users import create_user
from clinic_chat.domain.administration.clinic_settings import (
    change_clinic_settings,
)
from clinic_chat.domain.administration.second_factors import (
    WrongCode,
    begin_factor,
    confirm_factor,
    read_own_factor,
    remove_factor_of,
    remove_own_factor,
)
from clinic_chat.domain.errors import Conflict, NotFound
from clinic_chat.storage.database import Database
from tests.conftest import PASSWORD, Clinics
from tests.integration.administration.test_members import acts, sessions_of

BRUNO = "bruno@aurora.example"
SEAL = Seal(b"a key")
STEP = timedelta(seconds=30)


@pytest.fixture
def clock(clinics: Clinics) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime(2030, 5, 6, 8, tzinfo=UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture
def sessions(any_database: Database) -> Sessions:
    return sessions_of(any_database)


async def set_up(clinics: Clinics, seal: Seal) -> tuple[pyotp.TOTP, list[str]]:
    """Bruno's app, and his recovery codes."""
    told = await begin_factor(clinics.bruno, seal)
    app = pyotp.TOTP(told.secret)
    return app, await confirm_factor(clinics.bruno, seal, app.now())


async def test_a_code_of_the_app_is_asked_for_after_the_password(
    any_database: Database, clinics: Clinics, sessions: Sessions, clock: time_machine.Traveller
) -> None:
    assert await sessions.sign_in(BRUNO, PASSWORD)
    app, codes = await set_up(clinics, sessions.seal)
    assert len(set(codes)) == RECOVERY_CODES

    with pytest.raises(SecondFactorNeeded) as needed:
        await sessions.sign_in(BRUNO, PASSWORD)
    assert await sessions.sign_in(BRUNO, "a wrong password") is None
    # The code that confirmed it was used, and so is each one.
    assert await sessions.finish_sign_in(needed.value.user_id, app.now()) is None
    clock.shift(timedelta(seconds=30))
    code = app.now()
    assert await sessions.finish_sign_in(needed.value.user_id, f" {code[:3]} {code[3:]} ")
    assert await sessions.finish_sign_in(needed.value.user_id, code) is None
    assert ("Bruno Lima", "factor.added", "Bruno Lima") in await acts(clinics.ana)


async def test_phones_whose_clock_is_a_step_off_count_and_others_do_not(
    any_database: Database, clinics: Clinics, sessions: Sessions, clock: time_machine.Traveller
) -> None:
    app, _ = await set_up(clinics, sessions.seal)
    bruno = clinics.bruno.staff_id()
    clock.shift(timedelta(minutes=10))
    now = datetime.now(UTC)

    for steps in (-3, -2, 2, 3):
        code = app.at(now + steps * STEP)
        assert await sessions.finish_sign_in(bruno, code) is None
    assert await sessions.finish_sign_in(bruno, app.at(now + -1 * STEP))
    assert await sessions.finish_sign_in(bruno, app.at(now + 1 * STEP))
    # An older one than the last that was used is worth nothing.
    assert await sessions.finish_sign_in(bruno, app.at(now + 0 * STEP)) is None


async def test_a_code_is_used_once_also_by_two_at_the_same_moment(
    any_database: Database, clinics: Clinics, sessions: Sessions, clock: time_machine.Traveller
) -> None:
    app, codes = await set_up(clinics, sessions.seal)
    clock.shift(timedelta(seconds=30))
    for code in (app.now(), codes[0]):
        outcomes = await asyncio.gather(
            *(sessions.finish_sign_in(clinics.bruno.staff_id(), code) for _ in range(4))
        )
        assert sum(outcome is not None for outcome in outcomes) == 1


async def test_recovery_codes_are_for_one_sign_in_each(
    any_database: Database, clinics: Clinics, sessions: Sessions
) -> None:
    _, codes = await set_up(clinics, sessions.seal)
    bruno = clinics.bruno.staff_id()

    assert await sessions.finish_sign_in(bruno, codes[3].upper())
    assert await sessions.finish_sign_in(bruno, codes[3]) is None
    assert await sessions.finish_sign_in(clinics.ana.staff_id(), codes[4]) is None
    own = await read_own_factor(clinics.bruno)
    assert (own.is_on, own.recovery_codes) == (True, RECOVERY_CODES - 1)


@pytest.mark.parametrize("code", ["", " ", "000000", "x" * 41, "١٢٣٤٥٦", "12345", "\ud800"])
async def test_what_is_no_code_opens_nothing(
    database: Database, clinics: Clinics, code: str, clock: time_machine.Traveller
) -> None:
    sessions = sessions_of(database)
    await set_up(clinics, sessions.seal)
    clock.shift(timedelta(minutes=5))

    assert await sessions.finish_sign_in(clinics.bruno.staff_id(), code) is None


async def test_nothing_is_asked_for_before_the_first_code_was_right(
    any_database: Database, clinics: Clinics, sessions: Sessions
) -> None:
    with pytest.raises(NotFound):
        await confirm_factor(clinics.bruno, sessions.seal, "123456")
    await begin_factor(clinics.bruno, sessions.seal)
    with pytest.raises(WrongCode):
        await confirm_factor(clinics.bruno, sessions.seal, "000000")

    assert await sessions.sign_in(BRUNO, PASSWORD)
    assert not (await read_own_factor(clinics.bruno)).is_on
    # Who begins anew gets another secret.
    first = await begin_factor(clinics.bruno, sessions.seal)
    assert (await begin_factor(clinics.bruno, sessions.seal)).secret != first.secret
    app, _ = await set_up(clinics, sessions.seal)
    with pytest.raises(Conflict):
        await begin_factor(clinics.bruno, sessions.seal)
    assert app


async def test_it_is_turned_off_with_a_code_alone(
    any_database: Database, clinics: Clinics, sessions: Sessions
) -> None:
    _, codes = await set_up(clinics, sessions.seal)

    with pytest.raises(WrongCode):
        await remove_own_factor(clinics.bruno, sessions.seal, "000000")
    await remove_own_factor(clinics.bruno, sessions.seal, codes[0])

    assert await sessions.sign_in(BRUNO, PASSWORD)
    async with any_database.read() as session:
        assert (await session.scalars(select(RecoveryCode))).all() == []


async def test_an_administrator_removes_a_lost_one_of_this_clinic_alone(
    any_database: Database, clinics: Clinics, sessions: Sessions
) -> None:
    cookie = await sessions.sign_in(BRUNO, PASSWORD)
    await set_up(clinics, sessions.seal)
    await create_user(any_database, clinics.boreal.clinic_id, "ana@aurora.example", "Ana", "")
    bruno = clinics.bruno.staff_id()

    for stranger in (clinics.carla.staff_id(), "x"):
        with pytest.raises(NotFound):
            await remove_factor_of(clinics.ana, stranger)
    with pytest.raises(Conflict):
        await remove_factor_of(clinics.ana, clinics.ana.staff_id())
    await remove_factor_of(clinics.ana, bruno)

    assert await sessions.find(cookie) is None
    assert await sessions.sign_in(BRUNO, PASSWORD)
    with pytest.raises(NotFound):
        await remove_factor_of(clinics.ana, bruno)


async def test_where_a_clinic_asks_for_it_nothing_else_may_be_done_before(
    any_database: Database, clinics: Clinics, sessions: Sessions
) -> None:
    cookie = await sessions.sign_in(BRUNO, PASSWORD)
    await change_clinic_settings(clinics.ana, second_factor_required=True)

    before = await sessions.find(cookie)
    assert before is not None
    assert before.is_restricted
    assert {p for p in Permission if allows(before.actor, p)} == {
        Permission.CHANGE_OWN_PREFERENCES,
        Permission.MANAGE_OWN_ACCOUNT,
        Permission.MANAGE_OWN_SESSIONS,
    }
    await set_up(clinics, sessions.seal)
    after = await sessions.find(cookie)
    assert after is not None
    assert not after.is_restricted
    assert allows(after.actor, Permission.READ_CONVERSATIONS)


async def test_a_stolen_database_holds_no_secret(any_database: Database, clinics: Clinics) -> None:
    told = await begin_factor(clinics.bruno, SEAL)
    async with any_database.read() as session:
        row = (await session.scalars(select(SecondFactor))).one()
    assert told.secret not in row.sealed_secret
    assert SEAL.open(row.sealed_secret) == told.secret
    assert Seal(b"another key").open(row.sealed_secret) is None
