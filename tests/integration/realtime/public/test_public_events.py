"""What programs are told: the specification's events, with exactly its fields, to whom they go."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from clinic_chat.domain.administration.clinic_settings import change_clinic_settings
from clinic_chat.domain.administration.members import change_role
from clinic_chat.domain.conversations.assignment import assign, set_status
from clinic_chat.domain.messages.delivery import report_status
from clinic_chat.domain.retention.conversations import delete_over_term
from tests.integration.realtime.public.programs import PublicDoor, door, limits, place
from tests.integration.realtime.sockets import enters
from tests.support.connections import workspace_feeds
from tests.support.program import Program
from tests.support.sending import conversation_with, send_message
from tests.support.servers.own_server import eventually

pytestmark = pytest.mark.usefixtures("any_database")

__all__ = ["door", "limits", "place"]
MESSAGE_EVENT = {"type", "conversationId", "message", "timestamp", "seq", "page", "pageSize"}
CONVERSATION_EVENT = {"type", "conversationId", "updates", "seq"}
TYPING_EVENT = {"type", "conversationId", "userId", "userName"}


async def joined(door: PublicDoor, **how: Any) -> Program:
    """A program that has joined the conversation."""
    program = await door.connect(**how)
    await program.ask("conversation:join", {"conversationId": door.conversation})
    return program


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_new_message_and_its_conversation_are_told(
    door: PublicDoor, transport: str
) -> None:
    program = await joined(door, transport=transport)

    message = await door.patient_writes("Bom dia")
    told = await program.gets("message:new")
    updated = await program.gets("conversation:updated")

    assert set(told) == MESSAGE_EVENT
    assert told["message"]["id"] == message.id
    assert told["message"]["body"] == "Bom dia"
    assert told["timestamp"].endswith("Z")
    assert (told["seq"], told["page"], told["pageSize"]) == (2, 1, 30)
    assert set(updated) == CONVERSATION_EVENT
    assert updated["seq"] == 2
    assert updated["updates"]["preview"] == "Bom dia"
    assert updated["updates"]["inboundCount"] == 2
    assert "status" not in updated["updates"]
    assert "patientName" not in updated["updates"]


async def test_who_has_not_joined_hears_of_the_list_and_of_no_message(door: PublicDoor) -> None:
    program = await door.connect()

    await door.patient_writes("Bom dia")
    await program.gets("conversation:updated")

    assert [event["type"] for event in program.events] == ["conversation:updated"]


async def test_who_left_hears_no_more_of_the_conversation(door: PublicDoor) -> None:
    program = await joined(door)
    await program.ask("conversation:leave", {"conversationId": door.conversation})

    await door.patient_writes("Bom dia")
    await program.gets("conversation:updated")

    assert [event["type"] for event in program.events] == ["conversation:updated"]


async def test_a_receipt_updates_the_message(door: PublicDoor) -> None:
    program = await joined(door)
    ana = door.scope(door.clinics.ana)
    sent = await send_message(ana, door.conversation, "Olá, Paula", "1")

    await report_status(door.scope(door.clinics.aurora), sent.message.id, "delivered")
    told = await program.gets("message:updated")
    await program.gets("conversation:updated", seq=told["seq"])

    assert set(told) == MESSAGE_EVENT
    assert told["message"]["status"] == "delivered"
    assert program.events[-1]["updates"] == {"previewStatus": "delivered", "version": 3}


async def test_a_receipt_of_an_older_message_leaves_the_list_alone(door: PublicDoor) -> None:
    program = await joined(door)
    sent = await send_message(door.scope(door.clinics.ana), door.conversation, "Olá", "1")
    await door.patient_writes("Bom dia")

    await report_status(door.scope(door.clinics.aurora), sent.message.id, "read")
    told = await program.gets("message:updated")
    await door.patient_writes("E")
    await program.gets("message:new", page=1, seq=told["seq"] + 1)

    assert [e["type"] for e in program.events if e["seq"] == told["seq"]] == ["message:updated"]


async def test_status_and_assignment_say_what_changed_and_no_more(door: PublicDoor) -> None:
    program = await door.connect()
    ana = door.scope(door.clinics.ana)

    await set_status(ana, door.conversation, "pending")
    first = await program.gets("conversation:updated")
    await assign(ana, door.conversation, str(ana.user_id), "")
    second = await program.gets("conversation:updated", seq=first["seq"] + 1)
    await set_status(ana, door.conversation, "resolved")
    await door.patient_writes("Mais uma coisa")
    reopened = await program.gets("conversation:updated", seq=first["seq"] + 3)

    assert first["updates"] == {"status": "pending", "version": 2}
    assert second["updates"] == {
        "assigneeId": str(ana.user_id),
        "assigneeName": "Ana Souza",
        "version": 3,
    }
    assert reopened["updates"]["status"] == "open"


async def test_a_new_conversation_is_told_whole(door: PublicDoor) -> None:
    program = await door.connect()

    await conversation_with(door.scope(door.clinics.aurora), "+5511987654399")
    told = await program.gets("conversation:updated")

    assert told["updates"]["patientName"] == "Helena"
    assert told["updates"]["id"] == told["conversationId"]


@pytest.mark.parametrize("who", ["program", "person", "page"])
async def test_typing_is_told_to_who_joined(door: PublicDoor, who: str) -> None:
    watching = await joined(door)
    outside = await door.connect()
    if who == "page":
        async with door.place.socket(await door.place.cookie("ana")) as raw:
            await enters(raw)
            (ana,) = door.place.live.connections.all()
            await door.place.live.subscriptions.follow(ana, workspace_feeds(door.conversation))
            await door.place.live.activity.start_typing(ana, door.conversation)
            begun = await watching.gets("typing:start")
        name = "Ana Souza"
    else:
        email = "ana@aurora.example" if who == "person" else ""
        typist = await joined(door, token=await door.token(email=email))
        await typist.ask("typing:start", {"conversationId": door.conversation})
        begun = await watching.gets("typing:start")
        await typist.ask("typing:stop", {"conversationId": door.conversation})
        name = "Ana Souza" if who == "person" else "Quiosque"
    ended = await watching.gets("typing:stop")

    assert set(begun) == set(ended) == TYPING_EVENT
    assert (begun["userName"], begun["conversationId"]) == (name, door.conversation)
    assert [e for e in outside.events if e["type"].startswith("typing")] == []


async def test_pages_see_a_program_type(door: PublicDoor) -> None:
    typist = await joined(door)

    await typist.ask("typing:start", {"conversationId": door.conversation})

    (typing,) = door.place.live.activity.typing(door.clinics.aurora.clinic_id)
    assert typing["userName"] == "Quiosque"


async def test_a_person_comes_online_by_their_token_and_a_program_does_not(
    door: PublicDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clinic_chat.realtime.presence.online.GRACE_SECONDS", 0.0)
    watching = await door.connect()
    person = await door.connect(await door.token(email="bruno@aurora.example"))

    told = await watching.gets("user:online")
    await person.client.disconnect()
    gone = await watching.gets("user:offline")

    assert told == {
        "type": "user:online",
        "userId": str(door.clinics.bruno.user_id),
        "userName": "Bruno Lima",
    }
    assert set(gone) == set(told)
    assert len([e for e in watching.events if e["type"] == "user:online"]) == 1


async def test_a_deleted_conversation_is_told(door: PublicDoor) -> None:
    program = await door.connect()
    await set_status(door.scope(door.clinics.ana), door.conversation, "resolved")
    await change_clinic_settings(door.clinics.ana, retention_months=6)

    with time_machine.travel(datetime(2032, 1, 1, tzinfo=UTC), tick=True):
        assert await delete_over_term(door.scope(door.clinics.aurora)) == 1
    told = await program.gets("conversation:deleted")

    assert set(told) == {"type", "conversationId", "seq"}
    assert told["conversationId"] == door.conversation


async def test_nothing_of_one_clinic_reaches_a_program_of_another(door: PublicDoor) -> None:
    other = await door.connect(await door.token("boreal"), "boreal")
    own = await joined(door)

    await door.patient_writes("Segredo")
    await own.ask("typing:start", {"conversationId": door.conversation})
    await own.gets("message:new")
    await conversation_with(door.scope(door.clinics.boreal), "+5511987654388")
    await other.gets("conversation:updated")

    assert len(other.events) == 1
    assert "Segredo" not in str(other.events)


async def test_twenty_cuts_lose_nothing_and_the_order_holds(door: PublicDoor) -> None:
    token = await door.token()
    writing = asyncio.create_task(_write(door, 60))
    bodies: dict[int, str] = {}
    seq = 0
    for cut in range(20):
        program = await joined(door, token=token, transport=("websocket", "polling")[cut % 2])
        answer = await program.ask("events:since", {"seq": seq})
        while True:
            for event in answer["events"]:
                if event["type"] == "message:new":
                    bodies[event["seq"]] = event["message"]["body"]
            seq = answer["seq"]
            if not answer["more"]:
                break
            answer = await program.ask("events:since", {"seq": seq})
        await asyncio.sleep(0.02)
        live = [e["seq"] for e in program.events if e["type"] == "message:new"]
        assert live == sorted(live)
        await program.client.eio.disconnect(abort=True)
    await writing
    program = await joined(door, token=token)
    answer = await program.ask("events:since", {"seq": seq})
    bodies |= {e["seq"]: e["message"]["body"] for e in answer["events"] if "message" in e}

    assert [body for _, body in sorted(bodies.items())] == [
        "Olá",
        *(f"Número {number}" for number in range(60)),
    ]


async def _write(door: PublicDoor, count: int) -> None:
    for number in range(count):
        await door.patient_writes(f"Número {number}")
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("permissions", "hears"),
    [
        (["messages.deliver"], []),
        (["conversations.read"], ["conversation:updated"]),
        (["staff.read"], ["user:online"]),
    ],
)
async def test_a_token_hears_what_it_may_read_and_nothing_else(
    door: PublicDoor, permissions: list[str], hears: list[str]
) -> None:
    program = await door.connect(await door.token(permissions=permissions))
    everything = await door.connect()

    await door.patient_writes("Segredo")
    await everything.gets("conversation:updated")
    await door.connect(await door.token(email="bruno@aurora.example"))
    await everything.gets("user:online")
    # What was sent before it has arrived by then.
    await program.ask("events:since", {"seq": 0})

    assert [event["type"] for event in program.events] == hears


async def test_who_may_read_no_more_hears_no_more(door: PublicDoor) -> None:
    person = await joined(door, token=await door.token(email="bruno@aurora.example"))
    everything = await joined(door)
    await change_role(door.clinics.ana, str(door.clinics.bruno.user_id), "auditor")
    (client,) = (c for c in door.place.live.public.clients._by_sid.values() if c.holder.person)
    await eventually(lambda: not client.joined)

    await door.patient_writes("Segredo")
    await everything.gets("message:new")
    await everything.gets("conversation:updated")
    await person.ask("events:since", {"seq": 0})

    assert "Segredo" not in str(person.events)
