"""POST /api/v1/inbound: what a channel delivers, once, in the token's clinic."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import time_machine

from clinic_chat.api.authorization import GUESSES_PER_MINUTE
from clinic_chat.api.v1.inbound import MAX_BODY_BYTES
from clinic_chat.cache import single_flight as recent
from clinic_chat.domain.accounts.api_tokens import SHARED_SECONDS, create_token, revoke_token
from clinic_chat.domain.clinics.actors import SYSTEM
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.queries.inbox import list_conversations
from clinic_chat.domain.queries.message_pages import messages_page
from tests.integration.api.api_fixtures import EARLY_IN_A_MINUTE, ClinicApi, clinic_api

INBOUND = "/api/v1/inbound"


@pytest.fixture
async def api(any_database_url: str) -> AsyncIterator[ClinicApi]:
    async with clinic_api(any_database_url) as api:
        yield api


def message(**changes: Any) -> dict[str, Any]:
    return {
        "patient": {"name": "Maria Souza", "phone": "+5511987654321"},
        "body": "Bom dia, ainda há vaga?",
        "externalId": "wa-1",
    } | changes


def error_of(response: httpx.Response) -> dict[str, str]:
    body = response.json()
    assert set(body) == {"error"}
    error: dict[str, str] = body["error"]
    return error


async def test_a_new_message_is_stored_and_returned_in_camel_case(api: ClinicApi) -> None:
    response = await api.client.post(INBOUND, json=message(), headers=api.bearer)

    assert response.status_code == 201
    body = response.json()
    stored = body["message"]
    assert set(body) == {"conversationId", "message"}
    assert stored["conversationId"] == body["conversationId"]
    assert stored["at"].endswith("Z")
    assert {key: stored[key] for key in ("seq", "direction", "authorName", "body", "status")} == {
        "seq": 1,
        "direction": "inbound",
        "authorName": "Maria Souza",
        "body": "Bom dia, ainda há vaga?",
        "status": "sent",
    }
    page = await messages_page(api.scope, body["conversationId"])
    assert [view.id for view in page.messages] == [stored["id"]]


async def test_the_same_external_id_again_is_the_same_message(api: ClinicApi) -> None:
    first = await api.client.post(INBOUND, json=message(), headers=api.bearer)
    again = await api.client.post(INBOUND, json=message(body="Outro"), headers=api.bearer)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


async def test_simultaneous_deliveries_store_one_message(api: ClinicApi) -> None:
    responses = await asyncio.gather(
        *(api.client.post(INBOUND, json=message(), headers=api.bearer) for _ in range(8))
    )

    assert sorted(response.status_code for response in responses) == [200] * 7 + [201]
    assert len({response.text for response in responses}) == 1


async def test_a_patient_is_found_by_phone_and_another_name_is_the_messages(
    api: ClinicApi,
) -> None:
    renamed = {"name": "mari 🌸", "phone": "+5511987654321"}
    first = await api.client.post(INBOUND, json=message(), headers=api.bearer)
    second = await api.client.post(
        INBOUND, json=message(patient=renamed, externalId="wa-2"), headers=api.bearer
    )

    assert second.json()["conversationId"] == first.json()["conversationId"]
    assert second.json()["message"]["authorName"] == "mari 🌸"
    assert second.json()["message"]["seq"] == 2
    (row,) = (await list_conversations(api.scope)).rows
    assert (row.patient_name, row.patient_other_names) == ("Maria Souza", ["mari 🌸"])


async def test_a_patient_with_an_id_needs_no_phone(api: ClinicApi) -> None:
    known = {"name": "Maria Souza", "phone": "+5511987654321", "externalId": "p-7"}
    first = await api.client.post(INBOUND, json=message(patient=known), headers=api.bearer)
    by_id = await api.client.post(
        INBOUND, json=message(patient={"externalId": "p-7"}, externalId="2"), headers=api.bearer
    )
    sibling = {"name": "João Souza", "phone": "+5511987654321", "externalId": "p-8"}
    other = await api.client.post(
        INBOUND, json=message(patient=sibling, externalId="3"), headers=api.bearer
    )

    assert [one.status_code for one in (first, by_id, other)] == [201] * 3
    assert by_id.json()["conversationId"] == first.json()["conversationId"]
    assert other.json()["conversationId"] != first.json()["conversationId"]


@pytest.mark.parametrize(
    ("patient", "code", "field"),
    [
        ({}, "missing_field", "patient.phone"),
        ({"externalId": " "}, "phone_missing", "patient.phone"),
        ({"externalId": None, "phone": None}, "missing_field", "patient.phone"),
        ({"externalId": 7}, "invalid_type", "patient.externalId"),
    ],
)
async def test_a_patient_by_nothing_is_refused_with_what_lacks(
    api: ClinicApi, patient: dict[str, Any], code: str, field: str | None
) -> None:
    refused = await api.client.post(INBOUND, json=message(patient=patient), headers=api.bearer)

    assert refused.status_code == 422
    error = refused.json()["error"]
    assert (error["code"], error.get("field")) == (code, field)


async def test_the_clinic_is_the_tokens_and_another_clinic_sees_nothing(api: ClinicApi) -> None:
    boreal = await create_token(api.services.database, api.clinics["boreal"])
    await api.client.post(INBOUND, json=message(), headers=api.bearer)
    other = await api.client.post(
        INBOUND, json=message(body="Só em Boreal"), headers={"Authorization": f"bearer {boreal}"}
    )

    assert other.status_code == 201
    for slug, preview in (("aurora", "Bom dia, ainda há vaga?"), ("boreal", "Só em Boreal")):
        page = await list_conversations(
            ClinicScope(api.services.database, api.clinics[slug], SYSTEM)
        )
        assert [row.preview for row in page.rows] == [preview]


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer cc_unknown", "Basic YTpi", "cc_x", "Bearer \u00e9".encode()],
)
async def test_without_a_valid_token_nothing_is_read_or_told(
    api: ClinicApi, authorization: str | bytes | None
) -> None:
    headers = {} if authorization is None else {b"authorization": authorization}
    response = await api.client.post(INBOUND, content=b"not even JSON", headers=headers)  # type: ignore[arg-type]

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert error_of(response)["code"] == "unauthorized"


async def test_a_revoked_token_is_refused_at_once(
    api: ClinicApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 1_000.0
    monkeypatch.setattr(recent, "monotonic", lambda: clock)
    assert (await api.client.post(INBOUND, json=message(), headers=api.bearer)).status_code == 201
    await revoke_token(api.services.database, api.token)

    clock += SHARED_SECONDS
    response = await api.client.post(INBOUND, json=message(), headers=api.bearer)

    assert SHARED_SECONDS <= 0.1
    assert response.status_code == 401


async def test_tokens_are_guessed_slowly_and_a_right_one_still_works(api: ClinicApi) -> None:
    with time_machine.travel(EARLY_IN_A_MINUTE):
        guesses = [
            await api.client.post(INBOUND, headers={"Authorization": f"Bearer cc_{n}"})
            for n in range(GUESSES_PER_MINUTE + 1)
        ]
        right = await api.client.post(INBOUND, json=message(), headers=api.bearer)

    assert [guess.status_code for guess in guesses] == [401] * GUESSES_PER_MINUTE + [429]
    assert 1 <= int(guesses[-1].headers["retry-after"]) <= 60
    assert error_of(guesses[-1])["code"] == "rate_limited"
    assert right.status_code == 201


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"externalId": ""}, "externalId_missing", "externalId"),
        ({"externalId": " "}, "externalId_missing", "externalId"),
        ({"externalId": 7}, "invalid_type", "externalId"),
        ({"externalId": None}, "invalid_type", "externalId"),
        ({"body": None}, "body_missing", "body"),
        ({"body": 7}, "invalid_type", "body"),
        ({"body": None, "kind": ["image"]}, "invalid_type", "kind"),
        ({"caption": {}}, "invalid_type", "caption"),
        ({"at": 1_795_000_000}, "invalid_type", "at"),
        ({"patient": None}, "invalid_type", "patient"),
        ({"patient": []}, "invalid_type", "patient"),
        ({"patient": {"name": "Maria"}}, "missing_field", "patient.phone"),
        ({"patient": {"name": "Maria", "phone": " "}}, "phone_missing", "patient.phone"),
        ({"patient": {"name": "Maria", "phone": 5511}}, "invalid_type", "patient.phone"),
        ({"patient": {"name": 7, "phone": "+5511987654321"}}, "invalid_type", "patient.name"),
    ],
)
async def test_a_broken_rule_is_named_with_its_field(
    api: ClinicApi, change: dict[str, Any], code: str, field: str
) -> None:
    response = await api.client.post(INBOUND, json=message(**change), headers=api.bearer)

    assert response.status_code == 422
    assert error_of(response) == error_of(response) | {"code": code, "field": field}


async def test_an_error_never_repeats_the_value(api: ClinicApi) -> None:
    secret = "diagnóstico confidencial"
    for change in (
        {"body": {"text": secret}},
        {"patient": {"name": [secret], "phone": "+5511987654321"}},
        {"patient": {"name": secret, "phone": ""}},
        {"patient": secret},
        {"externalId": [secret]},
    ):
        response = await api.client.post(INBOUND, json=message(**change), headers=api.bearer)
        assert response.status_code == 422
        assert "confidencial" not in response.text


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"",
        b'{"patient": {"name": "\xff"}}',
        b"[" * 60_000,
        b"1" * 60_000,
        b'{"body": "\\ud800"}',
        b'{"\\ud800": 1}',
        b"NaN",
        b"null",
        b'"text"',
    ],
)
async def test_hostile_bodies_are_refused(api: ClinicApi, content: bytes) -> None:
    response = await api.client.post(
        INBOUND, content=content, headers=api.bearer | {"Content-Type": "application/json"}
    )

    assert response.status_code in {400, 422}
    assert error_of(response)["code"]


async def test_malformed_json_is_400(api: ClinicApi) -> None:
    response = await api.client.post(
        INBOUND, content=b'{"body": ', headers=api.bearer | {"Content-Type": "application/json"}
    )

    assert response.status_code == 400
    assert error_of(response)["code"] == "malformed_json"


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
async def test_a_body_that_is_not_declared_as_json_is_415(
    api: ClinicApi, content_type: str | None
) -> None:
    headers = api.bearer | ({"Content-Type": content_type} if content_type else {})
    response = await api.client.post(
        INBOUND, content=json.dumps(message()).encode(), headers=headers
    )

    assert response.status_code == 415
    assert error_of(response)["code"] == "unsupported_media_type"


async def test_a_request_over_a_megabyte_is_413(api: ClinicApi) -> None:
    response = await api.client.post(
        INBOUND, json=message(body="x" * MAX_BODY_BYTES), headers=api.bearer
    )

    assert response.status_code == 413
    assert error_of(response)["code"] == "body_too_large"


@pytest.mark.parametrize("claimed", [None, "10"])
async def test_a_body_is_cut_off_while_it_streams(api: ClinicApi, claimed: str | None) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'{"body": "'
        while True:
            sent += 1
            yield b"x" * 65_536

    headers = api.bearer | {"Content-Type": "application/json"}
    if claimed:
        headers["Content-Length"] = claimed
    response = await api.client.post(INBOUND, content=endless(), headers=headers)

    assert response.status_code == 413
    assert error_of(response)["code"] == "body_too_large"
    assert sent <= MAX_BODY_BYTES / 65_536 + 1


@time_machine.travel(EARLY_IN_A_MINUTE)
async def test_over_the_limit_a_token_must_wait_and_others_need_not(any_database_url: str) -> None:
    async with clinic_api(any_database_url, inbound_per_minute=3) as api:
        boreal = await create_token(api.services.database, api.clinics["boreal"])
        responses = [
            await api.client.post(INBOUND, json=message(externalId=f"{n}"), headers=api.bearer)
            for n in range(4)
        ]
        other = await api.client.post(
            INBOUND, json=message(), headers={"Authorization": f"Bearer {boreal}"}
        )

    assert [response.status_code for response in responses] == [201, 201, 201, 429]
    assert error_of(responses[3])["code"] == "rate_limited"
    assert 1 <= int(responses[3].headers["retry-after"]) <= 60
    assert other.status_code == 201
