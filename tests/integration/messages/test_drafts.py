"""Drafts: one per person and conversation, the newest saved wins, an empty one keeps no text."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import Forbidden, InvalidInput, NotFound
from clinic_chat.domain.events.log import PersonalChange, last_seq
from clinic_chat.domain.messages.drafts import DRAFT_LIMIT, Draft, save_draft
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.storage.database import Database
from tests.support.personal import find_draft

if TYPE_CHECKING:
    from tests.conftest import Clinics

pytestmark = pytest.mark.usefixtures("any_database")

ONE_MEGABYTE = "x" * 1_000_000
NO_DRAFT: list[Any] = [
    "x" * (DRAFT_LIMIT + 1),
    ONE_MEGABYTE,
    "\x00",
    "a\x00b",
    "\ud800",
    None,
    7,
    True,
    [],
    {},
]


@pytest.fixture
def told(any_database: Database) -> list[PersonalChange]:
    """What people's own devices are told."""
    told: list[PersonalChange] = []

    async def listen(announced: list[Any]) -> None:
        told.extend(item for item in announced if isinstance(item, PersonalChange))

    any_database.on_commit(listen)
    return told


async def _conversation(scope: ClinicScope, phone: str = "+5511987654321") -> UUID:
    stored = await receive_message(
        scope, name="Paula", phone=phone, body="olá", external_id=f"from {phone}"
    )
    return UUID(stored.message.conversation_id)


async def _stored(scope: ClinicScope) -> int:
    async with scope.read() as session:
        return await session.scalar(select(func.count()).select_from(Draft)) or 0


async def test_the_newest_saved_draft_wins(clinics: Clinics) -> None:
    conversation = await _conversation(clinics.aurora)
    for body in ("Bom", "Bom dia", "Bom dia, Paula", "Boa"):
        await save_draft(clinics.ana, str(conversation), body)
        assert await find_draft(clinics.ana, conversation) == body
    assert await _stored(clinics.ana) == 1


async def test_saving_at_the_same_time_leaves_one_of_them(clinics: Clinics) -> None:
    conversation = await _conversation(clinics.aurora)
    bodies = [f"rascunho {number}" for number in range(12)]
    await asyncio.gather(*(save_draft(clinics.ana, conversation, body) for body in bodies))
    assert await find_draft(clinics.ana, conversation) in bodies
    assert await _stored(clinics.ana) == 1


async def test_a_draft_is_kept_exactly_as_it_was_typed(clinics: Clinics) -> None:
    conversation = await _conversation(clinics.aurora)
    typed = "  primeira linha\r\n\n\tsegunda 👩🏽‍⚕️ \u200b "
    await save_draft(clinics.ana, conversation, typed)
    assert await find_draft(clinics.ana, conversation) == typed


async def test_an_empty_draft_is_forgotten(clinics: Clinics, told: list[PersonalChange]) -> None:
    conversation = await _conversation(clinics.aurora)
    for empty in ("", " ", "\n\t "):
        await save_draft(clinics.ana, conversation, "algo")
        await save_draft(clinics.ana, conversation, empty)
        assert await find_draft(clinics.ana, conversation) == ""
        async with clinics.ana.read() as session:
            assert await session.scalar(select(Draft.body)) == ""
        assert told[-1].change == {"type": "draft", "id": str(conversation), "body": ""}


async def test_forgetting_what_is_not_there_is_not_told(
    clinics: Clinics, told: list[PersonalChange]
) -> None:
    conversation = await _conversation(clinics.aurora)
    await save_draft(clinics.ana, conversation, "")
    assert told == []


async def test_an_edit_that_comes_after_a_later_one_changes_nothing(
    clinics: Clinics, told: list[PersonalChange]
) -> None:
    conversation = await _conversation(clinics.aurora)

    async def save(body: str, edit: int, device: str = "computer") -> int | None:
        kept = await save_draft(clinics.ana, conversation, body, device=device, edit=edit)
        assert kept.body == await find_draft(clinics.ana, conversation)
        return kept.edit

    assert await save("Bom dia, Paula", 8) == 8
    assert await save("", 5) == 8
    assert await save("Bom", 7) == 8
    assert await find_draft(clinics.ana, conversation) == "Bom dia, Paula"
    assert await save("Bom dia", 8) == 8
    assert await save("", 9) == 9
    assert await save("Bom dia", 8) == 9
    assert await find_draft(clinics.ana, conversation) == ""
    # Another device has numbers of its own.
    assert await save("Do celular", 1, "phone") == 1
    assert await save("Do computador", 3) == 3
    assert await find_draft(clinics.ana, conversation) == "Do computador"
    assert [item.change["body"] for item in told] == [
        "Bom dia, Paula",
        "Bom dia",
        "",
        "Do celular",
        "Do computador",
    ]


async def test_what_was_typed_before_it_was_sent_does_not_come_back(clinics: Clinics) -> None:
    conversation = await _conversation(clinics.aurora)
    await save_draft(clinics.ana, conversation, "", device="computer", edit=2)
    await save_draft(clinics.ana, conversation, "Bom dia", device="computer", edit=1)
    assert await find_draft(clinics.ana, conversation) == ""


@pytest.mark.parametrize(
    ("device", "edit", "code"),
    [
        ("computer", None, "edit_invalid"),
        ("computer", -1, "edit_invalid"),
        ("computer", 2**53, "edit_invalid"),
        ("computer", True, "edit_invalid"),
        ("computer", 1.0, "edit_invalid"),
        ("computer", "1", "edit_invalid"),
        (None, 1, "device_invalid"),
        ("", 1, "device_invalid"),
        ("x" * 201, 1, "device_invalid"),
        ("\x00", 1, "device_invalid"),
        (7, 1, "device_invalid"),
    ],
)
async def test_an_edit_has_a_number_and_a_device(
    clinics: Clinics, device: object, edit: object, code: str
) -> None:
    conversation = await _conversation(clinics.aurora)
    with pytest.raises(InvalidInput) as refusal:
        await save_draft(clinics.ana, conversation, "Bom dia", device=device, edit=edit)
    assert refusal.value.code == code
    assert await _stored(clinics.ana) == 0


async def test_drafts_are_per_person(clinics: Clinics, told: list[PersonalChange]) -> None:
    conversation = await _conversation(clinics.aurora)
    await save_draft(clinics.ana, conversation, "de Ana")
    assert await find_draft(clinics.bruno, conversation) == ""
    await save_draft(clinics.bruno, conversation, "de Bruno")
    await save_draft(clinics.ana, conversation, "")
    assert await find_draft(clinics.bruno, conversation) == "de Bruno"
    assert [item.user_id for item in told] == [
        clinics.ana.user_id,
        clinics.bruno.user_id,
        clinics.ana.user_id,
    ]


async def test_drafts_are_per_conversation(clinics: Clinics) -> None:
    one = await _conversation(clinics.aurora)
    other = await _conversation(clinics.aurora, "+5511900000000")
    await save_draft(clinics.ana, one, "para Paula")
    assert await find_draft(clinics.ana, other) == ""


async def test_each_saved_draft_has_the_persons_next_number(
    clinics: Clinics, told: list[PersonalChange]
) -> None:
    conversation = await _conversation(clinics.aurora)
    for body in ("um", "dois", ""):
        await save_draft(clinics.ana, conversation, body)
    assert [item.version for item in told] == [1, 2, 3]
    assert [item.change["body"] for item in told] == ["um", "dois", ""]


async def test_a_draft_is_no_event_of_the_clinic(clinics: Clinics) -> None:
    conversation = await _conversation(clinics.aurora)
    before = await last_seq(clinics.aurora)
    await save_draft(clinics.ana, conversation, "só meu")
    assert await last_seq(clinics.aurora) == before


async def test_the_longest_draft_is_kept(clinics: Clinics) -> None:
    conversation = await _conversation(clinics.aurora)
    longest = "ã" * DRAFT_LIMIT
    await save_draft(clinics.ana, conversation, longest)
    assert await find_draft(clinics.ana, conversation) == longest


async def test_what_cannot_be_kept_is_refused_and_the_draft_before_it_stays(
    clinics: Clinics, told: list[PersonalChange]
) -> None:
    conversation = await _conversation(clinics.aurora)
    await save_draft(clinics.ana, conversation, "antes")
    for body in NO_DRAFT:
        with pytest.raises(InvalidInput) as refusal:
            await save_draft(clinics.ana, conversation, body)
        assert refusal.value.code == "draft_invalid"
    assert await find_draft(clinics.ana, conversation) == "antes"
    assert len(told) == 1


async def test_another_clinics_conversation_has_no_draft(clinics: Clinics) -> None:
    theirs = await _conversation(clinics.boreal)
    await save_draft(clinics.carla, theirs, "de Carla")
    for value in (theirs, str(theirs), str(uuid4()), "no id", None):
        with pytest.raises(NotFound):
            await save_draft(clinics.ana, value, "de Ana")
    assert await find_draft(clinics.ana, theirs) == ""
    assert await find_draft(clinics.carla, theirs) == "de Carla"


async def test_only_people_have_drafts(clinics: Clinics) -> None:
    conversation = await _conversation(clinics.aurora)
    with pytest.raises(Forbidden):
        await save_draft(clinics.aurora, conversation, "do canal")
