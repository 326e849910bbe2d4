"""Counts and search words are kept by the transactions that change what they are about."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from clinic_chat.demo.fill import fill_demo
from clinic_chat.doctor.examination import examine_database
from clinic_chat.doctor.finding import Verdict
from clinic_chat.doctor.keeping import KEEPING
from clinic_chat.domain.conversations.assignment import assign, set_status
from clinic_chat.domain.errors import Conflict, InvalidInput
from clinic_chat.domain.messages.read_markers import mark_read, mark_unread
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.patients.patient import Patient
from clinic_chat.domain.patients.search_words import PatientWord
from clinic_chat.domain.queries.filters import Filter, matches
from clinic_chat.domain.queries.inbox import list_conversations
from clinic_chat.domain.queries.patient_candidates import candidates
from clinic_chat.folding import PART_LIMIT, indexed_words, word_parts
from clinic_chat.storage.database import Database
from tests.conftest import Clinics
from tests.support.sending import send_message

PHONES = [f"+55119876500{number:02}" for number in range(3)]


async def wrong(database: Database) -> list[str]:
    found = await examine_database(database.url, KEEPING)
    return [f"{one.subject}: {one.text}" for one in found if one.verdict is not Verdict.OK]


async def test_counts_are_right_after_whatever_happens_at_once(
    any_database: Database, clinics: Clinics
) -> None:
    numbers = iter(range(1_000))

    async def receive(phone: str) -> str:
        stored = await receive_message(
            clinics.aurora, name="Zé", phone=phone, body="oi", external_id=str(next(numbers))
        )
        return stored.message.conversation_id

    async def perhaps(work: Awaitable[object]) -> None:
        with suppress(Conflict, InvalidInput):
            await work

    places = [await receive(phone) for phone in PHONES]
    people = (clinics.ana, clinics.bruno)
    for turn in range(4):
        works: list[Awaitable[object]] = []
        for number, place in enumerate(places):
            status = ("open", "pending", "resolved")[(turn + number) % 3]
            taker = people[(turn + number) % 2]
            works += [
                receive(PHONES[number]),
                *(mark_read(person, place, 100) for person in people),
                set_status(clinics.ana, place, status),
                perhaps(assign(taker, place, str(taker.user_id), "")),
                perhaps(mark_unread(people[turn % 2], place)),
                send_message(clinics.bruno, place, "oi", f"{turn}"),
                receive(PHONES[number]),
                mark_read(clinics.ana, place, 100),
            ]
        await asyncio.gather(*works)
        assert await wrong(any_database) == []


NAMES = st.lists(
    st.text(st.sampled_from("aáb'-1 çßZ%_+"), min_size=1, max_size=40).filter(
        lambda name: any(c.isalpha() for c in name)
    ),
    min_size=1,
    max_size=4,
)
SEARCHES = st.text(st.sampled_from("aáb'-1 çsZ%_+5"), max_size=24)


@given(names=NAMES, search=SEARCHES, cut=st.integers(0, 30))
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_the_index_finds_whom_reading_all_would_find(
    any_database: Database,
    new_clinics: Callable[[], Awaitable[Clinics]],
    names: list[str],
    search: str,
    cut: int,
) -> None:
    clinics = await new_clinics()
    for number, name in enumerate(names):
        phone = f"+55119876{number:05}"
        await receive_message(
            clinics.aurora, name=name, phone=phone, body="oi", external_id=f"{number}"
        )
    for asked in (search, names[0][cut:], names[-1]):
        async with clinics.aurora.read() as session:
            found = await candidates(session, asked)
            every = set(await session.scalars(select(Patient.id).where(matches(asked))))
        listed = await list_conversations(clinics.ana, Filter(search=asked.strip()))
        assert {UUID(row.patient_id) for row in listed.rows} == every
        assert found is None or every <= found


async def test_a_name_that_comes_later_is_found_and_its_words_are_replaced(
    any_database: Database, clinics: Clinics
) -> None:
    for number, name in enumerate(("", "Zoé", "Maria do Rosário", "Zoé")):
        await receive_message(
            clinics.aurora, name=name, phone=PHONES[0], body="oi", external_id=f"{number}"
        )
    for search in ("zoe", "osar", "maria zoe", PHONES[0][-4:]):
        assert len((await list_conversations(clinics.ana, Filter(search=search))).rows) == 1
    async with clinics.aurora.read() as session:
        words = set(await session.scalars(select(PatientWord.word)))
    assert words == {"zoe", "maria", "do", "rosario", PHONES[0].removeprefix("+")}
    assert await wrong(any_database) == []


async def test_the_demo_is_counted_and_found(any_database: Database) -> None:
    assert await fill_demo(any_database)
    assert await wrong(any_database) == []


@pytest.mark.parametrize("length", [1, 15, 16, 17, 31, 32, 33, 48, 64, 65, 400])
def test_every_part_of_a_word_begins_one_that_is_indexed(length: int) -> None:
    word = "".join(chr(0x4E00 + place) for place in range(length))
    parts = {part for piece in indexed_words(word) for part in word_parts(piece)}
    for start in range(length):
        wanted = word[start : start + PART_LIMIT]
        assert any(part.startswith(wanted) for part in parts)
