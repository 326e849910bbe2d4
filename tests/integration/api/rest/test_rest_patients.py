"""Patients over HTTP: finding, adding and renaming them, and their identities."""

import asyncio
from typing import Any

import pytest

from clinic_chat.domain.events.log import events_after, last_seq
from clinic_chat.domain.patient_records.identities import MOST_IDENTITIES
from clinic_chat.domain.public_api.events import public_events
from clinic_chat.domain.queries.inbox import list_conversations
from clinic_chat.realtime.feeds.inbox import since
from tests.integration.api.api_fixtures import ClinicApi
from tests.integration.api.rest.program import UNKNOWN, Program, faults, refusal

PHONE, OTHER_PHONE = "+5511987654321", "+5511987650000"


def names(page: Any) -> list[str]:
    return [patient["name"] for patient in page["patients"]]


async def test_a_patient_is_added_with_what_is_known(api: ClinicApi, program: Program) -> None:
    answer = await program.ask(
        "POST",
        "/patients",
        {"name": " Helena  Prado ", "phone": "(11) 8765-4321", "externalId": "P-1"},
    )
    patient = answer.json()["patient"]

    assert answer.status_code == 201
    assert answer.headers["location"] == f"/api/v1/patients/{patient['id']}"
    assert (patient["name"], patient["phone"]) == ("Helena Prado", "+551187654321")
    assert {(one["kind"], one["value"]) for one in patient["identities"]} == {
        ("external", "P-1"),
        # With the ninth digit that mobiles have since 2016.
        ("phone", PHONE),
    }
    assert (await program.get(f"/patients/{patient['id']}"))["patient"] == patient
    # Whoever writes from the number is this patient.
    received = await program.deliver(PHONE)
    row = (await program.get(f"/conversations/{received['conversationId']}"))["conversation"]
    assert row["patientId"] == patient["id"]
    assert await faults(api) == []


async def test_patients_are_found_by_phone_id_and_search(program: Program) -> None:
    await program.add_patient(name="Helena Prado", phone=PHONE, externalId="P-1")
    await program.add_patient(name="Élton Prado", externalId="P-2")
    await program.add_patient(phone=OTHER_PHONE)

    assert names(await program.get("/patients")) == ["Helena Prado", "Élton Prado", ""]
    for spelling in (PHONE, "11 98765-4321", "(11) 8765-4321", "5511987654321"):
        assert names(await program.get("/patients", phone=spelling)) == ["Helena Prado"]
    assert names(await program.get("/patients", phone="+5511900000000")) == []
    assert names(await program.get("/patients", externalId="P-2")) == ["Élton Prado"]
    assert names(await program.get("/patients", externalId="p-2")) == []
    assert names(await program.get("/patients", search="elton")) == ["Élton Prado"]
    assert names(await program.get("/patients", search="prado")) == ["Helena Prado", "Élton Prado"]
    assert names(await program.get("/patients", search="98765-0000")) == [""]
    walked = await program.pages("/patients", "patients", search="prado", limit=1)
    assert [one["name"] for one in walked] == ["Helena Prado", "Élton Prado"]


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ({"phone": PHONE, "externalId": "P-1"}, "filter_invalid", "search"),
        ({"phone": PHONE, "search": "x"}, "filter_invalid", "search"),
        ({"phone": ""}, "phone_missing", "phone"),
        ({"search": "x" * 101}, "invalid_request", "search"),
        ({"search": "\x00"}, "search_invalid", "search"),
        ({"cursor": "x"}, "cursor_invalid", "cursor"),
        ({"limit": 0}, "invalid_request", "limit"),
    ],
)
async def test_what_is_no_question_is_refused(
    program: Program, query: dict[str, Any], code: str, field: str
) -> None:
    answer = await program.ask("GET", "/patients", params=query)

    assert refusal(answer) == (422, code, field)


@pytest.mark.parametrize("odd", [{"externalId": ""}, {"externalId": "\x00"}, {"phone": "a\x00b"}])
async def test_an_odd_identity_finds_nobody(program: Program, odd: dict[str, str]) -> None:
    assert names(await program.get("/patients", **odd)) == []


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "identity_missing", "phone"),
        ({"name": "\u200b"}, "name_empty", "name"),
        ({"name": "x" * 121}, "name_too_long", "name"),
        ({"name": "x", "phone": "x"}, "phone_invalid", "phone"),
        ({"phone": "1" * 65}, "phone_invalid", "phone"),
        ({"phone": ""}, "phone_invalid", "phone"),
        ({"externalId": "x" * 201}, "externalId_invalid", "externalId"),
        ({"externalId": "a\u0000"}, "externalId_invalid", "externalId"),
        ({"name": 5}, "invalid_type", "name"),
        ({"name": "x", "birthday": "1990-01-01"}, "unknown_field", "birthday"),
    ],
)
async def test_what_is_no_patient_is_not_added(
    program: Program, body: dict[str, Any], code: str, field: str
) -> None:
    answer = await program.ask("POST", "/patients", body)

    assert refusal(answer) == (422, code, field)
    assert (await program.get("/patients"))["patients"] == []


async def test_an_identity_that_somebody_has_makes_no_second_patient(program: Program) -> None:
    helena = await program.add_patient(name="Helena", phone=PHONE, externalId="P-1")
    for taken, kind in (({"phone": "11 98765-4321"}, "phone"), ({"externalId": "P-1"}, "external")):
        answer = await program.ask("POST", "/patients", {"name": "Lena", **taken})

        assert refusal(answer)[:2] == (409, "identity_taken")
        assert answer.json()["error"]["details"] == {"kind": kind, "patientId": helena["id"]}
    assert names(await program.get("/patients")) == ["Helena"]


async def test_many_who_add_one_patient_add_one(program: Program) -> None:
    body = {"name": "Helena", "phone": PHONE}
    answers = await asyncio.gather(*(program.ask("POST", "/patients", body) for _ in range(10)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9


async def test_a_corrected_name_is_on_every_screen_and_found(
    api: ClinicApi, program: Program
) -> None:
    received = await program.deliver(PHONE, name="Helena Prado")
    its = received["conversationId"]
    row = (await program.get(f"/conversations/{its}"))["conversation"]
    await program.deliver(OTHER_PHONE)
    shown = await last_seq(api.scope)

    renamed = await program.ask(
        "PATCH", f"/patients/{row['patientId']}", {"name": "Zilda Quaresma"}
    )
    again = await program.ask("PATCH", f"/patients/{row['patientId']}", {"name": "Zilda Quaresma"})

    assert renamed.json()["patient"]["name"] == "Zilda Quaresma"
    assert again.json() == renamed.json()
    # A tab that showed the list gets the row, and no other.
    patch = await since(api.scope, shown, await last_seq(api.scope))
    assert patch is not None
    assert [(one["id"], one["patient_name"]) for one in patch.upsert] == [(its, "Zilda Quaresma")]
    (told,) = await public_events(api.scope, await events_after(api.scope, shown))
    assert told.data["updates"] == {
        "patientId": row["patientId"],
        "patientName": "Zilda Quaresma",
        "patientPhone": PHONE,
        "version": row["version"] + 1,
    }
    assert names(await program.get("/patients", search="zilda")) == ["Zilda Quaresma"]
    assert names(await program.get("/patients", search="helena")) == []
    assert await faults(api) == []


async def test_a_name_that_a_channel_gave_stays_beside_a_corrected_one(program: Program) -> None:
    await program.deliver(PHONE, name="Lena P")
    received = await program.deliver(PHONE, name="Helena Prado")
    its = (await program.get(f"/conversations/{received['conversationId']}"))["conversation"]
    path = f"/patients/{its['patientId']}"

    answer = await program.ask("PATCH", path, {"name": "Helena Prado"})

    patient = answer.json()["patient"]
    # It was another name of theirs, and is none any more.
    assert (patient["name"], patient["otherNames"]) == ("Helena Prado", [])


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "missing_field", "name"),
        ({"name": ""}, "name_empty", "name"),
        ({"name": None}, "invalid_type", "name"),
        ({"name": "x" * 121}, "name_too_long", "name"),
        ({"name": "x", "phone": PHONE}, "unknown_field", "phone"),
    ],
)
async def test_what_is_no_name_changes_nothing(
    program: Program, body: dict[str, Any], code: str, field: str
) -> None:
    helena = await program.add_patient(name="Helena")
    answer = await program.ask("PATCH", f"/patients/{helena['id']}", body)

    assert refusal(answer) == (422, code, field)
    assert names(await program.get("/patients")) == ["Helena"]


async def test_identities_come_and_go(api: ClinicApi, program: Program) -> None:
    received = await program.deliver(PHONE, name="Helena")
    row = (await program.get(f"/conversations/{received['conversationId']}"))["conversation"]
    path = f"/patients/{row['patientId']}"
    shown = await last_seq(api.scope)

    added = await program.ask("POST", f"{path}/identities", {"kind": "phone", "value": OTHER_PHONE})
    again = await program.ask(
        "POST", f"{path}/identities", {"kind": "phone", "value": "11 98765-0000"}
    )
    named = await program.ask("POST", f"{path}/identities", {"kind": "external", "value": "P-1"})

    assert [one.status_code for one in (added, again, named)] == [201, 200, 201]
    patient = named.json()["patient"]
    # The number that was used last is shown on.
    assert patient["phone"] == PHONE
    assert names(await program.get("/patients", search="98765-0000")) == ["Helena"]
    assert (await program.deliver(OTHER_PHONE))["conversationId"] == row["id"]
    first = next(one["id"] for one in patient["identities"] if one["value"] == PHONE)
    gone = await program.ask("DELETE", f"{path}/identities/{first}")
    assert (gone.status_code, gone.content) == (204, b"")
    left = (await program.get(path))["patient"]
    assert [one["value"] for one in left["identities"]] == [OTHER_PHONE, "P-1"]
    assert left["phone"] == OTHER_PHONE
    assert names(await program.get("/patients", search="98765-4321")) == []
    # Screens heard of all of it, and whoever writes from the number is somebody new.
    events = await events_after(api.scope, shown)
    assert sum(bool(event.payload.get("patient")) for event in events) == 3
    assert (await program.deliver(PHONE))["conversationId"] != row["id"]
    assert await faults(api) == []


async def test_the_last_identity_may_go(api: ClinicApi, program: Program) -> None:
    await program.deliver(PHONE)
    (patient,) = (await program.get("/patients"))["patients"]
    path = f"/patients/{patient['id']}"

    await program.ask("DELETE", f"{path}/identities/{patient['identities'][0]['id']}")

    left = (await program.get(path))["patient"]
    assert (left["identities"], left["phone"]) == ([], "")
    (row,) = (await list_conversations(api.scope)).rows
    assert (row.patient_name, row.patient_phone) == ("", "")
    assert await faults(api) == []


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"kind": "phone"}, "missing_field", "value"),
        ({"kind": "fax", "value": "1"}, "invalid_request", "kind"),
        ({"kind": "import", "value": "1"}, "invalid_request", "kind"),
        ({"kind": "phone", "value": "Helena"}, "phone_invalid", "value"),
        ({"kind": "external", "value": " "}, "externalId_invalid", "value"),
        ({"kind": "address", "value": "x" * 201}, "address_invalid", "value"),
        ({"kind": "address", "value": "\u0000"}, "address_invalid", "value"),
    ],
)
async def test_what_is_no_identity_is_refused(
    program: Program, body: dict[str, Any], code: str, field: str
) -> None:
    helena = await program.add_patient(name="Helena")
    answer = await program.ask("POST", f"/patients/{helena['id']}/identities", body)

    assert refusal(answer) == (422, code, field)


async def test_an_address_is_kept_as_a_channel_would_deliver_it(program: Program) -> None:
    helena = await program.add_patient(name="Helena")
    path = f"/patients/{helena['id']}/identities"
    await program.ask("POST", path, {"kind": "address", "value": "helena.prado"})
    answer = await program.ask("POST", path, {"kind": "address", "value": "11 98765-4321"})

    kinds = [(one["kind"], one["value"]) for one in answer.json()["patient"]["identities"]]
    assert kinds == [("address", "helena.prado"), ("phone", PHONE)]
    assert (await program.deliver("helena.prado"))["conversationId"]
    assert len((await program.get("/patients"))["patients"]) == 1


async def test_an_identity_of_another_patient_is_not_taken_from_them(program: Program) -> None:
    helena = await program.add_patient(name="Helena", phone=PHONE)
    zilda = await program.add_patient(name="Zilda")

    answer = await program.ask(
        "POST", f"/patients/{zilda['id']}/identities", {"kind": "phone", "value": PHONE}
    )
    not_hers = f"/patients/{zilda['id']}/identities/{helena['identities'][0]['id']}"

    assert refusal(answer)[:2] == (409, "identity_taken")
    assert answer.json()["error"]["details"]["patientId"] == helena["id"]
    assert refusal(await program.ask("DELETE", not_hers))[:2] == (404, "not_found")
    assert (await program.get(f"/patients/{helena['id']}"))["patient"] == helena


async def test_a_patient_has_a_limit_of_identities(program: Program) -> None:
    helena = await program.add_patient(name="Helena")
    path = f"/patients/{helena['id']}/identities"
    answers = [
        await program.ask("POST", path, {"kind": "external", "value": f"P-{number}"})
        for number in range(MOST_IDENTITIES + 1)
    ]

    assert {answer.status_code for answer in answers[:-1]} == {201}
    assert refusal(answers[-1])[:2] == (409, "too_many_identities")


@pytest.mark.parametrize("unknown", [UNKNOWN, "x", "%00"])
async def test_nobody_is_404(program: Program, unknown: str) -> None:
    path = f"/patients/{unknown}"
    for method, rest, body in (
        ("GET", "", None),
        ("PATCH", "", {"name": "x"}),
        ("POST", "/identities", {"kind": "external", "value": "1"}),
        ("DELETE", f"/identities/{UNKNOWN}", None),
    ):
        assert refusal(await program.ask(method, path + rest, body))[:2] == (404, "not_found")
