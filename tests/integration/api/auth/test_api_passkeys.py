"""`/auth/passkey…`: real messages of a software authenticator, and what is wrong with others."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select, update

from clinic_chat.api.auth.form_fields import FIELDS
from clinic_chat.api.auth.passkeys.challenges import BODY_BYTES, COOKIE, REQUESTS_PER_MINUTE
from clinic_chat.api.auth.passkeys.sign_in import PASSKEYS_PER_MINUTE
from clinic_chat.api.auth.second_step import COOKIE as SECOND_STEP
from clinic_chat.domain.accounts.passkeys.messages import CHALLENGE_SECONDS
from clinic_chat.domain.accounts.passkeys.passkey import Passkey, UsedChallenge
from clinic_chat.domain.accounts.second_factors.authenticator_app import RECOVERY_CODES
from clinic_chat.domain.accounts.users import User
from clinic_chat.domain.administration.passkeys import PASSKEYS, remove_passkey
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.metrics.http_requests import SIGN_INS
from tests.integration.api.api_fixtures import EARLY_IN_A_MINUTE, PASSWORD, ClinicApi, clinic_api
from tests.integration.api.auth.passkey_device import (
    ANA,
    CARLA,
    JSON,
    ORIGIN,
    Device,
    code_of,
    device,
    device_with_passkey,
)
from tests.support.authenticator import FLAGS, PRESENT, VERIFIED, Authenticator, base64url

REFUSED = (401, "passkey_refused")
LATE = (401, "late")


@pytest.fixture
async def api(any_database_url: str) -> AsyncIterator[ClinicApi]:
    with time_machine.travel(EARLY_IN_A_MINUTE, tick=True):
        async with clinic_api(any_database_url) as api:
            yield api


@pytest.fixture
async def ana(api: ClinicApi) -> Device:
    """Ana's browser with a passkey; she is signed in nowhere."""
    return await device_with_passkey(api)


async def test_a_passkey_alone_signs_its_person_in(api: ClinicApi, ana: Device) -> None:
    before = SIGN_INS.value("accepted")
    signed_in = await ana.sign_in(next="/c/1", locale="en")

    assert signed_in.json() == {"ok": True, "location": "/c/1"}
    who = await api.services.sessions.find(ana.session)
    assert who is not None
    assert (who.email, who.locale) == (ANA, "en")
    assert SIGN_INS.value("accepted") == before + 1
    async with api.services.database.read() as session:
        stored = (await session.scalars(select(Passkey))).one()
    assert (stored.sign_count, stored.domain) == (1, "inbox.example")
    assert stored.last_used_at is not None


async def test_what_browsers_are_asked_for(api: ClinicApi, ana: Device) -> None:
    asked = await ana.post("passkey/options", {})
    options, cookie = asked.json(), asked.headers["set-cookie"]

    assert (options["rpId"], options["userVerification"]) == ("inbox.example", "required")
    assert options["allowCredentials"] == []
    assert all(
        part in cookie
        for part in ("HttpOnly", "Path=/auth", "SameSite=strict", "Secure", "Max-Age=300")
    )
    await ana.password()
    assert ana.session is None
    second = await ana.asked("passkey/options", {"step": "passkey"})
    known = base64url(ana.authenticator.credentials[0].id)
    assert second["allowCredentials"] == [{"type": "public-key", "id": known}]
    await ana.sign_in(step="passkey")
    made = await ana.asked("passkey/new", {"password": PASSWORD})
    assert made["excludeCredentials"] == second["allowCredentials"]
    assert made["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert made["attestation"] == "none"


async def test_a_password_alone_lets_nobody_in_who_has_a_passkey(
    api: ClinicApi, ana: Device
) -> None:
    asked = await ana.password()

    assert asked.json()["location"] == "/login?step=passkey"
    assert ana.session is None
    assert (await ana.sign_in(step="passkey")).json()["location"] == "/"
    assert ana.session is not None


async def test_a_recovery_code_stands_in_for_a_lost_passkey_once(api: ClinicApi) -> None:
    phone = device(api)
    await phone.password()
    codes = (await phone.add()).json()["codes"]
    assert len(codes) == RECOVERY_CODES
    # Only who has no second factor gets codes.
    assert (await phone.add()).json()["codes"] == []

    elsewhere = device(api)
    await elsewhere.password()
    wrong = await elsewhere.post("code", {"code": "000000", "step": "passkey"})
    assert code_of(wrong) == (401, "code_wrong")
    assert (await elsewhere.post("code", {"code": codes[0]})).json()["ok"]
    await elsewhere.password()
    assert code_of(await elsewhere.post("code", {"code": codes[0]})) == (401, "code_wrong")


async def test_the_page_of_a_wrong_code_still_offers_the_passkey(
    api: ClinicApi, ana: Device
) -> None:
    await ana.password()
    shown = await ana.post("code", {"code": "0", "step": "passkey"}, Accept="text/html")
    other = await ana.post("code", {"code": "0", "step": "//evil.example"}, Accept="text/html")

    assert shown.headers["location"] == "/login?step=passkey&error=code_wrong"
    assert other.headers["location"] == "/login?step=code&error=code_wrong"


Spoil = Callable[[Device], None]


def _no_verification(one: Device) -> None:
    one.authenticator.flags = PRESENT


def _no_presence(one: Device) -> None:
    one.authenticator.flags = VERIFIED


def _phishing_page(one: Device) -> None:
    one.authenticator.origin = "https://inbox.example.evil.example"


def _other_port(one: Device) -> None:
    one.authenticator.origin = f"{ORIGIN}:8443"


def _without_https(one: Device) -> None:
    one.authenticator.origin = "http://inbox.example"


def _other_domain(one: Device) -> None:
    one.authenticator.credentials[0].domain = "evil.example"


def _other_key(one: Device) -> None:
    other = Authenticator(ORIGIN)
    options = {"rp": {"id": "inbox.example"}, "user": {"id": ""}, "challenge": ""}
    other.create(options)
    one.authenticator.credentials[0].key = other.credentials[0].key


def _other_account(one: Device) -> None:
    one.authenticator.credentials[0].user_handle = base64url(bytes(16))


def _unknown_credential(one: Device) -> None:
    one.authenticator.credentials[0].id = bytes(32)


@pytest.mark.parametrize(
    "spoil",
    [
        _no_verification,
        _no_presence,
        _phishing_page,
        _other_port,
        _without_https,
        _other_domain,
        _other_key,
        _other_account,
        _unknown_credential,
    ],
)
@pytest.mark.parametrize("step", ["", "passkey"])
async def test_a_message_that_is_not_right_signs_nobody_in(
    api: ClinicApi, ana: Device, spoil: Spoil, step: str
) -> None:
    before = SIGN_INS.value("passkey_refused")
    if step:
        await ana.password()
    spoil(ana)

    assert code_of(await ana.sign_in(step)) == REFUSED
    assert ana.session is None
    assert SIGN_INS.value("passkey_refused") == before + 1


@pytest.mark.parametrize(
    "spoil",
    [_no_verification, _no_presence, _phishing_page, _other_port, _without_https],
)
async def test_a_new_passkey_that_is_not_right_is_not_stored(api: ClinicApi, spoil: Spoil) -> None:
    phone = device(api)
    await phone.password()
    spoil(phone)

    assert code_of(await phone.add()) == (422, "passkey_refused")
    options = await phone.asked("passkey/new", {"password": PASSWORD})
    phone.authenticator.flags, phone.authenticator.origin = FLAGS, ORIGIN
    elsewhere = phone.authenticator.create(options, domain="evil.example")
    assert code_of(await phone.post("passkey/add", elsewhere)) == (422, "passkey_refused")
    assert await number_of(api, Passkey) == 0


async def test_a_challenge_is_of_this_browser_this_purpose_and_these_five_minutes(
    api: ClinicApi, ana: Device
) -> None:
    options = await ana.asked("passkey/options", {})
    signed = ana.authenticator.get(options)
    stranger = device(api)
    assert code_of(await stranger.post("passkey", signed)) == LATE
    # Another challenge than the one that was signed.
    await stranger.asked("passkey/options", {})
    assert code_of(await stranger.post("passkey", signed)) == REFUSED

    kept = ana.client.cookies[f"{COOKIE}_sign_in"]
    value, until, signature = kept.split(".")
    forged = (
        "",
        "x",
        f"{value}.{int(until) + 60}.{signature}",
        f"{base64url(bytes(32))}.{until}.{signature}",
        f"{value}.{until}.",
        f"{value}.x.{signature}",
    )
    for one in forged:
        cookie = f"{COOKIE}_sign_in={one}"
        assert code_of(await stranger.post("passkey", signed, Cookie=cookie)) == LATE
    # One for signing in is none for the second step, nor one for another person's.
    await ana.password()
    renamed = (
        f"{COOKIE}_second_step={kept}; clinic_chat_second_step="
        + (ana.client.cookies["clinic_chat_second_step"])
    )
    answer = await stranger.post("passkey", signed | {"step": "passkey"}, Cookie=renamed)
    assert code_of(answer) == LATE
    with time_machine.travel(EARLY_IN_A_MINUTE + timedelta(seconds=CHALLENGE_SECONDS + 60)):
        answer = await stranger.post("passkey", signed, Cookie=f"{COOKIE}_sign_in={kept}")
        assert code_of(answer) == LATE
    assert (await ana.post("passkey", signed)).json()["ok"]


async def test_a_challenge_for_adding_is_none_for_the_second_step_of_its_person(
    api: ClinicApi, ana: Device
) -> None:
    await ana.sign_in()
    signed = ana.authenticator.get(await ana.asked("passkey/new", {"password": PASSWORD}))
    adding = ana.client.cookies[f"{COOKIE}_add"]
    ana.forget_cookies()
    await ana.password()
    waiting = ana.client.cookies[SECOND_STEP.name]
    cookie = f"{COOKIE}_second_step={adding}; {SECOND_STEP.name}={waiting}"

    answer = await device(api).post("passkey", signed | {"step": "passkey"}, Cookie=cookie)
    assert code_of(answer) == LATE


@pytest.mark.parametrize("counts", [True, False])
async def test_an_answer_counts_once(api: ClinicApi, ana: Device, counts: bool) -> None:
    # Without a count nothing but the challenge tells the second from the first.
    ana.authenticator.counts = counts
    options = await ana.asked("passkey/options", {})
    cookie = f"{COOKIE}_sign_in={ana.client.cookies[f'{COOKIE}_sign_in']}"
    signed = ana.authenticator.get(options)

    answers = await asyncio.gather(
        *(device(api).post("passkey", signed, Cookie=cookie) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
    later = await device(api).post("passkey", signed, Cookie=cookie)
    assert code_of(later) == REFUSED


async def test_a_new_passkey_is_added_once(api: ClinicApi) -> None:
    phone = device(api)
    await phone.password()
    made = phone.authenticator.create(await phone.asked("passkey/new", {"password": PASSWORD}))
    cookie = "; ".join(f"{name}={value}" for name, value in phone.client.cookies.items())
    assert (await phone.post("passkey/add", made, Cookie=cookie)).json()["ok"]
    assert code_of(await phone.post("passkey/add", made, Cookie=cookie)) == (
        422,
        "passkey_refused",
    )
    assert await number_of(api, Passkey) == 1


async def test_used_challenges_are_forgotten_once_they_are_too_old(
    api: ClinicApi, ana: Device
) -> None:
    await ana.sign_in()
    assert await number_of(api, UsedChallenge) == 2
    with time_machine.travel(EARLY_IN_A_MINUTE + timedelta(minutes=20), tick=True):
        await ana.sign_in()
        assert await number_of(api, UsedChallenge) == 1


async def test_a_count_that_goes_back_is_of_a_copy(
    api: ClinicApi, ana: Device, capsys: pytest.CaptureFixture[str]
) -> None:
    await ana.sign_in()
    await ana.sign_in()
    ana.authenticator.credentials[0].count = 1
    ana.forget_cookies()

    assert code_of(await ana.sign_in()) == REFUSED
    assert ana.session is None
    assert "passkey.sign_count_went_back" in capsys.readouterr().out
    ana.authenticator.credentials[0].count = 2
    assert (await ana.sign_in()).json()["ok"]
    # One that counted counts on.
    ana.authenticator.credentials[0].count = 0
    ana.authenticator.counts = False
    assert code_of(await ana.sign_in()) == REFUSED


async def test_the_second_step_takes_no_other_persons_passkey(api: ClinicApi, ana: Device) -> None:
    carla = await device_with_passkey(api, CARLA)
    await ana.password()
    options = await ana.asked("passkey/options", {"step": "passkey"})
    signed = carla.authenticator.get(options)

    assert code_of(await ana.post("passkey", signed | {"step": "passkey"})) == REFUSED
    assert ana.session is None
    # Without a right password there is no second step.
    assert code_of(await device(api).post("passkey/options", {"step": "passkey"})) == LATE
    assert code_of(await device(api).post("passkey", signed | {"step": "passkey"})) == LATE


async def test_a_passkey_is_added_with_the_password_by_its_session_alone(api: ClinicApi) -> None:
    phone = device(api)
    assert code_of(await phone.post("passkey/new", {"password": PASSWORD})) == (
        401,
        "unauthorized",
    )
    await phone.password()
    for wrong in ("", "not the password"):
        answer = await phone.post("passkey/new", {"password": wrong})
        assert code_of(answer) == (422, "password_wrong")
    made = Authenticator(ORIGIN).create(
        {"rp": {"id": "inbox.example"}, "user": {"id": ""}, "challenge": base64url(bytes(32))}
    )
    assert code_of(await phone.post("passkey/add", made)) == (409, "late")

    # Somebody else signs in at the desk before the passkey is made.
    options = await phone.asked("passkey/new", {"password": PASSWORD})
    await phone.password(CARLA)
    made = phone.authenticator.create(options)
    assert code_of(await phone.post("passkey/add", made)) == (409, "late")
    assert await number_of(api, Passkey) == 0


async def test_wrong_passwords_count_as_those_of_the_sign_in(api: ClinicApi) -> None:
    phone = device(api)
    await phone.password()
    limit = api.services.settings.login_attempts_per_minute
    for _ in range(limit):
        await phone.post("passkey/new", {"password": "not the password"})
    # The known device has used its own tries up, and then those of its address.
    for _ in range(limit):
        await phone.post("passkey/new", {"password": "not the password"})

    assert code_of(await phone.post("passkey/new", {"password": PASSWORD})) == (
        429,
        "rate_limited",
    )


async def test_a_person_has_ten_passkeys(api: ClinicApi) -> None:
    phone = device(api)
    await phone.password()
    first = await phone.asked("passkey/new", {"password": PASSWORD})
    held = {f"{COOKIE}_add": phone.client.cookies[f"{COOKIE}_add"]}
    for number in range(PASSKEYS):
        assert (await phone.add(f"key {number}")).status_code == 200
    eleventh = await phone.post("passkey/new", {"password": PASSWORD})
    assert code_of(eleventh) == (409, "too_many_passkeys")

    # Begun before the others were there.
    phone.client.cookies.set(f"{COOKIE}_add", held[f"{COOKIE}_add"], path="/auth")
    late = await phone.post("passkey/add", phone.authenticator.create(first))
    assert code_of(late) == (409, "too_many_passkeys")
    assert await number_of(api, Passkey) == PASSKEYS


async def test_a_deactivated_person_gets_the_answer_of_an_unknown_passkey(
    api: ClinicApi, ana: Device
) -> None:
    async with api.services.database.write() as session:
        await session.execute(
            update(User).where(User.email == ANA).values(deactivated_at=EARLY_IN_A_MINUTE)
        )

    assert code_of(await ana.sign_in()) == REFUSED
    assert ana.session is None


async def test_a_removed_passkey_is_worth_nothing(api: ClinicApi, ana: Device) -> None:
    async with api.services.database.read() as session:
        stored = (await session.scalars(select(Passkey))).one()
    await ana.sign_in()
    who = await api.services.sessions.find(ana.session)
    assert who is not None
    scope = ClinicScope(api.services.database, who.clinic_id, who.actor)
    await remove_passkey(scope, stored.id, PASSWORD)

    assert code_of(await ana.sign_in()) == REFUSED
    # The session that it began goes on: only what is asked for ends.
    assert await api.services.sessions.find(ana.session) is not None
    ana.forget_cookies()
    assert (await ana.password()).json()["location"] == "/"


@pytest.mark.parametrize("path", ["passkey", "passkey/options", "passkey/new", "passkey/add"])
async def test_another_site_cannot_ask(api: ClinicApi, ana: Device, path: str) -> None:
    answer = await ana.post(path, {}, Origin="https://evil.example")
    assert code_of(answer) == (403, "bad_origin")
    null = await ana.post(path, {}, Origin="null")
    assert code_of(null) == (403, "bad_origin")


async def test_a_host_of_somebodys_choice_opens_nothing(api: ClinicApi, ana: Device) -> None:
    evil = "https://evil.example"
    # A page of its own, which a program asks for in its name.
    ana.authenticator.origin = evil
    ana.authenticator.credentials[0].domain = "evil.example"
    asked = await ana.post("passkey/options", {}, Host="evil.example", Origin=evil)
    assert asked.json()["rpId"] == "evil.example"
    cookie = asked.headers["set-cookie"].partition(";")[0]
    signed = ana.authenticator.get(asked.json())
    answer = await device(api).post(
        "passkey", signed, Host="evil.example", Origin=evil, Cookie=cookie
    )
    assert code_of(answer) == REFUSED


@pytest.mark.parametrize(
    ("scheme", "host"),
    [
        ("http", "inbox.example"),
        ("https", "192.0.2.7"),
        ("http", "127.0.0.1:3000"),
        ("https", "[2001:db8::7]"),
    ],
)
async def test_where_browsers_make_no_passkeys_the_answer_says_so(
    api: ClinicApi, scheme: str, host: str
) -> None:
    answer = await api.browser(scheme).post(
        "/auth/passkey/options",
        headers=JSON | {"Host": host, "Origin": f"{scheme}://{host}"},
    )
    assert code_of(answer) == (409, "passkeys_unavailable")


async def test_localhost_needs_no_https(api: ClinicApi) -> None:
    origin = "http://localhost:3000"
    answer = await api.browser("http").post(
        "/auth/passkey/options", headers=JSON | {"Host": "localhost:3000", "Origin": origin}
    )
    assert answer.json()["rpId"] == "localhost"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (field, value)
        for field in ("id", "clientData", "authenticatorData", "signature", "userHandle")
        for value in ("", "x", "AA==", "é", "A" * 4_000, "\x00", "-_" * 50)
        # Devices may leave the person out.
        if (field, value) != ("userHandle", "")
    ],
)
async def test_bytes_that_are_no_message_are_refused(
    api: ClinicApi, ana: Device, field: str, value: str
) -> None:
    options = await ana.asked("passkey/options", {})
    signed = ana.authenticator.get(options) | {field: value}

    assert code_of(await ana.post("passkey", signed)) == REFUSED


@pytest.mark.parametrize("value", ["", "x", "AA", "é", "A" * 4_000, "oWNmbXRkbm9uZQ"])
@pytest.mark.parametrize("field", ["id", "clientData", "attestation"])
async def test_bytes_that_are_no_new_passkey_are_refused(
    api: ClinicApi, field: str, value: str
) -> None:
    phone = device(api)
    await phone.password()
    options = await phone.asked("passkey/new", {"password": PASSWORD})
    made = phone.authenticator.create(options) | {field: value}

    assert code_of(await phone.post("passkey/add", made)) == (422, "passkey_refused")


async def test_a_body_over_the_limit_is_not_read(api: ClinicApi, ana: Device) -> None:
    signed = ana.authenticator.get(await ana.asked("passkey/options", {}))
    padded = signed | {f"x{number}": "x" * 4_000 for number in range(BODY_BYTES // 4_000)}

    assert len(padded) <= FIELDS
    assert (await ana.post("passkey", padded)).status_code == 401
    assert ana.session is None
    assert (await ana.post("passkey", signed)).json()["ok"]


async def test_refused_passkeys_count_as_wrong_passwords(api: ClinicApi, ana: Device) -> None:
    _no_verification(ana)
    limit = api.services.settings.login_attempts_per_minute
    for _ in range(limit):
        assert code_of(await ana.sign_in()) == REFUSED
    assert code_of(await ana.sign_in()) == (429, "rate_limited")
    assert (await ana.password()).status_code == 429


async def test_a_person_and_an_address_ask_so_often_a_minute(api: ClinicApi, ana: Device) -> None:
    for _ in range(PASSKEYS_PER_MINUTE):
        assert (await ana.sign_in()).status_code == 200
    assert code_of(await ana.sign_in()) == (429, "rate_limited")
    assert ana.session is not None
    statuses = set()
    for _ in range(REQUESTS_PER_MINUTE):
        statuses.add((await ana.post("passkey/options", {})).status_code)
    assert statuses == {200, 429}


async def number_of(api: ClinicApi, table: type[Passkey] | type[UsedChallenge]) -> int:
    async with api.services.database.read() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0
