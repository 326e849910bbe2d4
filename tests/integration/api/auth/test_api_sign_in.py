"""Signing in and out, moving between clinics, and who may ask for it."""

from collections.abc import AsyncIterator
from http.cookies import Morsel, SimpleCookie
from urllib.parse import urlencode
from uuid import UUID

import httpx
import pytest
from structlog.testing import capture_logs

from clinic_chat.api.app import create_api
from clinic_chat.domain.accounts.session_records import Identity
from tests.integration.api.api_fixtures import HOST, PASSWORD, ClinicApi, clinic_api

COOKIE = "clinic_chat_session"
SECURE_COOKIE = f"__Host-{COOKIE}"
JSON = {"Accept": "application/json"}


@pytest.fixture
async def api(any_database_url: str) -> AsyncIterator[ClinicApi]:
    async with clinic_api(any_database_url) as api:
        yield api


def outcome(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.headers["location"]


def set_cookie(response: httpx.Response, name: str) -> Morsel[str]:
    """A cookie as the answer sets it; a browser may be told to keep several."""
    cookies = [SimpleCookie(line) for line in response.headers.get_list("set-cookie")]
    return next(cookie[name] for cookie in cookies if name in cookie)


async def identity(api: ClinicApi, cookie: str | None) -> Identity | None:
    return await api.services.sessions.find(cookie)


async def test_the_right_password_opens_a_session_and_the_inbox(api: ClinicApi) -> None:
    response = await api.sign_in()

    assert outcome(response) == (303, "/")
    who = await identity(api, response.cookies[COOKIE])
    assert who is not None
    assert (who.email, who.clinic_slug) == ("ana@aurora.example", "aurora")


async def test_the_cookie_is_kept_from_scripts_and_other_sites(api: ClinicApi) -> None:
    morsel = set_cookie((await api.sign_in()), COOKIE)

    assert morsel["httponly"] is True
    assert morsel["samesite"].lower() == "lax"
    assert morsel["path"] == "/"
    assert morsel["max-age"] == str(14 * 86_400)
    assert not morsel["secure"]
    assert not morsel["domain"]


async def test_over_https_the_cookie_is_secure(api: ClinicApi) -> None:
    async with api.browser("https") as client:
        response = await client.post(
            "/auth/login", data={"email": "ana@aurora.example", "password": PASSWORD}
        )

    morsel = set_cookie(response, SECURE_COOKIE)
    assert morsel["secure"] is True
    assert morsel["path"] == "/"
    assert not morsel["domain"]


async def test_a_proxy_that_nobody_named_does_not_make_the_cookie_less_secure(
    api: ClinicApi,
) -> None:
    response = await api.sign_in(headers={"X-Forwarded-Proto": "https"})

    assert set_cookie(response, SECURE_COOKIE)["secure"] is True


async def test_over_https_a_cookie_without_the_prefix_is_nobodys(api: ClinicApi) -> None:
    cookie = (await api.sign_in()).cookies[COOKIE]
    async with api.browser("https") as client:
        planted = await client.post(
            "/auth/switch", data={"clinic": "boreal"}, headers={"Cookie": f"{COOKIE}={cookie}"}
        )
        own = await client.post(
            "/auth/switch",
            data={"clinic": "boreal"},
            headers={"Cookie": f'x={{"a":1}}; {SECURE_COOKIE}={cookie}'},
        )

    assert outcome(planted) == (303, "/login")
    assert outcome(own) == (303, "/")


async def test_the_setting_can_force_a_secure_cookie(any_database_url: str) -> None:
    async with clinic_api(any_database_url, secure_cookies=True) as api:
        response = await api.sign_in()

    assert set_cookie(response, SECURE_COOKIE)["secure"] is True


@pytest.mark.parametrize(
    "form",
    [
        {"password": "wrong password"},
        {"email": "nobody@aurora.example"},
        {"email": ""},
        {"password": ""},
        {"email": "x" * 300 + "@aurora.example"},
        {"email": "ana@aurora.example\x00"},
        {"password": PASSWORD * 30},
        {"password": "x" * 100_000},
    ],
)
async def test_every_wrong_or_malformed_sign_in_looks_the_same(
    api: ClinicApi, form: dict[str, str]
) -> None:
    response = await api.sign_in(form=form)

    assert outcome(response) == (303, "/login?error=invalid")
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b'{"email": "ana@aurora.example"}', "application/json"),
        (b"not multipart at all", "multipart/form-data; boundary=x"),
        (b"email=a&" * 40, "application/x-www-form-urlencoded"),
        (
            b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\nana@aurora.example\r\n'
            b'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\n\\ud800\r\n--x--\r\n',
            "multipart/form-data; boundary=x; charset=unicode_escape",
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="email"; filename="f"\r\n\r\nx\r\n--x--',
            "multipart/form-data; boundary=x",
        ),
    ],
)
async def test_a_hostile_form_looks_like_a_wrong_password(
    api: ClinicApi, content: bytes, content_type: str
) -> None:
    response = await api.client.post(
        "/auth/login", content=content, headers={"Content-Type": content_type}
    )

    assert outcome(response) == (303, "/login?error=invalid")


async def test_the_email_is_compared_without_case_and_spaces(api: ClinicApi) -> None:
    assert outcome(await api.sign_in(email=" Ana@Aurora.Example ")) == (303, "/")


async def test_signing_in_leads_on_to_a_page_of_this_site(api: ClinicApi) -> None:
    conversation = "/c/0197-ab?from=mail"
    by_form = await api.sign_in(form={"next": conversation})
    by_query = await api.sign_in(params={"next": conversation})
    by_page = await api.sign_in(headers=on_page(conversation))
    refused = await api.sign_in(form={"next": conversation, "password": "wrong"})

    assert outcome(by_form) == outcome(by_query) == outcome(by_page) == (303, conversation)
    assert outcome(refused) == (303, "/login?error=invalid&next=/c/0197-ab%3Ffrom%3Dmail")


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "/\t/evil.example/",
        "/c//evil.example",
        "javascript:alert(1)",
        "c/1",
        "",
        "/c/" + "a" * 5_00,
        "/c/1\r\nSet-Cookie: a=b",
    ],
)
async def test_signing_in_never_leads_to_another_site(api: ClinicApi, elsewhere: str) -> None:
    assert outcome(await api.sign_in(form={"next": elsewhere})) == (303, "/")
    assert outcome(await api.sign_in(headers=on_page(elsewhere))) == (303, "/")


@pytest.mark.parametrize("referer", ["http://[", "/c/1?next=/c/2", "", "http://x/login"])
async def test_an_address_that_asks_for_no_page_leads_home(api: ClinicApi, referer: str) -> None:
    assert outcome(await api.sign_in(headers={"Referer": referer})) == (303, "/")


def on_page(asked: str) -> dict[str, str]:
    """The header of a form that is sent from the sign-in page before its code runs."""
    return {"Referer": f"http://{HOST}/login?{urlencode({'next': asked})}"}


async def test_signing_in_replaces_the_session_the_browser_had(api: ClinicApi) -> None:
    first = (await api.sign_in()).cookies[COOKIE]
    before = await identity(api, first)
    second = (await api.sign_in(email="carla@boreal.example")).cookies[COOKIE]

    assert before is not None
    assert second != first
    assert await identity(api, first) is None
    assert api.signed_out == [before.session_id]


async def test_a_cookie_chosen_by_someone_else_is_not_adopted(api: ClinicApi) -> None:
    api.client.cookies.set(COOKIE, "chosen-by-an-attacker", domain=HOST)
    response = await api.sign_in()

    assert response.cookies[COOKIE] != "chosen-by-an-attacker"
    assert await identity(api, "chosen-by-an-attacker") is None


async def test_a_program_that_asks_for_json_gets_json(api: ClinicApi) -> None:
    page = await api.sign_in(headers={"Accept": "text/html,application/json;q=0.9,*/*;q=0.8"})
    right = await api.sign_in(headers=JSON)
    wrong = await api.sign_in(headers=JSON, form={"password": "wrong"})

    assert (right.status_code, right.json()) == (200, {"ok": True, "location": "/"})
    assert await identity(api, right.cookies[COOKIE])
    assert wrong.status_code == 401
    assert wrong.json()["error"]["code"] == "invalid_credentials"
    assert page.status_code == 303


async def test_signing_out_ends_the_session_and_forgets_the_cookie(api: ClinicApi) -> None:
    cookie = (await api.sign_in()).cookies[COOKIE]
    who = await identity(api, cookie)
    response = await api.client.post("/auth/logout")

    assert who is not None
    assert outcome(response) == (303, "/login")
    assert set_cookie(response, COOKIE)["max-age"] == "0"
    assert COOKIE not in api.client.cookies
    assert await identity(api, cookie) is None
    assert api.signed_out == [who.session_id]


async def test_signing_out_twice_is_fine(api: ClinicApi) -> None:
    assert outcome(await api.client.post("/auth/logout")) == (303, "/login")
    assert api.signed_out == []


async def test_switching_clinics_starts_a_new_session_in_the_other(api: ClinicApi) -> None:
    first = (await api.sign_in()).cookies[COOKIE]
    before = await identity(api, first)
    response = await api.client.post("/auth/switch", data={"clinic": "boreal"})

    after = await identity(api, response.cookies[COOKIE])
    assert before is not None
    assert after is not None
    assert outcome(response) == (303, "/")
    assert (before.clinic_slug, after.clinic_slug) == ("aurora", "boreal")
    assert after.user_id == before.user_id
    assert await identity(api, first) is None
    assert api.signed_out == [before.session_id]


@pytest.mark.parametrize("clinic", ["aurora", "nowhere", ""])
async def test_switching_to_a_clinic_one_is_not_in_changes_nothing(
    api: ClinicApi, clinic: str
) -> None:
    cookie = (await api.sign_in(email="carla@boreal.example")).cookies[COOKIE]
    response = await api.client.post("/auth/switch", data={"clinic": clinic})

    who = await identity(api, cookie)
    assert outcome(response) == (303, "/")
    assert "set-cookie" not in response.headers
    assert who is not None
    assert who.clinic_slug == "boreal"
    assert api.signed_out == []


async def test_switching_without_a_session_leads_to_the_sign_in_page(api: ClinicApi) -> None:
    response = await api.client.post("/auth/switch", data={"clinic": "aurora"})

    assert outcome(response) == (303, "/login")


@pytest.mark.parametrize("path", ["/auth/login", "/auth/logout", "/auth/switch"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"https://{HOST}"},
        {"Origin": f"http://{HOST}:8080"},
        {"Origin": f"http://{HOST}.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    ],
)
async def test_a_post_from_another_site_is_refused(
    api: ClinicApi, path: str, headers: dict[str, str]
) -> None:
    cookie = (await api.sign_in()).cookies[COOKIE]
    form = {"email": "carla@boreal.example", "password": PASSWORD, "clinic": "boreal"}
    response = await api.client.post(path, data=form, headers=headers)

    assert response.status_code == 403
    assert response.json()["error"]["code"] == "bad_origin"
    assert "set-cookie" not in response.headers
    assert await identity(api, cookie)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": f"http://{HOST}"},
        {"Origin": "https://staff.example", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {},
    ],
)
async def test_a_post_from_our_pages_or_a_program_is_taken(
    any_database_url: str, headers: dict[str, str]
) -> None:
    async with clinic_api(any_database_url, allowed_origins=["https://staff.example"]) as api:
        response = await api.sign_in(headers=headers)

    assert outcome(response) == (303, "/")


async def test_a_failing_listener_does_not_keep_anyone_signed_in(api: ClinicApi) -> None:
    async def broken(_session_id: UUID) -> None:
        raise RuntimeError("no sockets today")

    cookie = (await api.sign_in()).cookies[COOKIE]
    transport = httpx.ASGITransport(create_api(api.services, broken))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
        response = await client.post("/auth/logout", headers={"Cookie": f"{COOKIE}={cookie}"})

    assert outcome(response) == (303, "/login")
    assert await identity(api, cookie) is None


async def test_a_proxy_that_says_no_port_or_scheme_is_reported_once(api: ClinicApi) -> None:
    with capture_logs() as said:
        await api.sign_in(headers={"Origin": "https://evil.example"})
        strangers = [line["event"] for line in said]
        for origin in (f"https://{HOST}:8443", f"https://{HOST}"):
            assert (await api.sign_in(headers={"Origin": origin})).status_code == 403

    assert "proxy.other_origin" not in strangers
    assert [line["event"] for line in said].count("proxy.other_origin") == 1
