"""Passkeys of one's own account, and how they count beside an app for codes."""

import asyncio
import secrets
from dataclasses import replace

import pyotp
import pytest

from clinic_chat.domain.accounts.passkeys.acceptance import accept_passkey, owner_of
from clinic_chat.domain.accounts.passkeys.messages import (
    Assertion,
    Creation,
    PasskeyRefused,
    Site,
    request_options,
)
from clinic_chat.domain.accounts.permissions import Permission, allows
from clinic_chat.domain.accounts.second_factors.authenticator_app import RECOVERY_CODES
from clinic_chat.domain.accounts.sessions import SecondFactorNeeded, Sessions
from clinic_chat.domain.administration.clinic_settings import (
    change_clinic_settings,
)
from clinic_chat.domain.administration.members import list_members
from clinic_chat.domain.administration.own_account import WrongPassword
from clinic_chat.domain.administration.passkeys import (
    PASSKEYS,
    add_passkey,
    begin_passkey,
    list_passkeys,
    remove_passkey,
    rename_passkey,
)
from clinic_chat.domain.administration.second_factors import (
    begin_factor,
    confirm_factor,
    read_own_factor,
    remove_factor_of,
    remove_own_factor,
)
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import Conflict, InvalidInput, NotFound
from clinic_chat.storage.database import Database
from tests.conftest import PASSWORD, Clinics
from tests.integration.administration.test_members import acts, sessions_of
from tests.support.authenticator import Authenticator, Credential

BRUNO = "bruno@aurora.example"
SITE = Site("https://inbox.example", "inbox.example")


@pytest.fixture
def sessions(any_database: Database) -> Sessions:
    return sessions_of(any_database)


@pytest.fixture
def phone() -> Authenticator:
    return Authenticator(SITE.origin)


async def add(
    scope: ClinicScope,
    phone: Authenticator,
    name: str = "Celular",
    like: Credential | None = None,
) -> list[str]:
    """Add a passkey; the recovery codes that came with it."""
    challenge = secrets.token_bytes(32)
    made = phone.create(await begin_passkey(scope, PASSWORD, SITE, challenge), like=like)
    message = Creation(made["id"], made["clientData"], made["attestation"])
    return await add_passkey(scope, SITE, challenge, message, name)


def signed(phone: Authenticator, challenge: bytes) -> Assertion:
    told = phone.get(request_options(SITE, challenge))
    return Assertion(
        told["id"],
        told["clientData"],
        told["authenticatorData"],
        told["signature"],
        told["userHandle"],
    )


async def add_app(scope: ClinicScope, sessions: Sessions) -> list[str]:
    """Add an app for codes; the recovery codes that came with it."""
    app = pyotp.TOTP((await begin_factor(scope, sessions.seal)).secret)
    return await confirm_factor(scope, sessions.seal, app.now())


async def test_a_passkey_is_added_named_and_removed_and_the_trail_says_so(
    any_database: Database, clinics: Clinics, sessions: Sessions, phone: Authenticator
) -> None:
    cookie = await sessions.sign_in(BRUNO, PASSWORD)
    await add(clinics.bruno, phone, " Celular  do Bruno ")
    (made,) = await list_passkeys(clinics.bruno)
    assert (made.name, made.domain, made.last_used_at) == (
        "Celular do Bruno",
        "inbox.example",
        "",
    )
    await rename_passkey(clinics.bruno, made.id, "Computador")
    assert [one.name for one in await list_passkeys(clinics.bruno)] == ["Computador"]
    with pytest.raises(WrongPassword):
        await remove_passkey(clinics.bruno, made.id, "not the password")
    await remove_passkey(clinics.bruno, made.id, PASSWORD)

    assert await list_passkeys(clinics.bruno) == []
    assert await sessions.find(cookie) is not None
    said = [action for _, action, _ in await acts(clinics.ana)]
    assert said == ["passkey.added", "passkey.renamed", "passkey.removed"]


async def test_nobody_reaches_the_passkeys_of_others(
    any_database: Database, clinics: Clinics, phone: Authenticator
) -> None:
    await add(clinics.bruno, phone)
    (made,) = await list_passkeys(clinics.bruno)

    assert await list_passkeys(clinics.ana) == []
    for unknown in (made.id, "x", ""):
        with pytest.raises(NotFound):
            await remove_passkey(clinics.ana, unknown, PASSWORD)
        with pytest.raises(NotFound):
            await rename_passkey(clinics.ana, unknown, "Meu")
    with pytest.raises(InvalidInput):
        await rename_passkey(clinics.bruno, made.id, " ")
    with pytest.raises(WrongPassword):
        await begin_passkey(clinics.bruno, "", SITE, b"")


async def test_one_key_is_one_persons(
    any_database: Database, clinics: Clinics, phone: Authenticator
) -> None:
    await add(clinics.bruno, phone)

    with pytest.raises(Conflict, match="already"):
        await add(clinics.ana, phone, like=phone.credentials[0])
    assert await list_passkeys(clinics.ana) == []


async def test_two_at_the_same_moment_do_not_make_an_eleventh(
    any_database: Database, clinics: Clinics, phone: Authenticator
) -> None:
    for _ in range(PASSKEYS - 1):
        await add(clinics.bruno, phone)

    outcomes = await asyncio.gather(
        *(add(clinics.bruno, phone) for _ in range(3)), return_exceptions=True
    )
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 2
    assert len(await list_passkeys(clinics.bruno)) == PASSKEYS


async def test_an_answer_counts_once_also_by_two_at_the_same_moment(
    any_database: Database, clinics: Clinics, phone: Authenticator
) -> None:
    phone.counts = False
    await add(clinics.bruno, phone)
    challenge = secrets.token_bytes(32)
    message = signed(phone, challenge)
    owner = await owner_of(any_database, message.credential_id)
    assert owner is not None
    assert owner.email == BRUNO

    outcomes = await asyncio.gather(
        *(accept_passkey(any_database, SITE, challenge, message, owner) for _ in range(4)),
        return_exceptions=True,
    )
    assert sorted(map(type, outcomes), key=str) == [type(None), *[PasskeyRefused] * 3]
    (used,) = await list_passkeys(clinics.bruno)
    assert used.last_used_at


async def test_a_clinics_wish_for_a_second_step_is_met_by_a_passkey(
    any_database: Database, clinics: Clinics, sessions: Sessions, phone: Authenticator
) -> None:
    cookie = await sessions.sign_in(BRUNO, PASSWORD)
    await change_clinic_settings(clinics.ana, second_factor_required=True)
    before = await sessions.find(cookie)
    assert before is not None
    assert before.is_restricted

    await add(replace(clinics.bruno, actor=before.actor), phone)
    after = await sessions.find(cookie)
    assert after is not None
    assert allows(after.actor, Permission.READ_CONVERSATIONS)
    (made,) = await list_passkeys(clinics.bruno)
    await remove_passkey(clinics.bruno, made.id, PASSWORD)
    without = await sessions.find(cookie)
    assert without is not None
    assert without.is_restricted


async def test_the_password_alone_lets_nobody_in_who_has_one(
    any_database: Database, clinics: Clinics, sessions: Sessions, phone: Authenticator
) -> None:
    codes = await add(clinics.bruno, phone)
    with pytest.raises(SecondFactorNeeded) as needed:
        await sessions.sign_in(BRUNO, PASSWORD)
    assert (needed.value.factors.app, needed.value.factors.passkey) == (False, True)
    await add_app(clinics.bruno, sessions)
    with pytest.raises(SecondFactorNeeded) as both:
        await sessions.sign_in(BRUNO, PASSWORD)
    assert (both.value.factors.app, both.value.factors.passkey) == (True, True)

    bruno = clinics.bruno.staff_id()
    assert await sessions.finish_sign_in(bruno, "000000") is None
    assert await sessions.finish_sign_in(bruno, codes[0])


@pytest.mark.parametrize("first", ["passkey", "app"])
async def test_recovery_codes_come_with_the_first_factor_and_go_with_the_last(
    any_database: Database,
    clinics: Clinics,
    sessions: Sessions,
    phone: Authenticator,
    first: str,
) -> None:
    if first == "passkey":
        codes = await add(clinics.bruno, phone)
        # Beginning with an app, and not going on, takes nothing away.
        await begin_factor(clinics.bruno, sessions.seal)
        assert (await read_own_factor(clinics.bruno)).recovery_codes == RECOVERY_CODES
        assert await add_app(clinics.bruno, sessions) == []
    else:
        codes = await add_app(clinics.bruno, sessions)
        assert await add(clinics.bruno, phone) == []
    assert len(set(codes)) == RECOVERY_CODES
    (made,) = await list_passkeys(clinics.bruno)

    if first == "passkey":
        await remove_passkey(clinics.bruno, made.id, PASSWORD)
        own = await read_own_factor(clinics.bruno)
        assert (own.is_on, own.recovery_codes) == (True, RECOVERY_CODES)
        await remove_own_factor(clinics.bruno, sessions.seal, codes[0])
    else:
        await remove_own_factor(clinics.bruno, sessions.seal, codes[0])
        own = await read_own_factor(clinics.bruno)
        assert (own.is_on, own.recovery_codes) == (False, RECOVERY_CODES - 1)
        await remove_passkey(clinics.bruno, made.id, PASSWORD)

    assert (await read_own_factor(clinics.bruno)).recovery_codes == 0
    assert await sessions.sign_in(BRUNO, PASSWORD)
    # A code of before opens nothing.
    assert await sessions.finish_sign_in(clinics.bruno.staff_id(), codes[1]) is None


async def test_an_administrator_removes_passkeys_and_app_together(
    any_database: Database, clinics: Clinics, sessions: Sessions, phone: Authenticator
) -> None:
    cookie = await sessions.sign_in(BRUNO, PASSWORD)
    await add(clinics.bruno, phone)
    await add(clinics.bruno, phone)
    found = {member.email: member.has_factor for member in await list_members(clinics.ana)}
    assert found[BRUNO]

    await remove_factor_of(clinics.ana, clinics.bruno.staff_id())

    assert await list_passkeys(clinics.bruno) == []
    assert (await read_own_factor(clinics.bruno)).recovery_codes == 0
    assert await sessions.find(cookie) is None
    assert await sessions.sign_in(BRUNO, PASSWORD)
