"""Merging two records of one person: all that one had is the other's, and nothing else changes."""

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from clinic_chat.domain.clinics.scope import locked_clinic
from clinic_chat.domain.conversations.conversation import (
    Conversation,
    Status,
    start_conversation,
)
from clinic_chat.domain.conversations.events import record_conversation_event
from clinic_chat.domain.events.log import EventType, events_after, last_seq
from clinic_chat.domain.patient_records.merging import KEPT, PatientMerge
from clinic_chat.domain.patients.patient import parse_patient_id
from clinic_chat.domain.patients.search_words import PatientWord, WordPart
from clinic_chat.domain.public_api.events import public_events
from clinic_chat.domain.retention.conversations import delete_over_term
from clinic_chat.realtime.feeds.inbox import since
from clinic_chat.storage.base import now
from tests.integration.api.api_fixtures import ClinicApi
from tests.integration.api.rest.program import UNKNOWN, Program, faults, refusal

PHONE, OTHER_PHONE = "+5511987654321", "+5511987650000"


async def merge(program: Program, patient: str, into: str) -> Any:
    return await program.ask("POST", f"/patients/{patient}/merge", {"intoPatientId": into})


async def merges(api: ClinicApi) -> list[PatientMerge]:
    async with api.scope.read() as session:
        return list(await session.scalars(select(PatientMerge).order_by(PatientMerge.id)))


async def sender(program: Program, phone: str, name: str) -> tuple[str, str]:
    """The ids of a patient who wrote, and of their conversation."""
    received = await program.deliver(phone, name=name)
    its: str = received["conversationId"]
    row = (await program.get(f"/conversations/{its}"))["conversation"]
    return row["patientId"], its


async def test_all_that_a_patient_had_is_the_other_ones(api: ClinicApi, program: Program) -> None:
    lena, its = await sender(program, PHONE, "Lena")
    await program.ask("POST", f"/conversations/{its}/messages", {"body": "Olá", "clientId": "1"})
    helena = await program.add_patient(name="Helena Prado", externalId="P-1")
    before = (await program.get(f"/conversations/{its}"))["conversation"]
    messages = await program.get(f"/conversations/{its}/messages")
    shown = await last_seq(api.scope)

    answer = await merge(program, lena, helena["id"])

    merged = answer.json()["patient"]
    assert answer.status_code == 200
    assert (merged["id"], merged["name"], merged["otherNames"]) == (
        helena["id"],
        "Helena Prado",
        ["Lena"],
    )
    assert {one["value"] for one in merged["identities"]} == {PHONE, "P-1"}
    assert refusal(await program.ask("GET", f"/patients/{lena}"))[:2] == (404, "not_found")
    # The conversation is the same one, with its messages as they were.
    after = (await program.get(f"/conversations/{its}"))["conversation"]
    assert after == before | {
        "patientId": helena["id"],
        "patientName": "Helena Prado",
        "patientPhone": after["patientPhone"],
        "version": before["version"] + 1,
    }
    now_read = await program.get(f"/conversations/{its}/messages")
    assert now_read["messages"] == messages["messages"]
    # Screens that are open, and programs, hear of it.
    patch = await since(api.scope, shown, await last_seq(api.scope))
    assert patch is not None
    assert [one["patient_name"] for one in patch.upsert] == ["Helena Prado"]
    (told,) = await public_events(api.scope, await events_after(api.scope, shown))
    assert told.data["updates"]["patientId"] == helena["id"]
    # Whoever writes from the number is the one who is left; both names find them.
    assert (await program.deliver(PHONE))["conversationId"] == its
    for search in ("lena", "prado", "98765-4321"):
        found = (await program.get("/patients", search=search))["patients"]
        assert [one["id"] for one in found] == [helena["id"]], search
    assert await faults(api) == []


async def test_what_moved_is_recorded(api: ClinicApi, program: Program) -> None:
    lena, its = await sender(program, PHONE, "Lena")
    helena = await program.add_patient(name="Helena", externalId="P-1")
    (identity,) = (await program.get(f"/patients/{lena}"))["patient"]["identities"]

    await merge(program, lena, helena["id"])

    (record,) = await merges(api)
    assert (str(record.patient_id), str(record.into_patient_id)) == (lena, helena["id"])
    assert record.moved == {
        "identities": [identity["id"]],
        "conversations": [its],
        "merges": [],
    }
    assert (record.before["merged"]["name"], record.before["into"]["name"]) == ("Lena", "Helena")
    assert record.before["merged"]["phoneShown"] == PHONE
    assert (record.actor_kind, record.merged_at <= now()) == ("token", True)


async def test_a_merge_that_is_repeated_changes_nothing(api: ClinicApi, program: Program) -> None:
    lena, _ = await sender(program, PHONE, "Lena")
    helena = await program.add_patient(name="Helena")
    answers = await asyncio.gather(*(merge(program, lena, helena["id"]) for _ in range(5)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert len(await merges(api)) == 1
    assert await faults(api) == []


async def test_two_conversations_on_one_channel_stay_two(api: ClinicApi, program: Program) -> None:
    lena, first = await sender(program, PHONE, "Lena")
    helena, second = await sender(program, OTHER_PHONE, "Helena")
    before = await program.get("/conversations"), await program.get("/patients")
    written = await last_seq(api.scope)

    answer = await merge(program, lena, helena)

    assert first != second
    assert refusal(answer)[:2] == (409, "conversations_overlap")
    assert answer.json()["error"]["details"] == {"channels": ["api"]}
    assert (await program.get("/conversations"), await program.get("/patients")) == before
    assert await last_seq(api.scope) == written
    assert await merges(api) == []


async def test_conversations_on_two_channels_are_one_patients(
    api: ClinicApi, program: Program
) -> None:
    lena, first = await sender(program, PHONE, "Lena")
    helena = await program.add_patient(name="Helena")
    async with api.scope.write() as session:
        other = start_conversation(session, parse_patient_id(helena["id"]), "import")
        await session.flush()
        record_conversation_event(session, other, EventType.CONVERSATION_UPDATED, was=None)
    shown = await last_seq(api.scope)

    await merge(program, lena, helena["id"])

    rows = (await program.get("/conversations"))["conversations"]
    assert {row["id"] for row in rows} == {first, str(other.id)}
    assert {row["patientId"] for row in rows} == {helena["id"]}
    # What is found of them changed in both.
    patch = await since(api.scope, shown, await last_seq(api.scope))
    assert patch is not None
    assert {one["id"] for one in patch.upsert} == {first, str(other.id)}
    assert await faults(api) == []


async def test_a_patient_without_a_name_gets_the_other_ones(program: Program) -> None:
    lena, _ = await sender(program, PHONE, "Lena")
    unnamed = await program.add_patient(phone=OTHER_PHONE)

    merged = (await merge(program, lena, unnamed["id"])).json()["patient"]

    assert (merged["name"], merged["otherNames"], merged["phone"]) == ("Lena", [], OTHER_PHONE)


async def test_names_beyond_the_latest_five_are_found_no_more(
    api: ClinicApi, program: Program
) -> None:
    for name in ("Wanda", "Xuxa", "Bia", "Cida", "Duda", "Elza"):
        await program.deliver(PHONE, name=name)
    (wanda,) = (await program.get("/patients"))["patients"]
    helena = await program.add_patient(name="Helena")

    merged = (await merge(program, wanda["id"], helena["id"])).json()["patient"]

    assert merged["otherNames"] == ["Xuxa", "Bia", "Cida", "Duda", "Elza"]
    for search, number in (("xuxa", 1), ("wanda", 0)):
        found = (await program.get("/patients", search=search))["patients"]
        assert len(found) == number, search
    async with api.scope.read() as session:
        parts = set(await session.scalars(select(WordPart.word).distinct()))
        assert parts == set(await session.scalars(select(PatientWord.word).distinct()))
    assert await faults(api) == []


async def test_merges_go_along_with_who_is_merged_next(api: ClinicApi, program: Program) -> None:
    one, two, three = [
        (await program.add_patient(name=name, externalId=name))["id"]
        for name in ("Ana", "Bia", "Cida")
    ]
    await merge(program, one, two)
    await merge(program, two, three)

    first, second = await merges(api)
    assert {str(first.into_patient_id), str(second.into_patient_id)} == {three}
    assert second.moved["merges"] == [str(first.id)]
    left = (await program.get(f"/patients/{three}"))["patient"]
    assert sorted(left["otherNames"]) == ["Ana", "Bia"]
    assert {identity["value"] for identity in left["identities"]} == {"Ana", "Bia", "Cida"}
    assert await faults(api) == []


async def test_old_records_of_merges_are_forgotten(api: ClinicApi, program: Program) -> None:
    one, two, three = [
        (await program.add_patient(name=name))["id"] for name in ("Ana", "Bia", "Cida")
    ]
    await merge(program, one, three)
    long_ago = now() - KEPT - timedelta(minutes=1)
    async with api.scope.write() as session:
        await session.execute(update(PatientMerge).values(merged_at=long_ago))

    await merge(program, two, three)

    assert [str(record.patient_id) for record in await merges(api)] == [two]


async def test_the_record_goes_with_the_patient_who_is_left(
    api: ClinicApi, program: Program
) -> None:
    lena, _ = await sender(program, PHONE, "Lena")
    helena = await program.add_patient(name="Helena")
    await merge(program, lena, helena["id"])
    async with api.scope.write() as session:
        clinic = locked_clinic(session)
        clinic.retention_months, clinic.retention_from = 6, now()
        long_ago = now() - timedelta(days=400)
        await session.execute(
            update(Conversation).values(status=Status.RESOLVED, last_activity_at=long_ago)
        )

    assert await delete_over_term(api.scope) == 1

    assert await merges(api) == []
    assert (await program.get("/patients"))["patients"] == []


async def test_what_cannot_be_merged_is_refused(program: Program, stranger: Program) -> None:
    helena = (await program.add_patient(name="Helena"))["id"]
    theirs = (await stranger.add_patient(name="Sigrid"))["id"]

    assert refusal(await merge(program, helena, helena)) == (422, "same_patient", "intoPatientId")
    for patient, into in (
        (helena, UNKNOWN),
        (UNKNOWN, helena),
        (helena, "x"),
        ("x", helena),
        (helena, theirs),
        (theirs, helena),
    ):
        assert refusal(await merge(program, patient, into))[:2] == (404, "not_found")
    assert len((await program.get("/patients"))["patients"]) == 1
    assert len((await stranger.get("/patients"))["patients"]) == 1


async def test_merges_at_once_in_a_ring_leave_one_patient(api: ClinicApi, program: Program) -> None:
    people = [
        (await program.add_patient(name=f"Nome {letter}", externalId=letter))["id"]
        for letter in "abcd"
    ]
    ring = zip(people, [*people[1:], people[0]], strict=True)
    await asyncio.gather(*(merge(program, one, other) for one, other in ring))

    left = (await program.get("/patients"))["patients"]
    assert len(left) == 1
    assert {identity["value"] for identity in left[0]["identities"]} == set("abcd")
    assert await faults(api) == []
