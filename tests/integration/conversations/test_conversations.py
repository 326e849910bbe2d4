"""The list of conversations: every one exactly once, found by what people type."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
import time_machine
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.assignment import assign, set_status
from clinic_chat.domain.conversations.conversation import Status, load_conversation
from clinic_chat.domain.errors import InvalidInput, NotFound
from clinic_chat.domain.messages.appending import append_message
from clinic_chat.domain.messages.message import Direction
from clinic_chat.domain.messages.read_markers import mark_read
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.queries.filters import AssigneeFilter, Filter, parse_filter
from clinic_chat.domain.queries.inbox import list_conversations, overview
from tests.support.sending import send_message

if TYPE_CHECKING:
    from tests.conftest import Clinics

pytestmark = pytest.mark.usefixtures("any_database")

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
_keys = count()


async def _receive(scope: ClinicScope, name: str = "Paula", phone: str | None = None) -> str:
    number = next(_keys)
    stored = await receive_message(
        scope,
        name=name,
        phone=phone or f"+55119{number:08}",
        body="olá",
        external_id=f"{number}",
    )
    return stored.message.conversation_id


async def _all(scope: ClinicScope, limit: int, wanted: Filter | None = None) -> list[str]:
    """The ids on all pages, in the order they are shown."""
    found: list[str] = []
    cursor = ""
    while True:
        page = await list_conversations(scope, wanted, cursor=cursor, limit=limit)
        assert len(page.rows) <= limit
        assert not {row.id for row in page.rows} & set(found)
        found += [row.id for row in page.rows]
        cursor = page.cursor
        if not cursor:
            return found


async def _names(scope: ClinicScope, search: str) -> set[str]:
    page = await list_conversations(scope, parse_filter(search, "all", "", False))
    return {row.patient_name for row in page.rows}


@pytest.mark.parametrize("limit", [1, 3, 7, 50])
async def test_paging_visits_each_conversation_once_with_equal_times(
    clinics: Clinics, limit: int
) -> None:
    with time_machine.travel(START, tick=False) as clock:
        first = {await _receive(clinics.aurora) for _ in range(4)}
        clock.shift(timedelta(milliseconds=1))
        second = {await _receive(clinics.aurora) for _ in range(7)}
    await _receive(clinics.boreal)
    found = await _all(clinics.ana, limit)
    assert len(found) == 11
    assert set(found[:7]) == second
    assert set(found[7:]) == first


async def test_paging_visits_each_conversation_once_when_times_are_finer_than_shown(
    clinics: Clinics,
) -> None:
    expected = []
    for microsecond in range(100, 800, 100):
        conversation = await _receive(clinics.aurora)
        async with clinics.aurora.write() as session:
            append_message(
                session,
                await load_conversation(session, conversation),
                direction=Direction.INBOUND,
                author_name="Paula",
                body="olá",
                origin="import",
                client_id=f"{microsecond}",
                at=START + timedelta(microseconds=microsecond),
            )
        expected.append(conversation)
    assert sorted(await _all(clinics.ana, 2)) == sorted(expected)


async def test_the_newest_activity_comes_first(clinics: Clinics) -> None:
    with time_machine.travel(START, tick=False) as clock:
        conversations = []
        for _ in range(3):
            conversations.append(await _receive(clinics.aurora))
            clock.shift(timedelta(seconds=1))
        assert await _all(clinics.ana, 50) == conversations[::-1]
        await send_message(clinics.ana, conversations[0], "oi", "k")
        assert (await _all(clinics.ana, 50))[0] == conversations[0]


async def test_what_moves_up_while_somebody_pages_is_the_only_thing_missed(
    clinics: Clinics,
) -> None:
    with time_machine.travel(START, tick=False) as clock:
        conversations = []
        for _ in range(6):
            conversations.append(await _receive(clinics.aurora))
            clock.shift(timedelta(seconds=1))
        page = await list_conversations(clinics.ana, limit=3)
        await send_message(clinics.ana, conversations[0], "oi", "k")
        rest = await list_conversations(clinics.ana, cursor=page.cursor, limit=3)
    assert [row.id for row in rest.rows] == [conversations[2], conversations[1]]
    assert rest.cursor == ""


async def test_an_empty_clinic_has_an_empty_list(clinics: Clinics) -> None:
    await _receive(clinics.boreal)
    page = await list_conversations(clinics.ana)
    assert (page.rows, page.cursor, page.markers) == ([], "", {})


async def test_a_last_page_that_is_full_has_no_cursor(clinics: Clinics) -> None:
    for _ in range(4):
        await _receive(clinics.aurora)
    page = await list_conversations(clinics.ana, limit=2)
    assert page.cursor
    assert (await list_conversations(clinics.ana, cursor=page.cursor, limit=2)).cursor == ""


async def test_what_is_no_cursor_is_refused(clinics: Clinics) -> None:
    await _receive(clinics.aurora)
    some = uuid4()
    for cursor in (
        "x",
        "_",
        f"_{some}",
        f"2026-03-02T08:00:00_{some}",
        "2026-03-02T08:00:00Z",
        "2026-03-02T08:00:00Z_",
        "2026-03-02T08:00:00Z_x",
        f"2026-13-02T08:00:00Z_{some}",
        f"0001-01-01T00:00:00+14:00_{some}",
        f"9999-12-31T23:59:59-14:00_{some}",
        f"2026-03-02T08:00:00Z_{some}\x00",
        f"\x00_{some}",
        f"\ud800_{some}",
        f"2026-03-02T08:00:00Z_{some}_{some}",
        "' OR 1=1 --",
        "1" * 10_000,
    ):
        with pytest.raises(InvalidInput) as refusal:
            pytest.fail(f"{cursor!r} gave {await list_conversations(clinics.ana, cursor=cursor)}")
        assert refusal.value.code == "cursor_invalid"


async def test_a_cursor_shows_nothing_of_another_clinic(clinics: Clinics) -> None:
    for _ in range(3):
        await _receive(clinics.boreal)
    theirs = (await list_conversations(clinics.carla, limit=1)).cursor
    ours = await _receive(clinics.aurora)
    page = await list_conversations(clinics.ana, cursor=theirs)
    assert {row.id for row in page.rows} <= {ours}


async def test_a_search_ignores_accents_and_case(clinics: Clinics) -> None:
    for name in ("João Conceição", "Joana Lima", "STRASSE Nº 1", "Ødegård"):
        await _receive(clinics.aurora, name)
    await _receive(clinics.boreal, "João de Boreal")
    for search in ("joao", "JOÃO", "conceicao", "o Con", "  joão ", "joa\u0303o"):
        assert await _names(clinics.ana, search) == {"João Conceição"}
    assert await _names(clinics.ana, "joa") == {"João Conceição", "Joana Lima"}
    assert await _names(clinics.ana, "straße") == {"STRASSE Nº 1"}
    assert await _names(clinics.ana, "maria") == set()


async def test_a_search_finds_any_part_of_a_phone_number(clinics: Clinics) -> None:
    await _receive(clinics.aurora, "Paula", "+5511987654321")
    await _receive(clinics.aurora, "Pedro", "+5511911112222")
    for search in ("+55 11 98765-4321", "98765", "(11) 98765", "4321"):
        assert await _names(clinics.ana, search) == {"Paula"}
    assert await _names(clinics.ana, "5511") == {"Paula", "Pedro"}


async def test_fewer_than_three_digits_search_names_only(clinics: Clinics) -> None:
    await _receive(clinics.aurora, "Paula", "+5511987654321")
    await _receive(clinics.aurora, "Quarto 98", "+5511911112222")
    assert await _names(clinics.ana, "98") == {"Quarto 98"}


async def test_percent_underscore_and_backslash_are_ordinary_characters(clinics: Clinics) -> None:
    for name in ("100% Ana", "Ana_Maria", "Ana\\Lia", "Ana/Bia", "Ana"):
        await _receive(clinics.aurora, name)
    assert await _names(clinics.ana, "%") == {"100% Ana"}
    assert await _names(clinics.ana, "a_m") == {"Ana_Maria"}
    assert await _names(clinics.ana, "\\") == {"Ana\\Lia"}
    assert await _names(clinics.ana, "/") == {"Ana/Bia"}
    assert len(await _names(clinics.ana, "   ")) == 5


@given(search=st.text(st.characters(codec=None), max_size=120))
@example(search="\x00")
@example(search="\ud800")
@example(search="\ufdfa" * 100)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_any_search_answers_or_is_refused(clinics: Clinics, search: str) -> None:
    try:
        wanted = parse_filter(search, "all", "", False)
    except InvalidInput as refusal:
        code = refusal.code
    else:
        code = ""
        await list_conversations(clinics.ana, wanted)
    assert code in {"", "search_too_long", "filter_invalid"}


@pytest.mark.parametrize(
    "values",
    [
        (None, "all", "", False),
        ("a" * 101, "all", "", False),
        ("", "everybody", "", False),
        ("", [], "", False),
        ("", None, "", False),
        ("", "all", "closed", False),
        ("", "all", [], False),
        ("", "all", None, False),
        ("", "all", "", "yes"),
        ("", "all", "", 1),
    ],
    ids=str,
)
def test_what_is_no_filter_is_refused(values: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidInput):
        parse_filter(*values)


async def test_filters_and_counts_agree(clinics: Clinics) -> None:
    mine, theirs, free, done = [await _receive(clinics.aurora) for _ in range(4)]
    await assign(clinics.ana, mine, str(clinics.ana.user_id), "")
    await assign(clinics.bruno, theirs, str(clinics.bruno.user_id), "")
    await set_status(clinics.ana, done, "resolved")
    await mark_read(clinics.ana, mine, 1)
    await _receive(clinics.boreal)

    async def ids(**wanted: Any) -> set[str]:
        return set(await _all(clinics.ana, 2, Filter(**wanted)))

    assert await ids() == {mine, theirs, free, done}
    assert await ids(who=AssigneeFilter.MINE) == {mine}
    assert await ids(who=AssigneeFilter.UNASSIGNED) == {free, done}
    assert await ids(status="resolved") == {done}
    assert await ids(unread=True) == {theirs, free, done}
    assert await ids(unread=True, who=AssigneeFilter.UNASSIGNED, status="open") == {free}

    cells = (await overview(clinics.ana)).counts

    def counted(keep: Callable[[Any], bool]) -> int:
        return sum(cell.count for cell in cells if keep(cell))

    assert counted(lambda cell: True) == 4
    assert counted(lambda cell: cell.who == "mine") == 1
    assert counted(lambda cell: cell.who == "unassigned") == 2
    assert counted(lambda cell: cell.status == "resolved") == 1
    assert counted(lambda cell: cell.unread) == 3


async def test_markers_are_the_persons_own(clinics: Clinics) -> None:
    conversation = await _receive(clinics.aurora)
    await mark_read(clinics.ana, conversation, 1)
    assert (await list_conversations(clinics.ana)).markers == {conversation: 1}
    assert (await list_conversations(clinics.bruno)).markers == {conversation: 0}


async def test_a_row_shows_who_has_the_conversation(clinics: Clinics) -> None:
    conversation = await _receive(clinics.aurora, "Paula Reis", "+5511987654321")
    await assign(clinics.ana, conversation, str(clinics.bruno.user_id), "")
    (row,) = (await list_conversations(clinics.ana)).rows
    assert (row.patient_name, row.patient_phone) == ("Paula Reis", "+5511987654321")
    assert (row.assignee_id, row.assignee_name) == (str(clinics.bruno.user_id), "Bruno Lima")
    assert row.status == Status.OPEN


async def test_another_clinics_conversation_and_colleague_are_not_found(clinics: Clinics) -> None:
    theirs, ours = await _receive(clinics.boreal), await _receive(clinics.aurora)
    carla = str(clinics.carla.user_id)
    for attempt in (
        set_status(clinics.ana, theirs, "resolved"),
        assign(clinics.ana, theirs, str(clinics.ana.user_id), ""),
        assign(clinics.ana, ours, carla, ""),
        assign(clinics.ana, ours, str(UUID(int=0)), ""),
    ):
        with pytest.raises(NotFound):
            await attempt


@pytest.mark.parametrize("status", ["closed", "", None, 1, True, [], {}], ids=repr)
async def test_what_is_no_status_is_refused(clinics: Clinics, status: Any) -> None:
    conversation = await _receive(clinics.aurora)
    with pytest.raises(InvalidInput):
        await set_status(clinics.ana, conversation, status)
