"""Who deals with a conversation and where it stands: compare-and-set, inside one clinic."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from clinic_chat.domain.accounts.users import Membership, User, colleagues
from clinic_chat.domain.clinics.actors import Role, StaffActor
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.assignment import AlreadyTaken, assign, set_status
from clinic_chat.domain.conversations.views import StaffConversation, get_conversation
from clinic_chat.domain.errors import InvalidInput, NotFound
from clinic_chat.domain.events.log import EventType, events_after, last_seq
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.storage.database import Database
from tests.support.sending import send_message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.conftest import Clinics

pytestmark = pytest.mark.usefixtures("any_database")

NOBODY = ""
TAKERS = 12
NO_PERSON: list[Any] = ["ana", "0", None, 7, True, [], {}, uuid4()]
NO_STATUS: list[Any] = ["", "closed", "OPEN", None, 1, True, ["open"], {}]


async def _receive(scope: ClinicScope, key: str = "first") -> str:
    stored = await receive_message(
        scope, name="Paula", phone="+5511987654321", body="olá", external_id=key
    )
    return stored.message.conversation_id


async def _seen(clinics: Clinics, conversation: str) -> StaffConversation:
    return await get_conversation(clinics.bruno, conversation)


async def _take(scope: ClinicScope, conversation: str) -> str:
    """The name this person is told instead of getting it, "" when they get it."""
    try:
        await assign(scope, conversation, str(scope.user_id), NOBODY)
    except AlreadyTaken as taken:
        return taken.name
    return ""


async def _join(database: Database, clinic_id: UUID, names: Iterable[str]) -> list[User]:
    """New people of these names, who work in the clinic."""
    people = [
        User(email=f"joined{number}@clinic.example", name=name, password_hash="none")
        for number, name in enumerate(names)
    ]
    async with database.write() as session:
        session.add_all(people)
        await session.flush()
        session.add_all(
            Membership(user_id=user.id, clinic_id=clinic_id, role=Role.PROFESSIONAL)
            for user in people
        )
    return people


async def _takers(database: Database, clinics: Clinics) -> dict[str, ClinicScope]:
    """New colleagues of Aurora, by name."""
    clinic_id = clinics.aurora.clinic_id
    people = await _join(database, clinic_id, (f"Taker {number}" for number in range(TAKERS)))
    return {
        user.name: ClinicScope(database, clinic_id, StaffActor(user.id, Role.RECEPTIONIST))
        for user in people
    }


async def test_colleagues_come_by_name_whatever_their_accents_and_case(
    any_database: Database, clinics: Clinics
) -> None:
    clinic_id = clinics.boreal.clinic_id
    await _join(any_database, clinic_id, ("Zoé", "álvaro", "bia", "Ávila", "Caio"))
    async with clinics.boreal.read() as session:
        found = await colleagues(session, clinic_id)

    names = ["álvaro", "Ávila", "bia", "Caio", "Carla Dias", "Zoé"]
    assert [one.name for one in found] == names


async def test_of_many_simultaneous_takers_one_wins_and_the_others_are_told_who(
    any_database: Database, clinics: Clinics
) -> None:
    takers = await _takers(any_database, clinics)
    conversation = await _receive(clinics.aurora)
    before = await last_seq(clinics.aurora)

    told = await asyncio.gather(*(_take(scope, conversation) for scope in takers.values()))

    row = await _seen(clinics, conversation)
    answers = dict(zip(takers, told, strict=True))
    assert answers.pop(row.assignee_name) == ""
    assert set(answers.values()) == {row.assignee_name}
    assert len(answers) == TAKERS - 1
    assert await last_seq(clinics.aurora) == before + 1


async def test_taking_what_is_mine_already_changes_nothing(clinics: Clinics) -> None:
    conversation = await _receive(clinics.aurora)
    assert await _take(clinics.ana, conversation) == ""
    before = await last_seq(clinics.aurora)
    assert await _take(clinics.ana, conversation) == ""
    assert await last_seq(clinics.aurora) == before


async def test_a_conversation_is_handed_over_by_whoever_knows_whose_it_is(
    clinics: Clinics,
) -> None:
    ana, bruno = str(clinics.ana.user_id), str(clinics.bruno.user_id)
    conversation = await _receive(clinics.aurora)
    await assign(clinics.bruno, conversation, ana, NOBODY)
    await assign(clinics.ana, conversation, bruno, ana)
    assert (await _seen(clinics, conversation)).assignee_id == bruno
    await assign(clinics.ana, conversation, NOBODY, bruno)
    row = await _seen(clinics, conversation)
    assert (row.assignee_id, row.assignee_name) == (NOBODY, "")


async def test_what_was_set_free_meanwhile_is_told_without_a_name(clinics: Clinics) -> None:
    ana, bruno = str(clinics.ana.user_id), str(clinics.bruno.user_id)
    conversation = await _receive(clinics.aurora)
    with pytest.raises(AlreadyTaken) as refusal:
        await assign(clinics.bruno, conversation, bruno, ana)
    assert (refusal.value.code, refusal.value.name) == ("already_assigned", "")
    assert (await _seen(clinics, conversation)).assignee_id == NOBODY


async def test_a_foreign_colleague_cannot_be_given_a_conversation(clinics: Clinics) -> None:
    conversation = await _receive(clinics.aurora)
    for stranger in (str(clinics.carla.user_id), str(uuid4())):
        with pytest.raises(NotFound):
            await assign(clinics.ana, conversation, stranger, NOBODY)
    assert (await _seen(clinics, conversation)).assignee_id == NOBODY


async def test_another_clinics_conversation_cannot_be_touched(clinics: Clinics) -> None:
    conversation = await _receive(clinics.aurora)
    carla = str(clinics.carla.user_id)
    for value in (conversation, UUID(conversation), str(uuid4()), "no id", None, 7):
        with pytest.raises(NotFound):
            await assign(clinics.carla, value, carla, NOBODY)
        with pytest.raises(NotFound):
            await set_status(clinics.carla, value, "resolved")
    row = await _seen(clinics, conversation)
    assert (row.assignee_id, row.status) == (NOBODY, "open")


async def test_what_is_no_colleagues_id_is_refused(clinics: Clinics) -> None:
    conversation = await _receive(clinics.aurora)
    ana = str(clinics.ana.user_id)
    for person in NO_PERSON:
        for assignee, expected in ((person, NOBODY), (ana, person)):
            with pytest.raises(InvalidInput) as refusal:
                await assign(clinics.ana, conversation, assignee, expected)
            assert refusal.value.code == "assignee_invalid"
    assert (await _seen(clinics, conversation)).assignee_id == NOBODY


async def test_a_conversation_is_put_on_hold_resolved_and_opened_again(clinics: Clinics) -> None:
    conversation = await _receive(clinics.aurora)
    for status in ("pending", "resolved", "open"):
        await set_status(clinics.ana, conversation, status)
        assert (await _seen(clinics, conversation)).status == status
    events = await events_after(clinics.aurora, 1)
    assert [event.type for event in events] == [EventType.CONVERSATION_UPDATED] * 3
    steps = [(event.payload["was"][0], event.payload["state"][0]) for event in events]
    assert steps == [("open", "pending"), ("pending", "resolved"), ("resolved", "open")]


async def test_the_status_it_has_already_is_not_told(clinics: Clinics) -> None:
    conversation = await _receive(clinics.aurora)
    await set_status(clinics.ana, conversation, "resolved")
    before = await _seen(clinics, conversation)
    await set_status(clinics.bruno, conversation, "resolved")
    assert await _seen(clinics, conversation) == before
    assert await last_seq(clinics.aurora) == 2


async def test_what_is_no_status_is_refused(clinics: Clinics) -> None:
    conversation = await _receive(clinics.aurora)
    for status in NO_STATUS:
        with pytest.raises(InvalidInput) as refusal:
            await set_status(clinics.ana, conversation, status)
        assert refusal.value.code == "status_invalid"
    assert (await _seen(clinics, conversation)).status == "open"


async def test_a_patients_message_reopens_what_was_resolved_and_nothing_else(
    clinics: Clinics,
) -> None:
    conversation = await _receive(clinics.aurora)
    await assign(clinics.ana, conversation, str(clinics.ana.user_id), NOBODY)
    for status, after in (("resolved", "open"), ("pending", "pending"), ("open", "open")):
        await set_status(clinics.ana, conversation, status)
        await _receive(clinics.aurora, f"after {status}")
        row = await _seen(clinics, conversation)
        assert (row.status, row.assignee_id) == (after, str(clinics.ana.user_id))


async def test_an_answer_leaves_a_resolved_conversation_resolved(clinics: Clinics) -> None:
    conversation = await _receive(clinics.aurora)
    await set_status(clinics.ana, conversation, "resolved")
    await send_message(clinics.ana, conversation, "até logo", "k")
    assert (await _seen(clinics, conversation)).status == "resolved"


async def test_neither_moves_a_conversation_in_the_list(clinics: Clinics) -> None:
    conversation = await _receive(clinics.aurora)
    before = await _seen(clinics, conversation)
    await set_status(clinics.ana, conversation, "pending")
    await assign(clinics.ana, conversation, str(clinics.ana.user_id), NOBODY)
    after = await _seen(clinics, conversation)
    assert after.last_activity_at == before.last_activity_at
    assert after.version == before.version + 2
