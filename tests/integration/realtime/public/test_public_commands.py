"""The commands of programs: what each answers, and what each refuses."""

from typing import Any
from uuid import uuid4

import pytest

from clinic_chat.domain.administration.members import change_role
from clinic_chat.domain.messages.sending import Sends
from clinic_chat.domain.retention.events import delete_events
from clinic_chat.realtime.public import commands
from clinic_chat.storage.base import now
from tests.integration.realtime.public.programs import PublicDoor, door, limits, place
from tests.support.sending import conversation_with

pytestmark = pytest.mark.usefixtures("any_database")

__all__ = ["door", "limits", "place"]
ANA, BRUNO = "ana@aurora.example", "bruno@aurora.example"


def code(answer: dict[str, Any]) -> str:
    """The code of a refusal."""
    assert answer["ok"] is False
    assert set(answer) == {"ok", "error"}
    assert set(answer["error"]) == {"code", "message"}
    return str(answer["error"]["code"])


async def test_a_send_is_stored_once_and_signed_by_the_program(door: PublicDoor) -> None:
    program = await door.connect()
    message = {"conversationId": door.conversation, "clientId": "1", "body": "Bom dia"}

    first, again = (
        await program.ask("message:send", message),
        await program.ask("message:send", message | {"body": "Boa noite"}),
    )

    assert (first["ok"], first["created"], again["created"]) == (True, True, False)
    assert first["message"] == again["message"]
    assert first["message"]["authorName"] == "Quiosque"
    assert first["message"]["authorId"] == ""
    assert first["message"]["direction"] == "outbound"


async def test_a_persons_token_acts_as_that_person(door: PublicDoor) -> None:
    program = await door.connect(await door.token(email=ANA))
    message = {"conversationId": door.conversation, "clientId": "1", "body": "Bom dia"}

    sent = await program.ask("message:send", message)
    read = await program.ask("message:read", {"conversationId": door.conversation, "seq": 1})

    assert sent["message"]["authorId"] == str(door.clinics.ana.user_id)
    assert sent["message"]["authorName"] == "Ana Souza"
    assert read == {"ok": True, "inboundRead": 1}


async def test_a_join_answers_the_newest_page_or_what_was_missed(door: PublicDoor) -> None:
    program = await door.connect()
    for number in range(2, 41):
        await door.patient_writes(f"Mensagem {number}")

    newest = await program.ask("conversation:join", {"conversationId": door.conversation})
    version = newest["version"]
    await door.patient_writes("E mais uma")
    missed = await program.ask(
        "conversation:join", {"conversationId": door.conversation, "sinceVersion": version}
    )
    nothing = await program.ask(
        "conversation:join", {"conversationId": door.conversation, "sinceVersion": version + 1}
    )
    ahead = await program.ask(
        "conversation:join", {"conversationId": door.conversation, "sinceVersion": version + 9}
    )

    assert [message["seq"] for message in newest["messages"]] == list(range(11, 41))
    assert (newest["page"], newest["pageSize"], newest["hasMore"]) == (1, 30, True)
    assert [e["type"] for e in missed["events"]] == ["message:new", "conversation:updated"]
    assert missed["events"][0]["message"]["body"] == "E mais uma"
    assert nothing["events"] == []
    assert ahead["resync"] is True
    assert ahead["messages"][-1]["seq"] == 41


async def test_pages_go_back_to_the_first_message_without_hole_or_repetition(
    door: PublicDoor,
) -> None:
    program = await door.connect()
    for number in range(2, 26):
        await door.patient_writes(f"Mensagem {number}")

    seen: list[int] = []
    page = await program.ask("message:page", {"conversationId": door.conversation, "limit": 10})
    while True:
        seen = [message["seq"] for message in page["messages"]] + seen
        if not page["hasMore"]:
            break
        before = {"conversationId": door.conversation, "beforeSeq": seen[0], "limit": 10}
        page = await program.ask("message:page", before)

    assert seen == list(range(1, 26))


@pytest.mark.parametrize(
    ("event", "data", "wanted"),
    [
        ("conversation:join", {}, "not_found"),
        ("conversation:join", {"conversationId": str(uuid4())}, "not_found"),
        ("conversation:join", {"conversationId": "OWN", "sinceVersion": -1}, "number_invalid"),
        ("conversation:join", {"conversationId": "OWN", "sinceVersion": "1"}, "number_invalid"),
        ("conversation:join", {"conversationId": "FOREIGN"}, "not_found"),
        ("conversation:leave", {"conversationId": "OWN"}, "not_joined"),
        ("message:send", {"conversationId": "FOREIGN", "clientId": "1", "body": "a"}, "not_found"),
        ("message:send", {"conversationId": "OWN", "clientId": "1", "body": " "}, "body_empty"),
        ("message:send", {"conversationId": "OWN", "body": "a"}, "clientId_invalid"),
        ("message:page", {"conversationId": "FOREIGN"}, "not_found"),
        ("message:page", {"conversationId": "OWN", "limit": 51}, "limit_invalid"),
        ("message:page", {"conversationId": "OWN", "limit": 0}, "limit_invalid"),
        ("message:page", {"conversationId": "OWN", "beforeSeq": True}, "number_invalid"),
        ("message:read", {"conversationId": "FOREIGN", "seq": 1}, "forbidden"),
        ("typing:start", {"conversationId": "OWN"}, "not_joined"),
        ("typing:stop", {"conversationId": ["OWN"]}, "not_joined"),
        ("events:since", {}, "seq_invalid"),
        ("events:since", {"seq": 2**70}, "number_invalid"),
        ("events:since", {"seq": 1.5}, "number_invalid"),
        ("conversation:status", {"conversationId": "OWN"}, "unknown_event"),
        ("feed:open", {}, "unknown_event"),
        ("message:send", "text", "not_an_object"),
        ("message:send", [1], "not_an_object"),
    ],
)
async def test_what_is_wrong_is_refused_with_its_code(
    door: PublicDoor, event: str, data: Any, wanted: str
) -> None:
    foreign = await conversation_with(door.clinics.boreal, "+5511987654322")
    program = await door.connect()
    if isinstance(data, dict):
        places = {"OWN": door.conversation, "FOREIGN": foreign}
        data = {k: places.get(v, v) if isinstance(v, str) else v for k, v in data.items()}

    assert code(await program.ask(event, data)) == wanted


@pytest.mark.parametrize("event", sorted(commands.COMMANDS))
@pytest.mark.parametrize("token", ["without permission", "of an auditor"])
async def test_every_command_needs_a_permission(door: PublicDoor, event: str, token: str) -> None:
    if token == "of an auditor":
        await change_role(door.clinics.ana, str(door.clinics.bruno.user_id), "auditor")
        program = await door.connect(await door.token(email=BRUNO))
    else:
        program = await door.connect(await door.token(permissions=["messages.deliver"]))
    # As if it had joined before it lost the permission.
    client = next(iter(door.place.live.public.clients._by_sid.values()))
    client.joined.add(door.conversation)
    data = {
        "conversationId": door.conversation,
        "clientId": "1",
        "body": "a",
        "seq": 1,
    }
    # What only ends something needs none.
    ends = event in ("conversation:leave", "typing:stop")

    answer = await program.ask(event, data)

    assert answer["ok"] if ends else code(answer) == "forbidden"


@pytest.mark.parametrize("event", sorted(commands.COMMANDS))
async def test_no_command_reaches_another_clinic(door: PublicDoor, event: str) -> None:
    program = await door.connect(await door.token("boreal"), "boreal")
    data = {"conversationId": door.conversation, "clientId": "1", "body": "a", "seq": 0}

    answer = await program.ask(event, data)

    if event == "events:since":
        assert answer == {"ok": True, "events": [], "seq": 0, "more": False}
    else:
        assert code(answer) in ("not_found", "not_joined", "forbidden")


async def test_a_client_joins_so_many_conversations_and_no_more(
    door: PublicDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "MAX_JOINED", 1)
    other = await conversation_with(door.clinics.aurora, "+5511987654322")
    program = await door.connect()

    first = await program.ask("conversation:join", {"conversationId": door.conversation})
    again = await program.ask("conversation:join", {"conversationId": door.conversation})
    refused = await program.ask("conversation:join", {"conversationId": other})
    await program.ask("conversation:leave", {"conversationId": door.conversation})
    second = await program.ask("conversation:join", {"conversationId": other})

    assert (first["ok"], again["ok"], second["ok"]) == (True, True, True)
    assert code(refused) == "too_many_conversations"


async def test_what_was_missed_in_the_clinic_comes_in_pages(
    door: PublicDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "EVENTS_AT_ONCE", 3)
    program = await door.connect()
    other = await conversation_with(door.scope(door.clinics.aurora), "+5511987654322")
    for number in range(2, 9):
        await door.patient_writes(f"Mensagem {number}")

    seq, bodies = 0, []
    while True:
        answer = await program.ask("events:since", {"seq": seq})
        bodies += [e["message"]["body"] for e in answer["events"] if e["type"] == "message:new"]
        seqs = [event["seq"] for event in answer["events"]]
        assert seqs == sorted(seqs)
        assert all(seq < number <= answer["seq"] for number in seqs)
        seq = answer["seq"]
        if not answer["more"]:
            break

    assert other
    assert bodies == ["Olá", "olá", *(f"Mensagem {number}" for number in range(2, 9))]


async def test_after_retention_a_client_reads_its_lists_anew(door: PublicDoor) -> None:
    program = await door.connect()
    await door.patient_writes("Bom dia")
    await delete_events(door.clinics.aurora, now())
    ahead = await program.ask("events:since", {"seq": 99})

    past = await program.ask("events:since", {"seq": 0})
    current = await program.ask("events:since", {"seq": past["seq"]})

    assert past == {"ok": True, "resync": True, "seq": 2}
    assert ahead == past
    assert current == {"ok": True, "events": [], "seq": 2, "more": False}


async def test_sends_of_a_token_are_limited(door: PublicDoor) -> None:
    door.place.services.settings.sends_per_minute = 2
    program = await door.connect()
    answers = [
        await program.ask(
            "message:send",
            {"conversationId": door.conversation, "clientId": f"{number}", "body": "a"},
        )
        for number in range(3)
    ]

    assert [answer["ok"] for answer in answers] == [True, True, False]
    assert code(answers[2]) == "rate_limited"


async def test_a_failure_is_answered_and_says_nothing(
    door: PublicDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise ValueError("Paula Souza")

    monkeypatch.setattr(Sends, "send", fails)
    program = await door.connect()
    answer = await program.ask(
        "message:send", {"conversationId": door.conversation, "clientId": "1", "body": "a"}
    )

    assert code(answer) == "internal"
    assert "Paula" not in str(answer)


async def test_long_messages_come_in_answers_that_a_polling_client_can_take(
    door: PublicDoor,
) -> None:
    program = await door.connect(transport="polling")
    bodies = [f"{number} " + "😀" * 3_900 for number in range(60)]
    for body in bodies:
        await door.patient_writes(body)

    seq, found, asked = 0, [], 0
    while True:
        answer = await program.ask("events:since", {"seq": seq})
        found += [e["message"]["body"] for e in answer["events"] if e["type"] == "message:new"]
        seq, asked = answer["seq"], asked + 1
        if not answer["more"]:
            break
    too_long = await program.ask(
        "conversation:join", {"conversationId": door.conversation, "sinceVersion": 1}
    )
    page = await program.ask("message:page", {"conversationId": door.conversation, "limit": 50})

    assert found == ["Olá", *bodies]
    assert asked > 3
    assert too_long["resync"] is True
    assert len(page["messages"]) == 50
