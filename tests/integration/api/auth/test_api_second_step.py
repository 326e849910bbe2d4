"""`POST /auth/code`: the code of an app, after a right password in the same browser."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pyotp
import pytest
import time_machine

from clinic_chat.api.auth.second_step import CODES_PER_MINUTE, COOKIE
from clinic_chat.domain.accounts.sessions import COOKIE_NAME, MOST_WRONG_CODES
from clinic_chat.domain.administration.second_factors import begin_factor, confirm_factor
from clinic_chat.domain.clinics.scope import ClinicScope
from tests.integration.api.api_fixtures import EARLY_IN_A_MINUTE, ClinicApi, clinic_api

JSON = {"Accept": "application/json"}
PAGE = {"Accept": "text/html"}


@pytest.fixture
async def api(any_database_url: str) -> AsyncIterator[ClinicApi]:
    with time_machine.travel(EARLY_IN_A_MINUTE, tick=True):
        async with clinic_api(any_database_url) as api:
            yield api


@dataclass
class AnasFactor:
    """Ana's app and her recovery codes."""

    app: pyotp.TOTP
    codes: list[str]


@pytest.fixture
def app(factor: AnasFactor) -> pyotp.TOTP:
    return factor.app


@pytest.fixture
def codes(factor: AnasFactor) -> list[str]:
    return factor.codes


@pytest.fixture
async def factor(api: ClinicApi) -> AnasFactor:
    """Ana has an app from now on and is signed in nowhere."""
    cookie = (await api.sign_in(headers=JSON)).cookies[COOKIE_NAME]
    ana = await api.services.sessions.find(cookie)
    assert ana is not None
    api.client.cookies.clear()
    scope = ClinicScope(api.services.database, api.clinics["aurora"], ana.actor)
    app = pyotp.TOTP((await begin_factor(scope, api.services.sessions.seal)).secret)
    return AnasFactor(app, await confirm_factor(scope, api.services.sessions.seal, app.now()))


async def try_code(
    client: httpx.AsyncClient, code: str, onward: str = "", headers: dict[str, str] = JSON
) -> httpx.Response:
    return await client.post("/auth/code", data={"code": code, "next": onward}, headers=headers)


async def test_a_right_password_alone_starts_no_session(api: ClinicApi, codes: list[str]) -> None:
    asked = await api.sign_in(headers=PAGE, form={"next": "/c/1"})

    assert (asked.status_code, asked.headers["location"]) == (303, "/login?step=code&next=/c/1")
    assert list(asked.cookies) == [COOKIE.name]
    cookie = asked.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "Path=/auth", "SameSite=strict"))
    assert f"Max-Age={COOKIE.seconds}" in cookie
    signed_in = await try_code(api.client, codes[0], onward="/c/1", headers=PAGE)
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/c/1")
    who = await api.services.sessions.find(signed_in.cookies[COOKIE_NAME])
    assert who is not None
    assert who.email == "ana@aurora.example"
    assert COOKIE.name not in api.client.cookies


async def test_a_code_without_a_right_password_is_worth_nothing(
    api: ClinicApi, codes: list[str]
) -> None:
    ana = (await api.sign_in(headers=JSON)).cookies[COOKIE.name]
    user_id, until, signature = ana.split(".")
    longer = str(int(until) + COOKIE.seconds)
    forged = (
        "",
        "x",
        "..",
        f"{user_id}.{until}",
        f"{user_id}.{longer}.{signature}",
        f"{user_id}.x.{signature}",
    )
    for value in forged:
        stranger = api.browser()
        refused = await stranger.post(
            "/auth/code",
            data={"code": codes[0]},
            headers=JSON | {"Cookie": f"{COOKIE.name}={value}"},
        )
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "late")
    # Nothing was used up.
    assert (await try_code(api.client, codes[0])).json() == {"ok": True, "location": "/"}


async def test_the_step_ends_after_five_minutes(api: ClinicApi, codes: list[str]) -> None:
    await api.sign_in(headers=JSON)
    value = api.client.cookies[COOKIE.name]
    with time_machine.travel(EARLY_IN_A_MINUTE + timedelta(seconds=COOKIE.seconds + 60), tick=True):
        refused = await api.browser().post(
            "/auth/code",
            data={"code": codes[0]},
            headers=PAGE | {"Cookie": f"{COOKIE.name}={value}"},
        )
    assert refused.headers["location"] == "/login?error=late"


@pytest.mark.parametrize("code", ["", "000000", "x" * 200, "١٢٣٤٥٦", "' OR 1=1 --"])
async def test_a_wrong_code_says_so_and_stays_at_the_step(
    api: ClinicApi, codes: list[str], code: str
) -> None:
    await api.sign_in(headers=JSON)
    told = await try_code(api.client, code)
    shown = await try_code(api.client, code, headers=PAGE)

    assert (told.status_code, told.json()["error"]["code"]) == (401, "code_wrong")
    assert shown.headers["location"] == "/login?step=code&error=code_wrong"
    assert COOKIE_NAME not in api.client.cookies


async def test_a_person_has_few_tries_a_minute_from_all_addresses(
    api: ClinicApi, codes: list[str]
) -> None:
    await api.sign_in(headers=JSON)
    for _ in range(CODES_PER_MINUTE):
        assert (await try_code(api.client, "000000")).status_code == 401
    elsewhere = api.browser()
    await elsewhere.post(
        "/auth/login",
        data={"email": "ana@aurora.example", "password": "correct horse battery"},
        headers=JSON,
    )
    refused = await try_code(elsewhere, codes[0])

    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limited")
    assert int(refused.headers["retry-after"]) > 0
    shown = await try_code(elsewhere, codes[0], headers=PAGE)
    assert shown.headers["location"] == "/login?step=code&error=limited"


async def test_after_a_hundred_wrong_codes_in_a_row_the_app_counts_no_more(
    api: ClinicApi, codes: list[str], app: pyotp.TOTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clinic_chat.api.auth.second_step.CODES_PER_MINUTE", 1000)
    monkeypatch.setattr("clinic_chat.api.auth.sign_in_attempts.WIDE_PER_ADDRESS", 1000)
    monkeypatch.setattr(api.services.settings, "login_attempts_per_minute", 1000)
    await api.sign_in(headers=JSON)
    for _ in range(MOST_WRONG_CODES):
        assert (await try_code(api.client, "000000")).json()["error"]["code"] == "code_wrong"

    locked = await try_code(api.client, "000000")
    assert (locked.status_code, locked.json()["error"]["code"]) == (401, "codes_locked")
    shown = await try_code(api.client, app.now(), headers=PAGE)
    assert shown.headers["location"] == "/login?step=code&error=codes_locked"
    # A recovery code opens it, and the app counts again.
    assert (await try_code(api.client, codes[0])).json() == {"ok": True, "location": "/"}
    await api.sign_in(headers=JSON)
    # The code of now was used up when the app was set up.
    following = app.at(datetime.now(UTC), counter_offset=1)
    assert (await try_code(api.client, following)).json() == {"ok": True, "location": "/"}


async def test_the_language_chosen_at_the_sign_in_is_kept(api: ClinicApi, codes: list[str]) -> None:
    await api.sign_in(headers=JSON)
    signed_in = await api.client.post(
        "/auth/code", data={"code": codes[0], "locale": "en"}, headers=JSON
    )
    who = await api.services.sessions.find(signed_in.cookies[COOKIE_NAME])
    assert who is not None
    assert who.locale == "en"


async def test_the_tabs_of_the_session_before_are_told_at_once(
    api: ClinicApi, codes: list[str]
) -> None:
    await api.sign_in(headers=JSON)
    first = await try_code(api.client, codes[0])
    before = await api.services.sessions.find(first.cookies[COOKIE_NAME])
    assert before is not None

    await api.sign_in(headers=JSON)
    await try_code(api.client, codes[1])
    assert api.signed_out == [before.session_id]
    assert await api.services.sessions.find(first.cookies[COOKIE_NAME]) is None


async def test_another_site_cannot_send_a_code(api: ClinicApi, codes: list[str]) -> None:
    await api.sign_in(headers=JSON)
    refused = await api.client.post(
        "/auth/code",
        data={"code": codes[0]},
        headers=JSON | {"Origin": "https://evil.example"},
    )
    assert refused.status_code == 403
