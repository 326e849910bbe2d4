"""Whose a message is: one person is one record, and nobody is merged or renamed."""

import itertools
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.messages.views import StoredMessage
from clinic_chat.domain.patients.identities import PatientIdentity
from clinic_chat.domain.patients.patient import Patient
from clinic_chat.domain.queries.filters import Filter
from clinic_chat.domain.queries.inbox import list_conversations
from tests.conftest import Clinics

# The area codes of Brazil (Anatel, Resolução 263/2001 and its plan of numbers).
AREAS = [
    *range(11, 20),
    21,
    22,
    24,
    27,
    28,
    *range(31, 36),
    37,
    38,
    *range(41, 50),
    51,
    53,
    54,
    55,
    *range(61, 70),
    71,
    73,
    74,
    75,
    77,
    79,
    *range(81, 90),
    *range(91, 100),
]
MOTHER = "+5511987650001"

pytestmark = pytest.mark.usefixtures("any_database")

Receive = Callable[..., Awaitable[StoredMessage]]


@pytest.fixture
def receive(clinics: Clinics) -> Receive:
    numbers = itertools.count(1)

    async def receive(
        phone: object = None, name: object = None, *, of: object = None, at: str = "aurora"
    ) -> StoredMessage:
        scope = clinics.aurora if at == "aurora" else clinics.boreal
        return await receive_message(
            scope, name=name, phone=phone, patient_id=of, body="Oi", external_id=str(next(numbers))
        )

    return receive


async def names(scope: ClinicScope) -> list[str]:
    """The patients' names, as they came."""
    async with scope.read() as session:
        return list(await session.scalars(select(Patient.name).order_by(Patient.id)))


def test_there_are_sixty_seven_area_codes() -> None:
    assert len(set(AREAS)) == 67


@pytest.mark.parametrize("nine_first", [True, False])
async def test_a_mobile_of_every_area_is_one_patient_with_its_ninth_digit_or_without(
    clinics: Clinics, receive: Receive, nine_first: bool
) -> None:
    for area in AREAS:
        forms = [f"+55{area}98{area}00001", f"+55{area}8{area}00001"]
        for form in forms if nine_first else reversed(forms):
            written = await receive(form)
            if form is (forms[0] if nine_first else forms[1]):
                first = written
        assert written.message.conversation_id == first.message.conversation_id

    async with clinics.aurora.read() as session:
        patients = list(await session.scalars(select(Patient)))
        identities = list(await session.scalars(select(PatientIdentity)))
    assert len(patients) == len(identities) == len(AREAS)
    last = {f"+55{area}{'' if nine_first else '9'}8{area}00001" for area in AREAS}
    # It is written to in the form in which it was seen last.
    assert {one.shown for one in identities} == {one.phone_shown for one in patients} == last


async def test_the_record_a_clinic_corrected_keeps_its_name(
    clinics: Clinics, receive: Receive
) -> None:
    await receive(MOTHER, "maria 🌸")
    async with clinics.aurora.write() as session:
        patient = (await session.scalars(select(Patient))).one()
        patient.name = "Maria Aparecida de Souza"

    await receive(MOTHER, "Mari S.")

    assert await names(clinics.aurora) == ["Maria Aparecida de Souza"]
    (row,) = (await list_conversations(clinics.aurora)).rows
    assert row.patient_other_names == ["Mari S."]


async def test_a_mother_who_writes_for_two_children_renames_nobody(
    clinics: Clinics, receive: Receive
) -> None:
    for name in ("Rosa Lima", "João Lima", "Pedro Lima", "Rosa Lima"):
        await receive(MOTHER, name)

    (row,) = (await list_conversations(clinics.aurora)).rows
    assert (row.patient_name, row.patient_other_names) == ("Rosa Lima", ["João Lima", "Pedro Lima"])


async def test_children_with_ids_of_their_own_are_two_behind_one_number(
    clinics: Clinics, receive: Receive
) -> None:
    rosa = await receive(MOTHER, "Rosa Lima")
    joao = await receive(MOTHER, "João Lima", of="p-1")
    pedro = await receive(MOTHER, "Pedro Lima", of="p-2")

    again = await receive(MOTHER, "Pedro L.", of="p-2")
    by_number = await receive(MOTHER, "Rosa Lima")

    assert len({one.message.conversation_id for one in (rosa, joao, pedro)}) == 3
    assert again.message.conversation_id == pedro.message.conversation_id
    assert by_number.message.conversation_id == rosa.message.conversation_id
    assert await names(clinics.aurora) == ["Rosa Lima", "João Lima", "Pedro Lima"]
    # All three are found by the number, and shown with it.
    rows = (await list_conversations(clinics.aurora, Filter(search="98765-0001"))).rows
    assert {row.patient_name for row in rows} == {"Rosa Lima", "João Lima", "Pedro Lima"}
    assert {row.patient_phone for row in rows} == {MOTHER}


async def test_whoever_was_known_by_a_number_gets_the_id_that_comes_with_it(
    clinics: Clinics, receive: Receive
) -> None:
    before = await receive(MOTHER, "Rosa Lima")
    with_id = await receive(MOTHER, "rosa lima", of="p-1")
    by_id = await receive(None, None, of="p-1")
    moved = await receive("+5511987650002", "Rosa Lima", of="p-1")
    by_new_number = await receive("+551187650002")

    conversations = {
        one.message.conversation_id for one in (before, with_id, by_id, moved, by_new_number)
    }
    assert len(conversations) == 1
    (row,) = (await list_conversations(clinics.aurora)).rows
    assert row.patient_phone == "+551187650002"


async def test_who_has_an_id_alone_is_shown_by_it_until_there_is_more(
    clinics: Clinics, receive: Receive
) -> None:
    await receive(None, None, of="  Prontuário 123 ")
    (row,) = (await list_conversations(clinics.aurora)).rows
    assert row.patient_name == row.patient_phone == "Prontuário 123"

    await receive(MOTHER, "Rosa Lima", of="Prontuário 123")
    await receive(None, None, of="Prontuário 123")

    (row,) = (await list_conversations(clinics.aurora)).rows
    assert (row.patient_name, row.patient_phone) == ("Rosa Lima", MOTHER)


@pytest.mark.parametrize("own", ["", "  ", "\u200b", None])
async def test_without_an_id_and_a_number_there_is_nobody(receive: Receive, own: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        await receive("", "Rosa", of=own)
    assert refused.value.code == "phone_missing"


async def test_ids_of_any_length_and_spelling_are_kept_apart(
    clinics: Clinics, receive: Receive
) -> None:
    own = ["x" * 200, "x" * 201, "x" * 202, "X" * 200, "ß", "ss", "1", "+5511987650001"]
    for one in [*own, *own]:
        await receive(None, None, of=one)
    rows = (await list_conversations(clinics.aurora)).rows
    assert [row.inbound_count for row in rows] == [2] * len(own)


async def test_clinics_have_their_own(clinics: Clinics, receive: Receive) -> None:
    await receive(MOTHER, "Rosa Lima", of="p-1")
    await receive(MOTHER, "Rosa Lima", of="p-1", at="boreal")
    assert await names(clinics.aurora) == await names(clinics.boreal) == ["Rosa Lima"]
