"""Receipts of outbound messages: forward only, once, and the list's preview follows."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import permutations
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.views import get_conversation
from clinic_chat.domain.errors import Conflict, InvalidInput, NotFound
from clinic_chat.domain.events.log import EventType, events_after, last_seq
from clinic_chat.domain.messages.delivery import report_status
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.messages.views import StaffMessage
from clinic_chat.domain.queries.message_pages import messages_page
from tests.support.sending import send_message

if TYPE_CHECKING:
    from tests.conftest import Clinics

pytestmark = pytest.mark.usefixtures("any_database")

ORDER = ["sent", "delivered", "read"]
NO_REPORT: list[tuple[Any, Any, str]] = [
    ("seen", "", "status_invalid"),
    ("READ", "", "status_invalid"),
    ("", "", "status_invalid"),
    (None, "", "status_invalid"),
    (2, "", "status_invalid"),
    (["read"], "", "status_invalid"),
    ("failed", None, "reason_not_text"),
]
NO_MESSAGE = [str(uuid4()), uuid4(), "", "not an id", "\x00", "1" * 500, None, 7, True, ["a"], {}]


async def _receive(scope: ClinicScope, key: str = "first") -> StaffMessage:
    stored = await receive_message(
        scope, name="Paula", phone="+5511987654321", body="olá", external_id=key
    )
    return stored.message


async def _send(clinics: Clinics, key: str = "a") -> StaffMessage:
    """An answer of Ana's, the newest message of its conversation."""
    conversation = (await _receive(clinics.aurora)).conversation_id
    return (await send_message(clinics.ana, conversation, "bom dia", key)).message


async def _now(scope: ClinicScope, message: StaffMessage) -> StaffMessage:
    page = await messages_page(scope, message.conversation_id)
    return next(found for found in page.messages if found.id == message.id)


async def _preview(clinics: Clinics, message: StaffMessage) -> str:
    return (await get_conversation(clinics.bruno, message.conversation_id)).preview_status


async def test_a_message_goes_from_sent_to_delivered_to_read(clinics: Clinics) -> None:
    message = await _send(clinics)
    assert (message.status, message.delivered_at, message.read_at) == ("sent", "", "")

    delivered = await report_status(clinics.aurora, message.id, "delivered")
    read = await report_status(clinics.aurora, message.id, "read")

    assert (delivered.created, delivered.message.status) == (True, "delivered")
    assert (read.created, read.message.status) == (True, "read")
    assert read.message.delivered_at == delivered.message.delivered_at
    assert message.at <= read.message.delivered_at <= read.message.read_at
    assert await _now(clinics.bruno, message) == read.message


async def test_read_implies_delivered(clinics: Clinics) -> None:
    message = await _send(clinics)
    read = (await report_status(clinics.aurora, message.id, "read")).message
    assert read.delivered_at == read.read_at != ""


@pytest.mark.parametrize("reports", [list(order) for order in permutations(ORDER)])
async def test_reports_in_any_order_end_at_read_and_never_go_back(
    clinics: Clinics, reports: list[str]
) -> None:
    message = await _send(clinics)
    reached = 0
    for status in [*reports, *reports]:
        stored = await report_status(clinics.aurora, message.id, status)
        assert stored.created == (ORDER.index(status) > reached)
        reached = max(reached, ORDER.index(status))
        assert stored.message.status == ORDER[reached]
        assert await _preview(clinics, message) == ORDER[reached]
    assert (await _now(clinics.ana, message)).status == "read"


async def test_what_changes_nothing_is_not_told(clinics: Clinics) -> None:
    message = await _send(clinics)
    await report_status(clinics.aurora, message.id, "read")
    before = await last_seq(clinics.aurora)
    for status in ORDER:
        assert not (await report_status(clinics.aurora, message.id, status)).created
    assert await last_seq(clinics.aurora) == before


async def test_each_step_is_told_with_its_message(clinics: Clinics) -> None:
    message = await _send(clinics)
    before = await last_seq(clinics.aurora)
    await report_status(clinics.aurora, message.id, "delivered")
    (event,) = await events_after(clinics.aurora, before)
    assert (event.type, event.payload["messageId"]) == (EventType.MESSAGE_UPDATED, message.id)
    assert event.subject.version == 3


async def test_many_reports_at_once_are_each_told_once(clinics: Clinics) -> None:
    message = await _send(clinics)
    before = await last_seq(clinics.aurora)
    results = await asyncio.gather(
        *(report_status(clinics.aurora, message.id, status) for status in ORDER * 6)
    )
    told = await last_seq(clinics.aurora) - before
    assert told == [stored.created for stored in results].count(True)
    assert told in {1, 2}
    assert (await _now(clinics.ana, message)).status == "read"


async def test_a_message_that_fails_says_why_and_stays_failed(clinics: Clinics) -> None:
    message = await _send(clinics)
    at = datetime(2030, 5, 6, 12, tzinfo=UTC)
    failed = await report_status(
        clinics.aurora, message.id, "failed", reason="número bloqueado", at=at
    )
    assert (failed.message.status, failed.message.failure, failed.message.failed_at) == (
        "failed",
        "número bloqueado",
        "2030-05-06T12:00:00.000Z",
    )
    assert await _preview(clinics, message) == "failed"
    for status in ("sent", "delivered", "read"):
        with pytest.raises(Conflict) as refusal:
            await report_status(clinics.aurora, message.id, status)
        assert refusal.value.code == "status_final"
    assert not (await report_status(clinics.aurora, message.id, "failed", reason="x")).created
    assert await _now(clinics.ana, message) == failed.message


@pytest.mark.parametrize("status", ["delivered", "read"])
async def test_a_message_that_arrived_cannot_fail(clinics: Clinics, status: str) -> None:
    message = await _send(clinics)
    arrived = await report_status(clinics.aurora, message.id, status)
    with pytest.raises(Conflict) as refusal:
        await report_status(clinics.aurora, message.id, "failed", reason="late")
    assert refusal.value.code == "status_final"
    assert await _now(clinics.ana, message) == arrived.message


async def test_another_clinics_message_is_not_found_and_stays_as_it_is(clinics: Clinics) -> None:
    message = await _send(clinics)
    for value in (message.id, UUID(message.id)):
        with pytest.raises(NotFound):
            await report_status(clinics.boreal, value, "read")
    assert await _now(clinics.ana, message) == message


async def test_what_is_no_message_is_not_found(clinics: Clinics) -> None:
    await _send(clinics)
    for value in NO_MESSAGE:
        with pytest.raises(NotFound):
            await report_status(clinics.aurora, value, "read")


async def test_a_patients_message_has_no_receipt(clinics: Clinics) -> None:
    message = await _receive(clinics.aurora)
    for status in ("delivered", "read", "failed"):
        with pytest.raises(InvalidInput) as refusal:
            await report_status(clinics.aurora, message.id, status)
        assert refusal.value.code == "not_outbound"
    assert await _now(clinics.ana, message) == message


async def test_a_report_that_is_none_is_refused(clinics: Clinics) -> None:
    message = await _send(clinics)
    for status, reason, code in NO_REPORT:
        with pytest.raises(InvalidInput) as refusal:
            await report_status(clinics.aurora, message.id, status, reason=reason)
        assert refusal.value.code == code
    assert await _now(clinics.ana, message) == message


async def test_the_preview_follows_the_newest_message_only(clinics: Clinics) -> None:
    older = await _send(clinics, "older")
    newer = (await send_message(clinics.ana, older.conversation_id, "outra", "newer")).message

    await report_status(clinics.aurora, older.id, "read")
    assert await _preview(clinics, newer) == "sent"
    await report_status(clinics.aurora, newer.id, "delivered")
    assert await _preview(clinics, newer) == "delivered"


async def test_a_receipt_is_no_activity_and_leaves_the_list_in_its_order(clinics: Clinics) -> None:
    message = await _send(clinics)
    before = await get_conversation(clinics.ana, message.conversation_id)
    await report_status(clinics.aurora, message.id, "read")
    after = await get_conversation(clinics.ana, message.conversation_id)
    assert (after.last_activity_at, after.last_seq, after.inbound_count) == (
        before.last_activity_at,
        before.last_seq,
        before.inbound_count,
    )
    assert after.version == before.version + 1
