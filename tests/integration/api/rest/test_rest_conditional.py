"""Conditional requests: what a program has already is answered by 304, and nothing else is."""

import pytest

from tests.integration.api.rest.program import Program

PHONE = "+5511987654321"


async def paths(program: Program) -> list[str]:
    """Every kind of GET, with something to read."""
    received = await program.deliver(PHONE, name="Helena")
    its, message = received["conversationId"], received["message"]["id"]
    patient = (await program.get(f"/conversations/{its}"))["conversation"]["patientId"]
    return [
        "/conversations",
        f"/conversations/{its}",
        f"/conversations/{its}/messages",
        f"/messages/{message}",
        "/patients",
        f"/patients/{patient}",
        "/staff",
        "/me",
    ]


async def test_what_has_not_changed_is_304_without_a_body(program: Program) -> None:
    for path in await paths(program):
        whole = await program.ask("GET", path)
        tag = whole.headers["etag"]
        for asked in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            answer = await program.ask("GET", path, headers={"If-None-Match": asked})
            assert (answer.status_code, answer.content) == (304, b""), (path, asked)
            assert answer.headers["etag"] == tag
            assert "ratelimit-remaining" in answer.headers
        other = await program.ask("GET", path, headers={"If-None-Match": '"x"'})
        assert (other.status_code, other.json()) == (200, whole.json())


async def test_whatever_changes_an_answer_changes_its_tag(program: Program) -> None:
    found = await paths(program)
    its = found[1].rpartition("/")[2]
    sent = await program.ask("POST", f"{found[2]}", {"body": "Olá", "clientId": "1"})
    message = sent.json()["message"]["id"]
    reading = [*found[:3], f"/messages/{message}", *found[4:6]]
    changes = [
        ("POST", f"/messages/{message}/status", {"status": "read"}, {0, 1, 2, 3}),
        ("PATCH", f"/conversations/{its}", {"status": "pending"}, {0, 1, 2}),
        ("PATCH", found[5], {"name": "Zilda"}, {0, 1, 2, 4, 5}),
        ("POST", found[2], {"body": "Oi", "clientId": "2"}, {0, 1, 2}),
    ]
    for method, path, body, changed in changes:
        before = [await program.ask("GET", one) for one in reading]
        answer = await program.ask(method, path, body)
        assert answer.is_success, answer.text
        for number, (one, held) in enumerate(zip(reading, before, strict=True)):
            again = await program.ask("GET", one, headers={"If-None-Match": held.headers["etag"]})
            assert again.status_code == (200 if number in changed else 304), (path, one)


@pytest.mark.parametrize("query", [{"limit": 1}, {"before": 2}, {"after": 0}])
async def test_another_page_has_another_tag(program: Program, query: dict[str, int]) -> None:
    path = (await paths(program))[2]
    newest = await program.ask("GET", path)
    held = {"If-None-Match": newest.headers["etag"]}

    assert (await program.ask("GET", path, params=query, headers=held)).status_code == 200


async def test_a_refusal_has_no_tag(program: Program) -> None:
    answer = await program.ask("GET", "/patients/x", headers={"If-None-Match": "*"})

    assert answer.status_code == 404
    assert "etag" not in answer.headers
