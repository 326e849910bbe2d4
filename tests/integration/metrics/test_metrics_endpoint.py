"""`GET /metrics` is for whoever has the token or, without one, for programs on this machine."""

import httpx
import pytest
from pydantic import ValidationError

from clinic_chat.api.authorization import GUESSES_PER_MINUTE
from clinic_chat.settings import Settings
from tests.integration.api.api_fixtures import ClinicApi, clinic_api
from tests.support.metrics import Scrape
from tests.support.servers.server import Server

TOKEN = "only-for-tests-and-nothing-else-at-all"
HERE = "http://127.0.0.1:3000"


async def scrape(
    api: ClinicApi,
    *,
    client: str = "127.0.0.1",
    base: str = HERE,
    method: str = "GET",
    **headers: str,
) -> httpx.Response:
    """The answer to a program at this address."""
    transport = httpx.ASGITransport(api.app, client=(client, 1))
    named = [(k.replace("_", "-").encode(), v.encode("latin-1")) for k, v in headers.items()]
    async with httpx.AsyncClient(transport=transport, base_url=base, headers=named) as web:
        return await web.request(method, "/metrics")


def code(answer: httpx.Response) -> tuple[int, str]:
    """The status and the code of an error, which has the shape of the API's."""
    assert set(answer.json()) == {"error"}
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize(
    ("client", "base"),
    [
        ("127.0.0.1", HERE),
        ("127.0.0.9", "http://localhost"),
        ("::1", "http://[::1]:3000"),
        ("::ffff:127.0.0.1", "http://LocalHost:3000"),
    ],
)
async def test_without_a_token_programs_on_this_machine_get_them(
    any_database_url: str, client: str, base: str
) -> None:
    async with clinic_api(any_database_url) as api:
        answer = await scrape(api, client=client, base=base)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert Scrape(answer.text).value("clinic_chat_build_info") == 1


@pytest.mark.parametrize(
    ("client", "base", "headers"),
    [
        ("192.0.2.1", HERE, {}),
        ("10.0.0.1", HERE, {"X_Forwarded_For": "127.0.0.1"}),
        # A proxy on this machine: what it says, and what it leaves as its clients wrote it.
        ("127.0.0.1", HERE, {"X_Forwarded_For": "192.0.2.1"}),
        ("127.0.0.1", HERE, {"X_Forwarded_For": "127.0.0.1"}),
        ("127.0.0.1", HERE, {"X_Forwarded_For": ""}),
        ("127.0.0.1", HERE, {"Forwarded": "for=127.0.0.1"}),
        ("127.0.0.1", HERE, {"X_Real_IP": "127.0.0.1"}),
        ("127.0.0.1", HERE, {"X_Forwarded_Proto": "https"}),
        ("127.0.0.1", HERE, {"Via": "1.1 proxy"}),
        # A proxy that adds nothing, and a name that somebody has pointed here.
        ("127.0.0.1", "https://inbox.example", {}),
        ("127.0.0.1", "http://127.0.0.1.evil.example", {}),
        ("127.0.0.1", HERE, {"Host": ""}),
        ("unix", HERE, {}),
    ],
)
async def test_without_a_token_there_is_nothing_for_anybody_else(
    any_database_url: str, client: str, base: str, headers: dict[str, str]
) -> None:
    async with clinic_api(any_database_url) as api:
        assert code(await scrape(api, client=client, base=base, **headers)) == (404, "not_found")


async def test_with_a_token_who_has_it_gets_them_from_anywhere(any_database_url: str) -> None:
    async with clinic_api(any_database_url, metrics_token=TOKEN) as api:
        answer = await scrape(
            api,
            client="192.0.2.1",
            base="https://inbox.example",
            X_Forwarded_For="198.51.100.7",
            Authorization=f"Bearer {TOKEN}",
        )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", "Bearer é", TOKEN],
)
async def test_with_a_token_nobody_without_it_gets_them_from_here_either(
    any_database_url: str, authorization: str
) -> None:
    async with clinic_api(any_database_url, metrics_token=TOKEN) as api:
        answer = await scrape(api, Authorization=authorization)

        assert code(answer) == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
        # A clinic's token is for its clinic's API.
        assert code(await scrape(api, **api.bearer)) == (401, "unauthorized")


async def test_guesses_are_limited_and_the_right_token_is_not(any_database_url: str) -> None:
    async with clinic_api(any_database_url, metrics_token=TOKEN) as api:
        # The clock's minute may end in between, which lets some more through.
        guesses = [
            await scrape(api, Authorization="Bearer x") for _ in range(3 * GUESSES_PER_MINUTE)
        ]
        right = await scrape(api, Authorization=f"Bearer {TOKEN}")

    assert code(guesses[-1]) == (429, "rate_limited")
    assert right.status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_it_can_only_be_read(any_database_url: str, method: str) -> None:
    async with clinic_api(any_database_url) as api:
        answer = await scrape(api, method=method)

    assert code(answer) == (405, "method_not_allowed")


def test_a_token_that_somebody_could_guess_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least 32 characters"):
        Settings(metrics_token="x" * 31)
    assert Settings(metrics_token="x" * 32).metrics_token


async def test_the_production_server_answers_this_machine_and_nobody_keeps_it(
    server: Server,
) -> None:
    async with httpx.AsyncClient(base_url=server.origin, timeout=30) as web:
        answer = await web.get("/metrics")
        forwarded = await web.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"})
        named = await web.get("/metrics", headers={"Host": "inbox.example"})

    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"] != forwarded.headers["x-request-id"]
    assert (code(forwarded), code(named)) == ((404, "not_found"), (404, "not_found"))
    assert forwarded.headers["cache-control"] == "no-store"
    scraped = Scrape(answer.text)
    assert scraped.value("clinic_chat_http_requests_total", route="/readyz", status="2xx") >= 1
    assert scraped.value("clinic_chat_database_size_bytes") > 100_000
    assert scraped.value("clinic_chat_log_reader_behind_events", reader="daily_messages") >= 0
    assert scraped.has("clinic_chat_event_loop_lag_seconds_count")
    assert scraped.value("clinic_chat_failed_readings_total") == 0
