"""Conversations over HTTP: listing, reading, starting, assigning and resolving them."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from clinic_chat.domain.events.log import events_after
from clinic_chat.domain.public_api.events import public_events
from tests.integration.api.api_fixtures import ClinicApi
from tests.integration.api.rest.program import (
    UNKNOWN,
    Program,
    faults,
    program_of,
    refusal,
)

SINCE = "2026-01-01T00:00:00Z"
PHONES = [f"+55119876500{number:02}" for number in range(5)]


async def conversations(program: Program) -> list[str]:
    """Five conversations, the one of the last phone with the newest message."""
    return [(await program.deliver(phone))["conversationId"] for phone in PHONES]


async def ana_of(program: Program) -> str:
    staff = (await program.get("/staff"))["staff"]
    return next(member["id"] for member in staff if member["name"] == "Ana")


def ids(page: Any) -> list[str]:
    return [row["id"] for row in page["conversations"]]


async def test_a_list_has_the_newest_activity_first_and_its_filters(program: Program) -> None:
    found = await conversations(program)
    ana = await ana_of(program)
    await program.ask("PATCH", f"/conversations/{found[0]}", {"assigneeId": ana})
    await program.ask("PATCH", f"/conversations/{found[1]}", {"status": "resolved"})

    assert ids(await program.get("/conversations")) == found[::-1]
    assert ids(await program.get("/conversations", sort="created")) == found
    assert ids(await program.get("/conversations", assignee=ana)) == [found[0]]
    assert ids(await program.get("/conversations", assignee=UNKNOWN)) == []
    assert ids(await program.get("/conversations", assignee="none", sort="created")) == found[1:]
    assert ids(await program.get("/conversations", status="resolved")) == [found[1]]
    assert ids(await program.get("/conversations", status="resolved", assignee=ana)) == []
    assert ids(await program.get("/conversations", search="98765-0003")) == [found[3]]
    assert ids(await program.get("/conversations", search="ninguém")) == []
    newest = await program.get(f"/conversations/{found[4]}")
    since = newest["conversation"]["lastActivityAt"]
    assert found[4] in ids(await program.get("/conversations", activeSince=since))
    assert ids(await program.get("/conversations", activeSince="2999-01-01T00:00:00Z")) == []


@pytest.mark.parametrize("sort", ["activity", "created"])
@pytest.mark.parametrize("filters", [{}, {"status": "open"}, {"search": "98765"}])
async def test_pages_continue_where_the_one_before_ended(
    program: Program, sort: str, filters: dict[str, str]
) -> None:
    found = await conversations(program)
    walked = await program.pages("/conversations", "conversations", limit=2, sort=sort, **filters)

    expected = found if sort == "created" else found[::-1]
    assert [row["id"] for row in walked] == expected


async def test_me_is_the_person_of_the_token(api: ClinicApi, program: Program) -> None:
    found = await conversations(program)
    ana = await program_of(api, "aurora", email="ana@aurora.example")
    me = (await ana.get("/me"))["person"]["id"]
    await ana.ask("PATCH", f"/conversations/{found[2]}", {"assigneeId": me})

    assert ids(await ana.get("/conversations", assignee="me")) == [found[2]]
    refused = await program.ask("GET", "/conversations", params={"assignee": "me"})
    assert refusal(refused) == (422, "assignee_invalid", "assignee")


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ({"limit": 0}, "invalid_request", "limit"),
        ({"limit": 101}, "invalid_request", "limit"),
        ({"limit": "many"}, "invalid_request", "limit"),
        ({"status": "new"}, "invalid_request", "status"),
        ({"sort": "name"}, "invalid_request", "sort"),
        ({"search": "x" * 101}, "invalid_request", "search"),
        ({"search": "\x00"}, "filter_invalid", ""),
        ({"assignee": "ana"}, "assignee_invalid", "assignee"),
        ({"cursor": "x"}, "cursor_invalid", "cursor"),
        ({"cursor": UNKNOWN}, "cursor_invalid", "cursor"),
        (
            {"cursor": f"2026-01-01T00:00:00Z_{UNKNOWN}", "sort": "created"},
            "cursor_invalid",
            "cursor",
        ),
        ({"activeSince": "yesterday"}, "invalid_request", "activeSince"),
        ({"activeSince": "2026-01-01T00:00:00"}, "activeSince_invalid", "activeSince"),
        (
            {"activeSince": "2026-01-01T00:00:00Z", "sort": "created"},
            "filter_invalid",
            "activeSince",
        ),
    ],
)
async def test_what_is_no_filter_is_refused(
    program: Program, query: dict[str, Any], code: str, field: str
) -> None:
    answer = await program.ask("GET", "/conversations", params=query)

    assert refusal(answer) == (422, code, field)


async def test_a_conversation_is_read_as_its_row_is(program: Program) -> None:
    received = await program.deliver(PHONES[0], name="Helena")
    its = received["conversationId"]

    (row,) = (await program.get("/conversations"))["conversations"]
    assert (await program.get(f"/conversations/{its}"))["conversation"] == row
    assert (row["patientName"], row["patientPhone"], row["lastSeq"]) == ("Helena", PHONES[0], 1)
    for unknown in (UNKNOWN, "x", its.upper()):
        assert refusal(await program.ask("GET", f"/conversations/{unknown}"))[:2] == (
            404,
            "not_found",
        )


async def test_a_conversation_is_started_once(api: ClinicApi, program: Program) -> None:
    patient = await program.add_patient(name="Helena Prado", phone=PHONES[0])

    first = await program.ask("POST", "/conversations", {"patientId": patient["id"]})
    again = await program.ask("POST", "/conversations", {"patientId": patient["id"]})
    by_phone = await program.ask("POST", "/conversations", {"patient": {"phone": PHONES[0]}})

    assert [one.status_code for one in (first, again, by_phone)] == [201, 200, 200]
    assert first.json() == again.json() == by_phone.json()
    started = first.json()["conversation"]
    assert first.headers["location"] == f"/api/v1/conversations/{started['id']}"
    assert (started["channel"], started["lastSeq"], started["version"]) == ("api", 0, 1)
    assert ids(await program.get("/conversations")) == [started["id"]]
    assert await faults(api) == []


async def test_a_started_conversation_goes_on_as_any_other(
    api: ClinicApi, program: Program
) -> None:
    started = await program.ask("POST", "/conversations", {"patient": {"phone": PHONES[0]}})
    its = started.json()["conversation"]["id"]
    assert (await program.get(f"/conversations/{its}/messages"))["messages"] == []

    sent = await program.ask(
        "POST", f"/conversations/{its}/messages", {"body": "Olá", "clientId": "1"}
    )
    received = await program.deliver(PHONES[0])

    assert sent.json()["message"]["seq"] == 1
    assert (received["conversationId"], received["message"]["seq"]) == (its, 2)
    assert await faults(api) == []


async def test_a_patient_of_a_new_conversation_is_found_as_a_sender_is(program: Program) -> None:
    helena = {"name": "Helena", "phone": "11 98765-0000", "externalId": "P-1"}
    new = await program.ask("POST", "/conversations", {"patient": helena})
    other_name = {"patient": {"name": "Lena", "externalId": "P-1"}}
    same = await program.ask("POST", "/conversations", other_name)

    assert (new.status_code, same.status_code) == (201, 200)
    assert new.json()["conversation"]["id"] == same.json()["conversation"]["id"]
    its = new.json()["conversation"]["patientId"]
    patient = (await program.get(f"/patients/{its}"))["patient"]
    assert (patient["name"], patient["otherNames"]) == ("Helena", ["Lena"])
    assert {one["value"] for one in patient["identities"]} == {PHONES[0], "P-1"}


async def test_many_who_start_one_conversation_get_the_same(program: Program) -> None:
    body = {"patient": {"name": "Helena", "phone": PHONES[0]}}
    answers = await asyncio.gather(
        *(program.ask("POST", "/conversations", body) for _ in range(20))
    )

    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["conversation"]["id"] for answer in answers}) == 1
    assert len((await program.get("/patients"))["patients"]) == 1


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({}, 422, "missing_field", "patientId"),
        ({"patientId": UNKNOWN}, 404, "not_found", ""),
        ({"patientId": "x"}, 404, "not_found", ""),
        ({"patientId": 5}, 422, "invalid_type", "patientId"),
        (
            {"patientId": UNKNOWN, "patient": {"phone": PHONES[0]}},
            422,
            "missing_field",
            "patientId",
        ),
        ({"patient": {"name": "Helena"}}, 422, "identity_missing", "patient"),
        ({"patient": {"phone": "Helena"}}, 422, "phone_invalid", "patient.phone"),
        ({"patient": {"externalId": " "}}, 422, "externalId_invalid", "patient.externalId"),
        ({"patient": {"phone": PHONES[0], "name": ""}}, 422, "name_empty", "patient.name"),
        ({"patient": {"phone": PHONES[0], "x": 1}}, 422, "unknown_field", "patient.x"),
        ({"patientId": UNKNOWN, "channel": "fax"}, 422, "invalid_request", "channel"),
    ],
)
async def test_what_names_nobody_starts_nothing(
    program: Program, body: dict[str, Any], status: int, code: str, field: str
) -> None:
    answer = await program.ask("POST", "/conversations", body)

    assert refusal(answer) == (status, code, field)
    assert (await program.get("/patients"))["patients"] == []


async def test_status_and_assignee_change_together_in_one_event(
    api: ClinicApi, program: Program
) -> None:
    its = (await program.deliver(PHONES[0]))["conversationId"]
    ana = await ana_of(program)
    before = (await events_after(api.scope, 0))[-1].seq

    changed = await program.ask(
        "PATCH", f"/conversations/{its}", {"status": "pending", "assigneeId": ana}
    )
    again = await program.ask(
        "PATCH", f"/conversations/{its}", {"status": "pending", "assigneeId": ana}
    )

    row = changed.json()["conversation"]
    assert (row["status"], row["assigneeId"], row["assigneeName"]) == ("pending", ana, "Ana")
    assert again.json() == changed.json()
    (told,) = await public_events(api.scope, await events_after(api.scope, before))
    assert set(told.data["updates"]) == {"status", "assigneeId", "assigneeName", "version"}
    assert await faults(api) == []


@pytest.mark.parametrize("nobody", [None, ""])
async def test_a_conversation_is_taken_from_whoever_is_expected_alone(
    program: Program, nobody: str | None
) -> None:
    its = (await program.deliver(PHONES[0]))["conversationId"]
    ana = await ana_of(program)
    take = {"assigneeId": ana, "expectedAssigneeId": nobody}

    taken = await program.ask("PATCH", f"/conversations/{its}", take)
    late = {"assigneeId": nobody, "expectedAssigneeId": UNKNOWN, "status": "resolved"}
    refused = await program.ask("PATCH", f"/conversations/{its}", late)

    assert taken.json()["conversation"]["assigneeId"] == ana
    assert refusal(refused)[:2] == (409, "already_assigned")
    assert refused.json()["error"]["details"] == {"assigneeId": ana, "assigneeName": "Ana"}
    # Nothing of it was done.
    assert (await program.get(f"/conversations/{its}"))["conversation"]["status"] == "open"
    freed = await program.ask("PATCH", f"/conversations/{its}", {"assigneeId": nobody})
    assert freed.json()["conversation"]["assigneeId"] == ""


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({}, 422, "missing_field", "status"),
        ({"expectedAssigneeId": ""}, 422, "missing_field", "status"),
        ({"status": "open", "expectedAssigneeId": ""}, 422, "missing_field", "assigneeId"),
        ({"status": "new"}, 422, "invalid_request", "status"),
        ({"assigneeId": "ana"}, 422, "assignee_invalid", "assigneeId"),
        ({"assigneeId": UNKNOWN}, 404, "not_found", ""),
        ({"state": "open"}, 422, "unknown_field", "state"),
    ],
)
async def test_what_cannot_be_changed_is_refused(
    program: Program, body: dict[str, Any], status: int, code: str, field: str
) -> None:
    its = (await program.deliver(PHONES[0]))["conversationId"]
    before = await program.get(f"/conversations/{its}")
    answer = await program.ask("PATCH", f"/conversations/{its}", body)

    assert refusal(answer) == (status, code, field)
    assert await program.get(f"/conversations/{its}") == before


async def test_a_colleague_of_another_clinic_gets_no_conversation(
    api: ClinicApi, program: Program, stranger: Program
) -> None:
    its = (await program.deliver(PHONES[0]))["conversationId"]
    staff = (await stranger.get("/staff"))["staff"]
    carla = next(member["id"] for member in staff if member["name"] == "Carla")
    assert UUID(carla)

    answer = await program.ask("PATCH", f"/conversations/{its}", {"assigneeId": carla})

    assert refusal(answer)[:2] == (404, "not_found")
