"""Sending and receiving: numbered without holes, stored once for ever, seen by one clinic."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import Conversation, Status
from clinic_chat.domain.conversations.views import get_conversation
from clinic_chat.domain.errors import Forbidden, InvalidInput, NotFound
from clinic_chat.domain.events.log import events_after
from clinic_chat.domain.messages.message import Message
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.messages.views import StoredMessage
from clinic_chat.domain.patients.patient import Patient
from clinic_chat.domain.queries.changes import Changes, changes_of
from clinic_chat.domain.queries.filters import Filter
from clinic_chat.domain.queries.inbox import list_conversations
from clinic_chat.domain.queries.message_pages import PAGE_SIZE, WholeBody, messages_page, whole_body
from tests.support.sending import send_message

if TYPE_CHECKING:
    from tests.conftest import Clinics

pytestmark = pytest.mark.usefixtures("any_database")

ANY_BUT_A_NUMBER: tuple[Any, ...] = (-1, 2**62, True, "1", None, 1.5, [])
PHONE = "+5511987654321"
NO_CONVERSATION = [
    str(uuid4()),
    uuid4(),
    "",
    "not an id",
    "../../etc/passwd",
    "\x00",
    "\ud800",
    "1" * 500,
    None,
    7,
    True,
    ["a"],
    {"id": 1},
    b"bytes",
]


async def _receive(scope: ClinicScope, key: str = "1", **changes: Any) -> StoredMessage:
    arguments = {"name": "Paula", "phone": PHONE, "body": "olá", "external_id": key}
    return await receive_message(scope, **{**arguments, **changes})


async def _conversation(scope: ClinicScope) -> str:
    return (await _receive(scope, "first")).message.conversation_id


async def _seqs(scope: ClinicScope, conversation: str) -> list[int]:
    return [m.seq for m in (await messages_page(scope, conversation, limit=1000)).messages]


async def test_messages_are_numbered_from_1_without_holes(clinics: Clinics) -> None:
    conversation = await _conversation(clinics.aurora)
    await asyncio.gather(
        *(send_message(clinics.ana, conversation, "a", f"a{n}") for n in range(10)),
        *(send_message(clinics.bruno, conversation, "b", f"b{n}") for n in range(10)),
        *(_receive(clinics.aurora, f"p{n}") for n in range(10)),
    )
    assert await _seqs(clinics.ana, conversation) == list(range(1, 32))


async def test_refused_messages_leave_no_hole(clinics: Clinics) -> None:
    conversation = await _conversation(clinics.aurora)
    for body, key in (("", "a"), ("\x00", "b"), ("x" * 4001, "c"), ("ok", ""), (None, "d")):
        with pytest.raises(InvalidInput):
            await send_message(clinics.ana, conversation, body, key)
    await send_message(clinics.ana, conversation, "ok", "e")
    assert await _seqs(clinics.ana, conversation) == [1, 2]


async def test_a_sent_message_is_what_was_written_by_whom(clinics: Clinics) -> None:
    conversation = await _conversation(clinics.aurora)
    stored = await send_message(clinics.ana, conversation, "  bom dia \r\n 👋 ", "k")
    assert stored.created
    page = await messages_page(clinics.bruno, conversation)
    assert page.messages[-1] == stored.message
    assert stored.message.body == "bom dia \n 👋"
    assert stored.message.author_id == str(clinics.ana.user_id)
    assert stored.message.author_name == "Ana Souza"
    assert stored.message.direction == "outbound"
    assert stored.message.status == "sent"
    assert stored.message.client_id == "k"


async def test_the_same_send_many_times_at_once_is_stored_once(clinics: Clinics) -> None:
    conversation = await _conversation(clinics.aurora)
    results = await asyncio.gather(
        *(send_message(clinics.ana, conversation, f"try {n}", "same") for n in range(20))
    )
    assert len({result.message.id for result in results}) == 1
    assert [result.created for result in results].count(True) == 1
    assert await _seqs(clinics.ana, conversation) == [1, 2]


async def test_a_repetition_after_other_messages_returns_the_first(clinics: Clinics) -> None:
    conversation = await _conversation(clinics.aurora)
    first = await send_message(clinics.ana, conversation, "um", "k")
    for number in range(40):
        await send_message(clinics.ana, conversation, "mais", f"other {number}")
    again = await send_message(clinics.ana, conversation, "um", "k")
    assert again == StoredMessage(first.message, created=False)


async def test_a_repetition_with_another_body_returns_the_first_body(clinics: Clinics) -> None:
    conversation = await _conversation(clinics.aurora)
    first = await send_message(clinics.ana, conversation, "um", "k")
    again = await send_message(clinics.ana, conversation, "dois", "k")
    assert again == StoredMessage(first.message, created=False)


async def test_a_repetition_changes_nothing_about_the_conversation(clinics: Clinics) -> None:
    conversation = await _conversation(clinics.aurora)
    await send_message(clinics.ana, conversation, "um", "k")
    before = await get_conversation(clinics.ana, conversation)
    await send_message(clinics.ana, conversation, "dois", "k")
    await _receive(clinics.aurora, "first", body="outra")
    assert await get_conversation(clinics.ana, conversation) == before


async def test_two_authors_may_choose_the_same_client_id(clinics: Clinics) -> None:
    ours = await _conversation(clinics.aurora)
    theirs = await _conversation(clinics.boreal)
    sent = [
        await send_message(clinics.ana, ours, "de Ana", "k"),
        await send_message(clinics.bruno, ours, "de Bruno", "k"),
        await send_message(clinics.carla, theirs, "de Carla", "k"),
        await _receive(clinics.aurora, "k"),
        await _receive(clinics.boreal, "k"),
    ]
    assert all(stored.created for stored in sent)
    assert len({stored.message.id for stored in sent}) == 5


async def test_the_same_external_id_is_stored_once(clinics: Clinics) -> None:
    results = await asyncio.gather(*(_receive(clinics.aurora, "wamid.1") for _ in range(10)))
    assert len({result.message.id for result in results}) == 1
    assert [result.created for result in results].count(True) == 1
    again = await _receive(clinics.aurora, "wamid.1", name="Outra", phone="+5511900000000")
    assert again == StoredMessage(results[0].message, created=False)
    async with clinics.aurora.read() as session:
        assert await session.scalar(select(func.count()).select_from(Patient)) == 1


async def test_a_patient_is_found_by_phone_and_keeps_the_first_name(clinics: Clinics) -> None:
    first = await _receive(clinics.aurora, "1", name="Paula Reis")
    second = await _receive(clinics.aurora, "2", name="PAULA REIS")
    assert second.message.conversation_id == first.message.conversation_id
    assert second.message.author_name == "Paula Reis"


async def test_one_number_in_two_forms_is_one_patient(clinics: Clinics) -> None:
    first = await _receive(clinics.aurora, "1", phone="+551187650001", name="+551187650001")
    second = await _receive(clinics.aurora, "2", phone="(11) 98765-0001", name="Paula Reis")
    assert second.message.conversation_id == first.message.conversation_id
    row = await get_conversation(clinics.ana, first.message.conversation_id)
    assert (row.patient_name, row.patient_phone) == ("Paula Reis", "+5511987650001")


async def test_an_address_that_is_no_number_is_a_patient_of_one_clinic(clinics: Clinics) -> None:
    address = "maria.souza@" + "x" * 400
    received = [await _receive(clinics.aurora, key, phone=address) for key in "12"]
    theirs = await _receive(clinics.boreal, phone=address)
    ours = {stored.message.conversation_id for stored in received}
    assert len(ours) == 1
    assert theirs.message.conversation_id not in ours


async def test_other_names_from_one_number_are_kept_beside_the_first(clinics: Clinics) -> None:
    for key, name in enumerate(["Helena Prado", "João", "Tia Bete"]):
        received = await _receive(clinics.aurora, str(key), name=name)
    row = await get_conversation(clinics.ana, received.message.conversation_id)
    assert (row.patient_name, row.patient_other_names) == ("Helena Prado", ["João", "Tia Bete"])
    for search in ("helena", "joao", "bete"):
        assert (await list_conversations(clinics.ana, Filter(search=search))).rows == [row]


async def test_a_long_body_of_any_characters_is_kept_whole(clinics: Clinics) -> None:
    body = "a\x00\x0b\ud83d😀" * 20_000
    kept = "a\n\ufffd😀" * 16_384
    received = await _receive(clinics.aurora, body=body)
    assert received.message.body == kept
    assert received.message.body_length == 80_000
    (shown,) = (await messages_page(clinics.ana, received.message.conversation_id)).messages
    assert (shown.body, shown.body_length) == (kept[:4_000], 80_000)


async def test_the_rest_of_a_long_body_is_read_by_its_number(clinics: Clinics) -> None:
    received = await _receive(clinics.aurora, body="x" * 70_000)
    conversation = received.message.conversation_id
    assert await whole_body(clinics.ana, conversation, 1) == WholeBody(
        "x" * 65_536, 70_000 - 65_536
    )
    for scope, place, seq in (
        (clinics.ana, conversation, 2),
        (clinics.carla, conversation, 1),
        *((clinics.ana, place, 1) for place in NO_CONVERSATION),
    ):
        with pytest.raises(NotFound):
            await whole_body(scope, place, seq)
    for wrong in ANY_BUT_A_NUMBER:
        with pytest.raises(InvalidInput):
            await whole_body(clinics.ana, conversation, wrong)


async def test_many_first_messages_of_one_patient_start_one_conversation(clinics: Clinics) -> None:
    results = await asyncio.gather(*(_receive(clinics.aurora, f"{n}") for n in range(10)))
    assert len({result.message.conversation_id for result in results}) == 1
    assert sorted(result.message.seq for result in results) == list(range(1, 11))


async def test_the_same_phone_is_another_patient_in_another_clinic(clinics: Clinics) -> None:
    ours = await _receive(clinics.aurora, "1")
    theirs = await _receive(clinics.boreal, "1")
    assert ours.message.conversation_id != theirs.message.conversation_id


async def test_another_phone_is_another_conversation(clinics: Clinics) -> None:
    one = await _receive(clinics.aurora, "1")
    other = await _receive(clinics.aurora, "2", phone="+5511900000000")
    assert one.message.conversation_id != other.message.conversation_id
    assert other.message.seq == 1


async def test_a_name_that_grows_when_accents_are_taken_apart_is_stored(clinics: Clinics) -> None:
    # One character of a name may become 18 in its search form (U+FDFA).
    received = await _receive(clinics.aurora, "1", name="\ufdfa" * 120)
    assert received.message.author_name == "\ufdfa" * 120


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"external_id": " "}, "externalId_missing"),
        ({"external_id": None}, "externalId_missing"),
        ({"phone": " "}, "phone_missing"),
        ({"phone": None}, "phone_missing"),
        ({"name": []}, "name_not_text"),
        ({"body": None}, "body_missing"),
        ({"body": {}}, "body_not_text"),
        ({"kind": 1}, "kind_not_text"),
        ({"caption": 1}, "caption_not_text"),
    ],
)
async def test_a_refused_inbound_message_stores_nothing(
    clinics: Clinics, change: dict[str, Any], code: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await _receive(clinics.aurora, **change)
    assert refusal.value.code == code
    async with clinics.aurora.read() as session:
        assert await session.scalar(select(func.count()).select_from(Patient)) == 0


async def test_a_patients_message_reopens_what_was_resolved(clinics: Clinics) -> None:
    conversation = await _conversation(clinics.aurora)
    async with clinics.aurora.write() as session:
        await session.execute(update(Conversation).values(status=Status.RESOLVED))
    await send_message(clinics.ana, conversation, "de nada", "k")
    assert (await get_conversation(clinics.ana, conversation)).status == Status.RESOLVED
    await _receive(clinics.aurora, "2")
    assert (await get_conversation(clinics.ana, conversation)).status == Status.OPEN


async def test_the_conversation_shows_its_last_message(clinics: Clinics) -> None:
    conversation = await _conversation(clinics.aurora)
    sent = await send_message(clinics.ana, conversation, "linha\num", "k")
    view = await get_conversation(clinics.bruno, conversation)
    assert (view.preview, view.preview_author, view.preview_direction) == (
        "linha um",
        "Ana Souza",
        "outbound",
    )
    assert (view.last_seq, view.inbound_count) == (2, 1)
    assert view.last_activity_at == sent.message.at


async def test_what_is_no_conversation_is_not_found(clinics: Clinics) -> None:
    for value in NO_CONVERSATION:
        for attempt in (
            send_message(clinics.ana, value, "oi", "k"),
            messages_page(clinics.ana, value),
            get_conversation(clinics.ana, value),
        ):
            with pytest.raises(NotFound):
                pytest.fail(f"{value!r} gave {await attempt}")


async def test_another_clinics_conversation_is_not_found(clinics: Clinics) -> None:
    theirs = await _conversation(clinics.boreal)
    message = (await messages_page(clinics.carla, theirs)).messages[0]
    for attempt in (
        send_message(clinics.ana, theirs, "oi", "k"),
        messages_page(clinics.ana, theirs),
        get_conversation(clinics.ana, theirs),
    ):
        with pytest.raises(NotFound):
            await attempt
    events = await events_after(clinics.boreal, 0)
    assert (await changes_of(clinics.carla, events)).messages == {theirs: [message]}
    assert await changes_of(clinics.ana, events) == Changes([], {})
    assert await _seqs(clinics.carla, theirs) == [1]


async def test_a_channel_cannot_send_as_staff(clinics: Clinics) -> None:
    conversation = await _conversation(clinics.aurora)
    with pytest.raises(Forbidden):
        await send_message(clinics.aurora, conversation, "oi", "k")


async def _long_conversation(clinics: Clinics) -> str:
    conversation = await _conversation(clinics.aurora)
    for number in range(2 * PAGE_SIZE + 4):
        await send_message(clinics.ana, conversation, f"{number}", f"{number}")
    return conversation


async def test_pages_go_through_a_conversation_without_gap_or_repetition(clinics: Clinics) -> None:
    conversation = await _long_conversation(clinics)
    every = list(range(1, 2 * PAGE_SIZE + 6))

    async def page(**cursor: int) -> list[int]:
        found = await messages_page(clinics.ana, conversation, **cursor)
        assert found.last_seq == every[-1]
        return [message.seq for message in found.messages]

    backwards = await page()
    while backwards[0] > 1:
        earlier = await page(before=backwards[0])
        assert earlier[-1] < backwards[0]
        backwards = earlier + backwards
    assert backwards == every

    forwards = await page(after=0)
    while forwards[-1] < every[-1]:
        later = await page(after=forwards[-1])
        assert later[0] > forwards[-1]
        forwards += later
    assert forwards == every

    for middle in every:
        around = await page(around=middle)
        assert middle in around
        assert around == list(range(around[0], around[-1] + 1))


async def test_a_page_has_at_most_its_size(clinics: Clinics) -> None:
    conversation = await _long_conversation(clinics)
    for cursor in ({}, {"before": 50}, {"after": 10}, {"around": 30}):
        assert len((await messages_page(clinics.ana, conversation, **cursor)).messages) == PAGE_SIZE


async def test_cursors_out_of_range_find_what_there_is(clinics: Clinics) -> None:
    conversation = await _conversation(clinics.aurora)

    async def seqs(**cursor: int) -> list[int]:
        return [m.seq for m in (await messages_page(clinics.ana, conversation, **cursor)).messages]

    for beyond in (2, 1000, 2**62 - 1):
        assert await seqs(before=beyond) == [1]
        assert await seqs(after=beyond) == []
        assert await seqs(around=beyond) == [1]
    assert await seqs(before=0) == await seqs(before=1) == await seqs(after=1) == []
    assert await seqs(after=0) == await seqs(around=0) == [1]


async def test_what_is_no_message_number_is_refused(clinics: Clinics) -> None:
    conversation = await _conversation(clinics.aurora)
    values: tuple[Any, ...] = (-1, 2**62, 2**64, 10**30, True, False, "2", 1.0, "", [], {})
    for value in values:
        for cursor in ("before", "after", "around"):
            with pytest.raises(InvalidInput) as refusal:
                await messages_page(clinics.ana, conversation, **{cursor: value})
            assert refusal.value.code == "cursor_invalid"


async def test_a_stored_time_reads_back_as_it_was_told(clinics: Clinics) -> None:
    conversation = await _conversation(clinics.aurora)
    sent = await send_message(clinics.ana, conversation, "agora", "k")
    async with clinics.aurora.read() as session:
        at = await session.scalar(select(Message.created_at).where(Message.client_id == "k"))
    assert at is not None
    assert at.isoformat(timespec="milliseconds").replace("+00:00", "Z") == sent.message.at
