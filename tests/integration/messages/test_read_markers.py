"""What each person has read, and how far each message got."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.views import get_conversation
from clinic_chat.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from clinic_chat.domain.events.log import PersonalChange, events_after
from clinic_chat.domain.messages.delivery import report_status
from clinic_chat.domain.messages.read_markers import NEAR, mark_read, mark_unread, read_markers
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.messages.views import StaffMessage
from clinic_chat.domain.queries.message_pages import messages_page
from tests.support.personal import read_seq
from tests.support.sending import send_message

if TYPE_CHECKING:
    from tests.conftest import Clinics

pytestmark = pytest.mark.usefixtures("any_database")

_keys = count()


async def _receive(scope: ClinicScope) -> StaffMessage:
    stored = await receive_message(
        scope, name="Paula", phone="+5511987654321", body="olá", external_id=f"{next(_keys)}"
    )
    return stored.message


async def _send(scope: ClinicScope, conversation: str) -> StaffMessage:
    return (await send_message(scope, conversation, "oi", f"{next(_keys)}")).message


async def _conversation(clinics: Clinics) -> str:
    """in, out, in, in, out"""
    conversation = (await _receive(clinics.aurora)).conversation_id
    await _send(clinics.ana, conversation)
    await _receive(clinics.aurora)
    await _receive(clinics.aurora)
    await _send(clinics.bruno, conversation)
    return conversation


INBOUND_UP_TO = [0, 1, 1, 2, 3, 3]


async def _read(scope: ClinicScope, conversation: str) -> tuple[int, int]:
    """Up to which message, and how many inbound ones."""
    key = UUID(conversation)
    return await read_seq(scope, key), (await read_markers(scope, [key]))[conversation]


@pytest.fixture
def told(clinics: Clinics) -> list[Any]:
    told: list[Any] = []

    async def listen(announced: list[Any]) -> None:
        told.extend(announced)

    clinics.database.on_commit(listen)
    return told


@given(marks=st.lists(st.integers(0, 8), max_size=8))
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_a_marker_only_moves_forward_and_not_beyond_the_last_message(
    new_clinics: Callable[[], Any], marks: list[int]
) -> None:
    clinics = await new_clinics()
    conversation = await _conversation(clinics)
    furthest = 0
    for seq in marks:
        furthest = max(furthest, min(seq, 5))
        assert await mark_read(clinics.ana, conversation, seq) == INBOUND_UP_TO[furthest]
        assert await _read(clinics.ana, conversation) == (furthest, INBOUND_UP_TO[furthest])


async def test_far_from_the_end_it_counts_the_same(clinics: Clinics) -> None:
    conversation = await _conversation(clinics)
    await asyncio.gather(*(_receive(clinics.aurora) for _ in range(NEAR)))
    for seq, inbound in ((3, 2), (4, 3), (5, 3), (6, 4), (NEAR + 5, NEAR + 3)):
        assert await mark_read(clinics.ana, conversation, seq) == inbound
        assert await _read(clinics.ana, conversation) == (seq, inbound)


async def test_marks_at_the_same_time_end_at_the_furthest(clinics: Clinics) -> None:
    conversation = await _conversation(clinics)
    await asyncio.gather(*(mark_read(clinics.ana, conversation, n) for n in (3, 5, 1, 4, 2, 0)))
    assert await _read(clinics.ana, conversation) == (5, 3)


async def test_a_marker_beyond_the_end_stops_at_the_last_message(clinics: Clinics) -> None:
    conversation = await _conversation(clinics)
    for already, seq in enumerate((6, 1_000, 2**63, 10**40)):
        assert await mark_read(clinics.ana, conversation, seq) == 3 + already
        assert await _read(clinics.ana, conversation) == (5 + already, 3 + already)
        await _receive(clinics.aurora)
        assert await _read(clinics.ana, conversation) == (5 + already, 3 + already)


async def test_a_marker_is_one_persons(clinics: Clinics) -> None:
    conversation = await _conversation(clinics)
    await mark_read(clinics.ana, conversation, 5)
    assert await _read(clinics.ana, conversation) == (5, 3)
    assert await _read(clinics.bruno, conversation) == (0, 0)


async def test_only_inbound_messages_count(clinics: Clinics) -> None:
    conversation = await _conversation(clinics)
    await mark_read(clinics.ana, conversation, 5)
    await _send(clinics.bruno, conversation)
    view = await get_conversation(clinics.ana, conversation)
    assert view.inbound_count - (await _read(clinics.ana, conversation))[1] == 0
    await _receive(clinics.aurora)
    view = await get_conversation(clinics.ana, conversation)
    assert view.inbound_count - (await _read(clinics.ana, conversation))[1] == 1


async def test_reading_tells_that_person_only_and_is_not_in_the_log(
    clinics: Clinics, told: list[Any]
) -> None:
    conversation = await _conversation(clinics)
    log = await events_after(clinics.aurora, 0)
    told.clear()
    await mark_read(clinics.ana, conversation, 3)
    await mark_read(clinics.ana, conversation, 5)
    await mark_read(clinics.bruno, conversation, 5)
    assert [(type(item), item.user_id, item.version) for item in told] == [
        (PersonalChange, clinics.ana.user_id, 1),
        (PersonalChange, clinics.ana.user_id, 2),
        (PersonalChange, clinics.bruno.user_id, 1),
    ]
    assert await events_after(clinics.aurora, 0) == log


async def test_what_does_not_move_a_marker_tells_nothing(clinics: Clinics, told: list[Any]) -> None:
    conversation = await _conversation(clinics)
    await mark_read(clinics.ana, conversation, 4)
    told.clear()
    for seq in (4, 3, 0):
        await mark_read(clinics.ana, conversation, seq)
    assert told == []


async def test_what_is_no_message_number_is_refused(clinics: Clinics) -> None:
    conversation = await _conversation(clinics)
    values: list[Any] = [-1, -(2**70), True, False, None, "1", 1.0, [], {}]
    for seq in values:
        with pytest.raises(InvalidInput) as refusal:
            pytest.fail(f"{seq!r} gave {await mark_read(clinics.ana, conversation, seq)}")
        assert refusal.value.code == "seq_invalid"


async def test_another_clinics_conversation_is_not_found(clinics: Clinics) -> None:
    conversation = await _conversation(clinics)
    for value in (conversation, str(uuid4()), "x", None, 1):
        for attempt in (mark_read(clinics.carla, value, 1), mark_unread(clinics.carla, value)):
            with pytest.raises(NotFound):
                await attempt
    assert await _read(clinics.carla, conversation) == (0, 0)


async def test_a_channel_reads_nothing(clinics: Clinics) -> None:
    conversation = await _conversation(clinics)
    with pytest.raises(Forbidden):
        await mark_read(clinics.aurora, conversation, 1)


async def test_unread_goes_back_to_before_the_last_inbound_message(clinics: Clinics) -> None:
    conversation = await _conversation(clinics)
    await mark_read(clinics.ana, conversation, 5)
    assert await mark_unread(clinics.ana, conversation) == 2
    assert await _read(clinics.ana, conversation) == (3, 2)
    assert await mark_unread(clinics.ana, conversation) == 2
    assert await mark_read(clinics.ana, conversation, 5) == 3


async def test_unread_leaves_a_marker_that_is_further_back(clinics: Clinics) -> None:
    conversation = await _conversation(clinics)
    await mark_read(clinics.ana, conversation, 1)
    assert await mark_unread(clinics.ana, conversation) == 1
    assert await _read(clinics.ana, conversation) == (1, 1)


async def _status(clinics: Clinics, message: StaffMessage) -> StaffMessage:
    page = await messages_page(clinics.ana, message.conversation_id)
    return page.messages[message.seq - 1]


async def test_a_message_is_delivered_and_then_read(clinics: Clinics) -> None:
    message = await _send(clinics.ana, await _conversation(clinics))
    delivered = await report_status(clinics.aurora, message.id, "delivered")
    assert delivered.created
    assert delivered.message.status == "delivered"
    assert delivered.message.delivered_at
    assert not delivered.message.read_at
    read = await report_status(clinics.aurora, message.id, "read")
    assert read.message.delivered_at == delivered.message.delivered_at
    assert read.message.read_at
    assert await _status(clinics, message) == read.message


async def test_receipts_out_of_order_and_twice_only_move_forward(clinics: Clinics) -> None:
    message = await _send(clinics.ana, await _conversation(clinics))
    read = await report_status(clinics.aurora, message.id, "read")
    assert read.message.delivered_at == read.message.read_at
    log = await events_after(clinics.aurora, 0)
    for late in ("delivered", "read", "sent"):
        again = await report_status(clinics.aurora, message.id, late)
        assert (again.message, again.created) == (read.message, False)
    assert await events_after(clinics.aurora, 0) == log


async def test_a_failed_message_says_why_and_stays_failed(clinics: Clinics) -> None:
    message = await _send(clinics.ana, await _conversation(clinics))
    failed = await report_status(clinics.aurora, message.id, "failed", reason="no such number")
    assert (failed.message.status, failed.message.failure) == ("failed", "no such number")
    assert failed.message.failed_at
    for late in ("delivered", "read"):
        with pytest.raises(Conflict):
            await report_status(clinics.aurora, message.id, late)
    assert (await _status(clinics, message)).status == "failed"


async def test_a_message_that_arrived_cannot_fail(clinics: Clinics) -> None:
    message = await _send(clinics.ana, await _conversation(clinics))
    await report_status(clinics.aurora, message.id, "delivered")
    with pytest.raises(Conflict):
        await report_status(clinics.aurora, message.id, "failed")


async def test_a_receipt_for_the_last_message_shows_in_the_list(clinics: Clinics) -> None:
    conversation = await _conversation(clinics)
    first, last = await _send(clinics.ana, conversation), await _send(clinics.ana, conversation)
    await report_status(clinics.aurora, first.id, "read")
    assert (await get_conversation(clinics.ana, conversation)).preview_status == "sent"
    await report_status(clinics.aurora, last.id, "delivered")
    assert (await get_conversation(clinics.ana, conversation)).preview_status == "delivered"


async def test_a_receipt_for_what_is_no_message_of_ours_is_refused(clinics: Clinics) -> None:
    message = await _send(clinics.ana, await _conversation(clinics))
    values: tuple[Any, ...] = (
        *(message.id, str(uuid4()), "x", "\x00", "\ud800", None, 1, [], "1" * 500),
    )
    for value in values:
        with pytest.raises(NotFound):
            pytest.fail(f"{value!r}: {await report_status(clinics.boreal, value, 'read')}")
    inbound = await _receive(clinics.aurora)
    with pytest.raises(InvalidInput) as refusal:
        await report_status(clinics.aurora, inbound.id, "read")
    assert refusal.value.code == "not_outbound"


async def test_what_is_no_receipt_is_refused(clinics: Clinics) -> None:
    message = await _send(clinics.ana, await _conversation(clinics))
    statuses: tuple[Any, ...] = ("seen", "", None, 1, True, [], {}, "READ")
    for status in statuses:
        with pytest.raises(InvalidInput) as refusal:
            pytest.fail(f"{status!r}: {await report_status(clinics.aurora, message.id, status)}")
        assert refusal.value.code == "status_invalid"
    reasons: tuple[Any, ...] = (None, 1, [])
    for reason in reasons:
        with pytest.raises(InvalidInput) as refusal:
            await report_status(clinics.aurora, message.id, "failed", reason=reason)
        assert refusal.value.code == "reason_not_text"
    assert (await _status(clinics, message)).status == "sent"
