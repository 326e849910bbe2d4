"""POST /api/v1/messages/{id}/status: what a channel reports, in the token's clinic."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from clinic_chat.domain.accounts.api_tokens import create_token
from clinic_chat.domain.clinics.actors import SYSTEM
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.messages.views import StaffMessage
from clinic_chat.domain.queries.message_pages import messages_page
from tests.integration.api.api_fixtures import ClinicApi, clinic_api, staff_answer

UNKNOWN = "0190b5a0-7b3c-7def-8123-456789abcdef"


@pytest.fixture
async def api(any_database_url: str) -> AsyncIterator[ClinicApi]:
    async with clinic_api(any_database_url) as api:
        yield api


@pytest.fixture
async def answer(api: ClinicApi) -> StaffMessage:
    return await staff_answer(api)


async def report(
    api: ClinicApi, message_id: str, body: Any, headers: dict[str, str] | None = None
) -> httpx.Response:
    return await api.client.post(
        f"/api/v1/messages/{message_id}/status",
        json=body,
        headers=api.bearer if headers is None else headers,
    )


async def stored(api: ClinicApi, message: StaffMessage) -> StaffMessage:
    scope = ClinicScope(api.services.database, api.clinics["aurora"], SYSTEM)
    page = await messages_page(scope, message.conversation_id)
    return next(found for found in page.messages if found.id == message.id)


def error_of(response: httpx.Response) -> dict[str, str]:
    body = response.json()
    assert set(body) == {"error"}
    error: dict[str, str] = body["error"]
    return error


async def test_a_receipt_is_stored_and_answered_with_the_message(
    api: ClinicApi, answer: StaffMessage
) -> None:
    response = await report(api, answer.id, {"status": "delivered"})

    assert response.status_code == 200
    assert set(response.json()) == {"message"}
    message = response.json()["message"]
    assert (message["id"], message["status"]) == (answer.id, "delivered")
    assert (message["deliveredAt"], message["readAt"]) == (
        (await stored(api, answer)).delivered_at,
        "",
    )


async def test_a_receipt_that_is_repeated_or_late_is_no_error(
    api: ClinicApi, answer: StaffMessage
) -> None:
    first = await report(api, answer.id, {"status": "read"})
    for status in ("read", "delivered", "sent"):
        again = await report(api, answer.id, {"status": status})
        assert again.status_code == 200
        assert again.json() == first.json()


async def test_a_failure_keeps_its_reason(api: ClinicApi, answer: StaffMessage) -> None:
    response = await report(api, answer.id, {"status": "failed", "reason": "número bloqueado"})
    assert response.status_code == 200
    assert response.json()["message"]["failure"] == "número bloqueado"
    assert response.json()["message"]["failedAt"] != ""


@pytest.mark.parametrize(("first", "then"), [("delivered", "failed"), ("failed", "read")])
async def test_a_status_that_is_final_is_a_conflict(
    api: ClinicApi, answer: StaffMessage, first: str, then: str
) -> None:
    await report(api, answer.id, {"status": first})
    before = await stored(api, answer)
    response = await report(api, answer.id, {"status": then})
    assert response.status_code == 409
    assert error_of(response)["code"] == "status_final"
    assert await stored(api, answer) == before


@pytest.mark.parametrize("message_id", [UNKNOWN, "not-an-id", "1" * 300, "%00", "é"])
async def test_what_is_no_message_is_404(api: ClinicApi, message_id: str) -> None:
    response = await report(api, message_id, {"status": "read"})
    assert response.status_code == 404
    assert error_of(response)["code"] == "not_found"


async def test_another_clinics_message_looks_like_none(
    api: ClinicApi, answer: StaffMessage
) -> None:
    boreal = await create_token(api.services.database, api.clinics["boreal"])
    headers = {"Authorization": f"Bearer {boreal}"}
    theirs = await report(api, answer.id, {"status": "read"}, headers)
    none = await report(api, UNKNOWN, {"status": "read"}, headers)
    assert (theirs.status_code, theirs.json()) == (404, none.json())
    assert await stored(api, answer) == answer


async def test_a_patients_message_has_no_receipt(api: ClinicApi, answer: StaffMessage) -> None:
    scope = ClinicScope(api.services.database, api.clinics["aurora"], SYSTEM)
    asked = (await messages_page(scope, answer.conversation_id)).messages[0]
    response = await report(api, asked.id, {"status": "read"})
    assert response.status_code == 422
    assert error_of(response)["code"] == "not_outbound"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "seen"}, "status"),
        ({"status": None}, "status"),
        ({"status": ["read"]}, "status"),
        ({}, "status"),
        ({"status": "read", "extra": 1}, "extra"),
        ({"status": "failed", "reason": 5}, "reason"),
        ([], None),
    ],
)
async def test_a_report_that_breaks_a_rule_is_422_with_the_field(
    api: ClinicApi, answer: StaffMessage, body: Any, field: str | None
) -> None:
    response = await report(api, answer.id, body)
    assert response.status_code == 422
    assert error_of(response).get("field") == field
    assert await stored(api, answer) == answer


@pytest.mark.parametrize(
    ("reason", "told"),
    [("x" * 201, "x" * 200), ("two\nlines", "two lines"), ("\u0007", ""), ("\u202ea", "a")],
)
async def test_a_reason_is_cleaned_and_cut_and_never_refused(
    api: ClinicApi, answer: StaffMessage, reason: str, told: str
) -> None:
    response = await report(api, answer.id, {"status": "failed", "reason": reason})
    assert response.status_code == 200
    assert (await stored(api, answer)).failure == told


async def test_a_report_has_the_channels_own_time(api: ClinicApi, answer: StaffMessage) -> None:
    sent = datetime.fromisoformat(answer.at)
    for status, at, shown in (
        ("delivered", sent + timedelta(seconds=90), sent + timedelta(seconds=90)),
        ("read", sent - timedelta(seconds=5), sent),
    ):
        response = await report(api, answer.id, {"status": status, "at": at.isoformat()})
        assert response.status_code == 200
        told = response.json()["message"][f"{status}At"]
        assert datetime.fromisoformat(told) == shown


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer cc_unknown"}])
async def test_without_a_live_token_nothing_is_told_or_changed(
    api: ClinicApi, answer: StaffMessage, headers: dict[str, str]
) -> None:
    for message_id in (answer.id, UNKNOWN):
        response = await report(api, message_id, {"status": "read"}, headers)
        assert response.status_code == 401
        assert error_of(response)["code"] == "unauthorized"
    assert await stored(api, answer) == answer
