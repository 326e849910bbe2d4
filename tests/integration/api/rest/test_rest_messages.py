"""Messages over HTTP: pages, whole texts, and sending each once."""

import asyncio
from typing import Any

import pytest

from clinic_chat.domain.validation import BODY_LIMIT, KEY_LIMIT
from tests.integration.api.api_fixtures import ClinicApi
from tests.integration.api.rest.program import (
    UNKNOWN,
    Program,
    faults,
    program_of,
    refusal,
)

PHONE = "+5511987654321"


@pytest.fixture
async def conversation(program: Program) -> str:
    """A conversation with one message, the patient's."""
    its: str = (await program.deliver(PHONE))["conversationId"]
    return its


def seqs(page: Any) -> list[int]:
    return [message["seq"] for message in page["messages"]]


async def test_messages_are_read_forwards_and_backwards(
    program: Program, conversation: str
) -> None:
    for number in range(2, 8):
        await program.deliver(PHONE, f"mensagem {number}")
    path = f"/conversations/{conversation}/messages"

    newest = await program.get(path, limit=3)
    assert (seqs(newest), newest["lastSeq"], newest["version"]) == ([5, 6, 7], 7, 7)
    assert seqs(await program.get(path, limit=3, before=5)) == [2, 3, 4]
    assert seqs(await program.get(path, limit=3, before=2)) == [1]
    assert seqs(await program.get(path, limit=3, after=0)) == [1, 2, 3]
    assert seqs(await program.get(path, limit=3, after=6)) == [7]
    assert seqs(await program.get(path, after=7)) == []
    assert seqs(await program.get(path, before=2**62 - 1)) == list(range(1, 8))


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ({"before": -1}, "invalid_request", "before"),
        ({"after": 2**62}, "invalid_request", "after"),
        ({"after": "x"}, "invalid_request", "after"),
        ({"before": 1, "after": 1}, "cursor_invalid", "before"),
        ({"limit": 101}, "invalid_request", "limit"),
    ],
)
async def test_what_is_no_page_is_refused(
    program: Program, conversation: str, query: dict[str, Any], code: str, field: str
) -> None:
    answer = await program.ask("GET", f"/conversations/{conversation}/messages", params=query)

    assert refusal(answer) == (422, code, field)


async def test_a_list_has_the_beginning_of_a_long_text_and_the_message_all_of_it(
    program: Program,
) -> None:
    received = await program.deliver(PHONE, "a" * 10_000)
    its, message = received["conversationId"], received["message"]

    (listed,) = (await program.get(f"/conversations/{its}/messages"))["messages"]
    whole = (await program.get(f"/messages/{message['id']}"))["message"]

    assert (len(listed["body"]), listed["bodyLength"]) == (BODY_LIMIT, 10_000)
    assert whole == message
    assert (len(whole["body"]), whole["bodyLength"]) == (10_000, 0)


async def test_a_message_tells_what_became_of_it(program: Program, conversation: str) -> None:
    sent = await program.ask(
        "POST", f"/conversations/{conversation}/messages", {"body": "Olá", "clientId": "1"}
    )
    its = sent.json()["message"]["id"]
    assert sent.headers["location"] == f"/api/v1/messages/{its}"
    await program.ask("POST", f"/messages/{its}/status", {"status": "delivered"})

    message = (await program.get(f"/messages/{its}"))["message"]
    assert (message["status"], message["body"]) == ("delivered", "Olá")
    assert message["deliveredAt"]
    for unknown in (UNKNOWN, "x", "%00"):
        assert refusal(await program.ask("GET", f"/messages/{unknown}"))[:2] == (404, "not_found")


async def test_a_program_writes_under_its_own_name_and_a_person_under_theirs(
    api: ClinicApi, conversation: str
) -> None:
    path = f"/conversations/{conversation}/messages"
    agenda = await program_of(api, "aurora")
    ana = await program_of(api, "aurora", email="ana@aurora.example")
    me = (await ana.get("/me"))["person"]["id"]

    by_program = await agenda.ask("POST", path, {"body": "Lembrete", "clientId": "1"})
    by_person = await ana.ask("POST", path, {"body": "Olá", "clientId": "1"})

    told = [answer.json()["message"] for answer in (by_program, by_person)]
    assert [(one["authorName"], one["authorId"]) for one in told] == [("Agenda", ""), ("Ana", me)]
    # The same key of another author is another message.
    assert [one["seq"] for one in told] == [2, 3]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Idempotency-Key": "k-1"}, {}),
        ({"Idempotency-Key": '"k-1"'}, {}),
        ({}, {"clientId": "k-1"}),
        ({"Idempotency-Key": '"k-1"'}, {"clientId": "k-1"}),
    ],
)
async def test_a_key_is_one_message_however_it_is_given(
    program: Program, conversation: str, headers: dict[str, str], body: dict[str, str]
) -> None:
    path = f"/conversations/{conversation}/messages"
    first = await program.ask("POST", path, {"body": "Olá", "clientId": "k-1"})
    again = await program.ask("POST", path, {"body": "Outra", **body}, headers=headers)

    assert (first.status_code, again.status_code) == (201, 200)
    # With another text it is still the first message.
    assert again.json() == first.json()
    assert first.json()["message"]["clientId"] == "k-1"


async def test_a_key_is_one_message_in_another_conversation_too(
    program: Program, conversation: str
) -> None:
    other = (await program.deliver("+5511987654322"))["conversationId"]
    body = {"body": "Olá", "clientId": "k-1"}
    first = await program.ask("POST", f"/conversations/{conversation}/messages", body)
    again = await program.ask("POST", f"/conversations/{other}/messages", body)

    assert (again.status_code, again.json()) == (200, first.json())


async def test_twenty_posts_of_one_key_at_once_make_one_message(
    api: ClinicApi, program: Program, conversation: str
) -> None:
    path = f"/conversations/{conversation}/messages"
    answers = await asyncio.gather(
        *(
            program.ask("POST", path, {"body": f"Olá {n}"}, headers={"Idempotency-Key": "k-1"})
            for n in range(20)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.text for answer in answers}) == 1
    assert (await program.get(path))["lastSeq"] == 2
    assert await faults(api) == []


@pytest.mark.parametrize(
    ("headers", "body", "code", "field"),
    [
        ({}, {"body": "Olá"}, "missing_field", "clientId"),
        ({"Idempotency-Key": "a"}, {"body": "Olá", "clientId": "b"}, "keys_differ", "clientId"),
        ({"Idempotency-Key": ""}, {"body": "Olá"}, "clientId_invalid", "clientId"),
        ({"Idempotency-Key": '""'}, {"body": "Olá"}, "clientId_invalid", "clientId"),
        ({}, {"body": "Olá", "clientId": "k" * (KEY_LIMIT + 1)}, "clientId_invalid", "clientId"),
        ({}, {"body": "Olá", "clientId": "a\u0000"}, "clientId_invalid", "clientId"),
        ({}, {"body": "Olá", "clientId": 1}, "invalid_type", "clientId"),
        ({}, {"clientId": "1"}, "missing_field", "body"),
        ({}, {"body": " ", "clientId": "1"}, "body_empty", "body"),
        ({}, {"body": "a" * (BODY_LIMIT + 1), "clientId": "1"}, "body_too_long", "body"),
        ({}, {"body": "Olá", "clientId": "1", "kind": "image"}, "unknown_field", "kind"),
    ],
)
async def test_what_is_no_message_is_refused_and_not_sent(
    program: Program,
    conversation: str,
    headers: dict[str, str],
    body: dict[str, Any],
    code: str,
    field: str,
) -> None:
    path = f"/conversations/{conversation}/messages"
    answer = await program.ask("POST", path, body, headers=headers)

    assert refusal(answer) == (422, code, field)
    assert (await program.get(path))["lastSeq"] == 1


async def test_every_field_that_is_wrong_is_named(program: Program, conversation: str) -> None:
    answer = await program.ask(
        "POST", f"/conversations/{conversation}/messages", {"clientId": 1, "kind": "x"}
    )

    problems = answer.json()["error"]["details"]
    assert {(one["field"], one["code"]) for one in problems} == {
        ("body", "missing_field"),
        ("clientId", "invalid_type"),
        ("kind", "unknown_field"),
    }


@pytest.mark.parametrize("unknown", [UNKNOWN, "x"])
async def test_nothing_is_sent_to_a_conversation_that_is_not_there(
    program: Program, unknown: str
) -> None:
    body = {"body": "Olá", "clientId": "1"}
    for method, sent in (("GET", None), ("POST", body)):
        answer = await program.ask(method, f"/conversations/{unknown}/messages", sent)
        assert refusal(answer)[:2] == (404, "not_found")


async def test_a_body_is_bounded_and_declared(program: Program, conversation: str) -> None:
    path = f"/conversations/{conversation}/messages"
    large = await program.ask("POST", path, {"body": "a" * 70_000, "clientId": "1"})
    text = await program.ask("POST", path, content="{}", headers={"Content-Type": "text/plain"})
    broken = await program.ask(
        "POST", path, content="{", headers={"Content-Type": "application/json"}
    )

    assert refusal(large)[:2] == (413, "body_too_large")
    assert refusal(text)[:2] == (415, "unsupported_media_type")
    assert refusal(broken)[:2] == (400, "malformed_json")
