"""What a token is and allows, whom it acts as, what is left of its limit, and the staff."""

import time_machine

from clinic_chat.api.app import create_api
from clinic_chat.domain.accounts.api_tokens import GRANTABLE, revoke_token
from tests.integration.api.api_fixtures import EARLY_IN_A_MINUTE, ClinicApi, _client, clinic_api
from tests.integration.api.rest.program import Program, program_of, refusal

PHONE = "+5511987654321"


async def test_a_programs_own(api: ClinicApi) -> None:
    wanted = ["conversations.read", "patients.read"]
    me = await (await program_of(api, "aurora", wanted)).get("/me")

    assert me == {
        "name": "Agenda",
        "clinic": {
            "id": str(api.clinics["aurora"]),
            "slug": "aurora",
            "name": "Clínica Aurora",
        },
        "permissions": wanted,
        "person": None,
        "rateLimit": {"deliveriesPerMinute": 6000, "requestsPerMinute": 100_000},
    }


async def test_a_persons_token_allows_what_their_role_does_too(api: ClinicApi) -> None:
    ana = await program_of(api, "aurora", email="ana@aurora.example")
    me = await ana.get("/me")

    assert (me["person"]["name"], me["person"]["role"]) == ("Ana", "receptionist")
    assert set(me["permissions"]) < set(GRANTABLE)
    assert "messages.send" in me["permissions"]
    # A receptionist is no channel.
    message = {"patient": {"phone": PHONE}, "body": "Oi", "externalId": "1"}
    assert refusal(await ana.ask("POST", "/inbound", message))[:2] == (403, "forbidden")


async def test_the_staff_with_who_is_there(api: ClinicApi, program: Program) -> None:
    staff = (await program.get("/staff"))["staff"]
    assert [(one["name"], one["role"], one["online"]) for one in staff] == [
        ("Ana", "receptionist", False)
    ]
    there = {api.clinics["aurora"]: [staff[0]["id"]]}

    app = create_api(api.services, api.services.sessions.end, lambda its: there.get(its, []))
    async with _client(app) as client:
        for clinic, online in (("aurora", [True]), ("boreal", [False, False])):
            token = (await program_of(api, clinic)).token
            answer = await client.get("/api/v1/staff", headers={"Authorization": f"Bearer {token}"})
            assert [one["online"] for one in answer.json()["staff"]] == online


async def test_a_token_that_is_revoked_or_unknown_gets_nothing(
    api: ClinicApi, program: Program
) -> None:
    await revoke_token(api.services.database, program.token)
    for token in (program.token, "cc_x", ""):
        answer = await Program(api, token).ask("GET", "/me")
        assert refusal(answer)[:2] == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "ratelimit-limit" not in answer.headers


@time_machine.travel(EARLY_IN_A_MINUTE, tick=False)
async def test_every_answer_tells_what_is_left_of_the_limit(any_database_url: str) -> None:
    async with clinic_api(any_database_url, api_per_minute=3, inbound_per_minute=10) as api:
        program, other = Program(api, api.token), await program_of(api, "aurora")
        found = await program.ask("GET", "/me")
        missing = await program.ask("GET", "/patients/x")
        delivered = await program.ask(
            "POST", "/inbound", {"patient": {"phone": PHONE}, "body": "Oi", "externalId": "1"}
        )
        malformed = await program.ask("POST", "/patients", {"x": 1})
        refused = await program.ask("GET", "/me")
        others = await other.ask("GET", "/me")

    told = [
        (
            answer.status_code,
            answer.headers["ratelimit-limit"],
            answer.headers["ratelimit-remaining"],
            answer.headers["ratelimit-reset"],
        )
        for answer in (found, missing, delivered, malformed, refused, others)
    ]
    assert told == [
        (200, "3", "2", "55"),
        (404, "3", "1", "55"),
        # Channels have a limit of their own.
        (201, "10", "9", "55"),
        (422, "3", "0", "55"),
        (429, "3", "0", "55"),
        (200, "3", "2", "55"),
    ]
    assert refusal(refused)[:2] == (429, "rate_limited")
    assert refused.headers["retry-after"] == "55"
