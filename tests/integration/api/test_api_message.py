"""What programs get to know of a message: the fields that somebody named, and no other."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from pydantic import ValidationError

from clinic_chat.api.v1.delivery_status import Reported
from clinic_chat.domain.messages import delivery, receiving
from clinic_chat.domain.messages.message import Message
from clinic_chat.domain.messages.views import StaffMessage, staff_message
from tests.integration.api.api_fixtures import ClinicApi, clinic_api, staff_answer

SECRET = "for the staff alone"
PUBLIC = {
    "id",
    "conversationId",
    "seq",
    "direction",
    "authorId",
    "authorName",
    "kind",
    "body",
    "bodyLength",
    "clientId",
    "status",
    "at",
    "receivedAt",
    "deliveredAt",
    "readAt",
    "failedAt",
    "failure",
}


@dataclass(frozen=True)
class MessageWithNote(StaffMessage):
    """Staff's message with one more field."""

    note: str = SECRET


def with_note(message: Message, *, whole: bool = False) -> StaffMessage:
    return MessageWithNote(**vars(staff_message(message, whole=whole)))


@pytest.fixture
async def api(any_database_url: str) -> AsyncIterator[ClinicApi]:
    async with clinic_api(any_database_url) as api:
        yield api


async def test_the_fields_of_a_message_are_these(api: ClinicApi) -> None:
    schema = api.app.openapi()["components"]["schemas"]["ApiMessage"]

    assert set(schema["properties"]) == PUBLIC


async def test_a_field_for_staff_is_in_no_answer(
    api: ClinicApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbound = await staff_answer(api)
    for module in (receiving, delivery):
        monkeypatch.setattr(module, "staff_message", with_note)
    inbound = {"patient": {"phone": "+5511987654321"}, "body": "Oi", "externalId": "2"}
    requests = (("inbound", inbound), (f"messages/{outbound.id}/status", {"status": "read"}))

    for path, body in requests:
        response = await api.client.post(f"/api/v1/{path}", json=body, headers=api.bearer)

        assert response.is_success, path
        assert set(response.json()["message"]) == PUBLIC, path
        assert SECRET not in response.text, path


async def test_no_answer_is_made_of_staffs_message_itself(api: ClinicApi) -> None:
    message = await staff_answer(api)

    with pytest.raises(ValidationError):
        Reported.model_validate({"message": message})
