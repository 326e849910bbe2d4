"""`/auth/sso`: signing in at a clinic's identity provider, a real one over HTTPS."""

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import time_machine

from clinic_chat.api.auth.single_sign_on import COOKIE, PER_MINUTE
from clinic_chat.domain.accounts.session_records import Proof
from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from clinic_chat.domain.accounts.users import Membership
from clinic_chat.domain.administration.audit_trail import read_audit_trail
from clinic_chat.domain.administration.clinic_settings import (
    change_clinic_settings,
)
from clinic_chat.domain.administration.members import activate_member, deactivate_member
from clinic_chat.domain.clinics.actors import Role
from clinic_chat.domain.single_sign_on.providers import provider_seal
from clinic_chat.domain.single_sign_on.settings import (
    WantedProvider,
    list_linked_people,
    save_provider,
)
from clinic_chat.domain.single_sign_on.sign_in import STATE_SECONDS
from tests.integration.api.api_fixtures import EARLY_IN_A_MINUTE
from tests.support.provider.https_server import Answer, HttpsServer
from tests.support.provider.identity_provider import CLIENT_SECRET
from tests.support.provider.staff import SsoApi, reason, sso_api

ANA = "ana@aurora.example"


@pytest.fixture
async def sso(any_database_url: str) -> AsyncIterator[SsoApi]:
    async with sso_api(any_database_url) as sso:
        yield sso


async def test_a_member_signs_in_and_lands_where_they_wanted(sso: SsoApi) -> None:
    browser = sso.api.browser()
    started = await sso.start(browser, next="/c/1")

    address = urlsplit(started.headers["location"])
    query = {name: value for name, (value,) in parse_qs(address.query).items()}
    assert (
        f"{address.scheme}://{address.netloc}{address.path}" == sso.provider.origin + "/authorize"
    )
    assert query["response_type"] == "code"
    assert query["code_challenge_method"] == "S256"
    assert query["redirect_uri"] == "http://inbox.example/auth/sso/callback"
    assert query["scope"] == "openid email profile"
    assert len(query["state"]) >= 43
    assert len(query["nonce"]) >= 43
    assert "prompt" not in query
    cookie = started.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", f"Max-Age={STATE_SECONDS}"))
    assert not any(query[name] in cookie for name in ("state", "nonce"))

    back = await browser.get(await sso.at_provider(started.headers["location"]))
    assert (back.status_code, back.headers["location"]) == (303, "/c/1")
    assert COOKIE not in browser.cookies
    who = await sso.session(back)
    assert (who.email, who.clinic_slug, who.proof) == (ANA, "aurora", Proof.PROVIDER)
    assert sso.provider.paths().count("/token") == 1


async def test_over_https_no_neighbour_can_set_the_cookie(sso: SsoApi) -> None:
    started = await sso.start(sso.api.browser("https"))
    cookie = started.headers["set-cookie"]
    assert cookie.startswith(f"__Host-{COOKIE}=")
    assert "Secure" in cookie
    assert "redirect_uri=https%3A%2F%2Finbox.example%2F" in started.headers["location"]


async def test_a_person_is_known_by_their_account_once_they_came(sso: SsoApi) -> None:
    first = await sso.session(await sso.come())
    # Another address, also one of somebody else: the account counts.
    sso.provider.email, sso.provider.email_verified = "carla@boreal.example", False

    again = await sso.session(await sso.come())

    assert again.user_id == first.user_id
    (linked,) = await list_linked_people(sso.scope())
    assert (linked.id, linked.email) == (str(first.user_id), ANA)
    acts = (await read_audit_trail(sso.scope())).entries
    assert [act.action for act in acts] == ["provider.account_linked", "provider.set"]
    assert acts[0].subject_name == "Ana"
    assert CLIENT_SECRET not in str(acts)


@pytest.mark.parametrize("email", ["nobody@aurora.example", "carla@boreal.example", ""])
async def test_nobody_is_created_and_nobody_of_another_clinic_comes_in(
    sso: SsoApi, email: str
) -> None:
    sso.provider.email = email
    assert reason(await sso.come()) == "sso_not_member"
    assert await list_linked_people(sso.scope()) == []


async def test_an_address_that_is_not_confirmed_does_not_count(sso: SsoApi) -> None:
    for value in (False, None, "true", 1):
        sso.provider.lies.claims = {"email_verified": value}
        assert reason(await sso.come()) == "sso_email"


async def test_another_account_with_the_same_address_is_somebody_else(sso: SsoApi) -> None:
    await sso.come()
    sso.provider.subject = "somebody else"
    assert reason(await sso.come()) == "sso_other_account"


async def test_who_was_sent_away_does_not_come_in(sso: SsoApi) -> None:
    ana = await sso.session(await sso.come())
    carla = await sso.user_id("carla@boreal.example")
    async with sso.api.services.database.write() as session:
        session.add(Membership(user_id=carla, clinic_id=ana.clinic_id, role=Role.ADMIN))
    await deactivate_member(sso.scope(), ana.user_id)

    assert reason(await sso.come()) == "sso_not_member"
    await activate_member(sso.scope(), ana.user_id)
    assert (await sso.session(await sso.come())).user_id == ana.user_id


@pytest.mark.parametrize("clinic", ["boreal", "nowhere", "", "x" * 200, "../aurora", "AURORA\0"])
async def test_no_clinic_and_no_provider_are_answered_alike(sso: SsoApi, clinic: str) -> None:
    told = await sso.start(sso.api.browser(), clinic, next="/c/1")
    assert told.headers["location"] == "/login?step=sso&error=sso_unknown&next=/c/1"
    assert sso.provider.asked == []


async def test_a_provider_that_is_off_is_none(sso: SsoApi) -> None:
    await sso.set_provider(is_enabled=False)
    assert reason(await sso.come()) == "sso_unknown"


async def test_a_state_is_of_one_browser_and_counts_once(sso: SsoApi) -> None:
    browser, other = sso.api.browser(), sso.api.browser()
    started = await sso.start(browser)
    kept = browser.cookies[COOKIE]
    back = await sso.at_provider(started.headers["location"])
    await sso.start(other)

    assert reason(await other.get(back)) == "sso_late"
    assert reason(await sso.api.browser().get(back)) == "sso_late"
    forged = back.replace("state=", "state=x")
    assert reason(await sso.api.browser().get(forged, headers={"Cookie": f"{COOKIE}={kept}"})) == (
        "sso_late"
    )
    assert sso.provider.paths().count("/token") == 0
    assert reason(await browser.get(back)) == ""
    assert reason(await browser.get(back)) == "sso_late"


async def test_a_used_state_starts_no_second_session_whatever_the_provider_says(
    sso: SsoApi,
) -> None:
    browser = sso.api.browser()
    started = await sso.start(browser)
    kept = {"Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
    location = started.headers["location"]
    assert reason(await sso.api.browser().get(await sso.at_provider(location), headers=kept)) == ""
    # A second code for the same state: the provider has nothing against it.
    again = await sso.api.browser().get(await sso.at_provider(location), headers=kept)
    assert reason(again) == "sso_late"


async def test_a_state_is_over_after_ten_minutes(sso: SsoApi) -> None:
    with time_machine.travel(EARLY_IN_A_MINUTE, tick=True) as clock:
        browser = sso.api.browser()
        started = await sso.start(browser)
        kept = {"Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
        back = await sso.at_provider(started.headers["location"])
        clock.shift(timedelta(seconds=STATE_SECONDS + 5))
        assert reason(await sso.api.browser().get(back, headers=kept)) == "sso_late"


@pytest.mark.parametrize("value", ["", "x", "x" * 5_000, "é", '"', "a.b.c"])
async def test_a_forged_cookie_is_none(sso: SsoApi, value: str) -> None:
    headers = [(b"cookie", f"{COOKIE}={value}".encode())]
    answer = await sso.api.browser().get("/auth/sso/callback?state=x&code=x", headers=headers)
    assert reason(answer) == "sso_late"


@pytest.mark.parametrize(
    ("error", "why"), [("access_denied", "sso_denied"), ("server_error", "sso_failed")]
)
async def test_what_the_provider_says_of_an_error_is_not_shown(
    sso: SsoApi, error: str, why: str
) -> None:
    sso.provider.lies.refuses = error
    told = await sso.come(next="/c/1")
    assert told.headers["location"] == f"/login?step=sso&error={why}&next=/c/1"


async def test_a_link_on_another_site_leads_to_a_question_first(sso: SsoApi) -> None:
    """Else a stranger's page could sign somebody in to the stranger's clinic."""
    told = await sso.api.browser().get(
        "/auth/sso/start?clinic=aurora&next=/c/1", headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert told.headers["location"] == "/login?step=sso&clinic=aurora&next=/c/1"
    assert sso.provider.asked == []


@pytest.mark.parametrize("onward", ["//evil.example", "https://evil.example", "/\\evil.example"])
async def test_the_way_back_leads_to_no_other_site(sso: SsoApi, onward: str) -> None:
    assert (await sso.come(next=onward)).headers["location"] == "/"


async def test_an_address_begins_few_sign_ins_a_minute(sso: SsoApi) -> None:
    with time_machine.travel(EARLY_IN_A_MINUTE, tick=True):
        for _ in range(PER_MINUTE):
            await sso.start(sso.api.browser(), "nowhere")
            await sso.api.browser().get("/auth/sso/callback")
        assert reason(await sso.start(sso.api.browser())) == "limited"
        assert reason(await sso.api.browser().get("/auth/sso/callback")) == "limited"
    assert sso.provider.asked == []


async def test_a_provider_that_cannot_be_reached_is_said_to(sso: SsoApi) -> None:
    with HttpsServer(lambda _: Answer()) as gone:
        issuer = gone.origin
    seal = provider_seal(sso.api.services.settings.signing_key())
    await save_provider(sso.scope(), seal, WantedProvider(issuer, "a", "b", True))

    assert reason(await sso.come()) == "sso_unavailable"


async def test_the_session_before_ends_and_its_tabs_are_told(sso: SsoApi) -> None:
    browser = sso.api.browser()
    first = await sso.session(await sso.come(client=browser))
    await sso.come(client=browser)
    assert sso.api.signed_out == [first.session_id]


async def test_a_required_second_step_is_the_providers(sso: SsoApi) -> None:
    await change_clinic_settings(sso.scope(), second_factor_required=True)
    assert not (await sso.session(await sso.come())).is_restricted
    by_password = await sso.api.sign_in()
    assert (await sso.session(by_password)).is_restricted


async def test_the_log_has_nothing_of_what_was_said(
    sso: SsoApi, capsys: pytest.CaptureFixture[str]
) -> None:
    sso.provider.lies.claims = {"aud": "Zqmark"}
    browser = sso.api.browser()
    started = await sso.start(browser)
    back = await sso.at_provider(started.headers["location"])
    answer = await browser.get(back)

    assert reason(answer) == "sso_failed"
    query = parse_qs(urlsplit(back).query)
    secrets = (query["code"][0], query["state"][0], CLIENT_SECRET, "Zqmark", ANA, "Their words")
    written = capsys.readouterr().out
    assert "sso.failed" in written
    assert [word for word in secrets if word in written] == []


async def test_a_program_is_answered_in_json(sso: SsoApi) -> None:
    told = await sso.api.browser().get(
        "/auth/sso/start?clinic=nowhere", headers={"Accept": "application/json"}
    )
    assert (told.status_code, told.json()["error"]["code"]) == (404, "sso_unknown")


async def test_the_device_is_no_known_one_for_the_password(sso: SsoApi) -> None:
    browser: httpx.AsyncClient = sso.api.browser()
    await sso.come(client=browser)
    assert list(browser.cookies) == [COOKIE_NAME]
