"""The list: filters, pages that visit each conversation once, and counts that are exact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.assignment import assign, set_status
from clinic_chat.domain.conversations.conversation import Conversation, Status
from clinic_chat.domain.conversations.views import StaffConversation, conversations_by_id
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.events.log import last_seq
from clinic_chat.domain.messages.drafts import save_draft
from clinic_chat.domain.messages.read_markers import mark_read, mark_unread, read_markers
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.queries.conversation_counts import ConversationCount
from clinic_chat.domain.queries.filters import AssigneeFilter, Filter, parse_filter
from clinic_chat.domain.queries.inbox import PAGE_SIZE, list_conversations, overview
from clinic_chat.storage.database import Database
from tests.support.sending import send_message

if TYPE_CHECKING:
    from tests.conftest import Clinics

pytestmark = pytest.mark.usefixtures("any_database")

PROPERTY = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NOON = datetime(2030, 5, 6, 12, tzinfo=UTC)
NAMES = ["João Sá", "joana", "Ana Lúcia", "Müller", "100% Saúde", "A_B", "Zé"]
FILTERS = [
    Filter(who=who, status=status, unread=unread)
    for who in AssigneeFilter
    for status in ("", *Status)
    for unread in (False, True)
]

# What happens to one conversation: how many inbound messages, how far each of two people has
# read, its status, its assignee, and after how many minutes its last activity was (so that
# several have the same).
CONVERSATIONS = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.integers(0, 4),
        st.integers(0, 4),
        st.sampled_from(list(Status)),
        st.sampled_from(["", "ana", "bruno"]),
        st.integers(0, 3),
    ),
    max_size=9,
)


@dataclass
class Books:
    """A clinic with conversations, and what a person's list must say, counted by hand."""

    clinics: Clinics
    read: dict[str, dict[str, int]] = field(default_factory=lambda: {"ana": {}, "bruno": {}})

    async def open(self, described: list[Any]) -> None:
        for number, (inbound, ana, bruno, status, assignee, minutes) in enumerate(described):
            conversation = await self._receive(number, inbound)
            for who, seq in (("ana", ana), ("bruno", bruno)):
                scope = self.person(who)
                self.read[who][conversation] = await mark_read(scope, conversation, seq)
            await set_status(self.clinics.ana, conversation, status)
            if assignee:
                await assign(self.clinics.ana, conversation, self.id_of(assignee), "")
            await self._last_active(conversation, NOON + timedelta(minutes=minutes))
        for number in range(2):
            await receive_message(
                self.clinics.boreal,
                name="Alheia",
                phone=f"+55119111000{number:02}",
                body="não é da Aurora",
                external_id=f"theirs {number}",
            )

    def person(self, who: str) -> ClinicScope:
        scope: ClinicScope = getattr(self.clinics, who)
        return scope

    def id_of(self, who: str) -> str:
        return str(self.person(who).user_id)

    async def rows(self) -> list[StaffConversation]:
        """Every conversation of the clinic, newest activity first."""
        scope = self.clinics.aurora
        found = await conversations_by_id(scope, [UUID(item) for item in self.read["ana"]])
        return sorted(found, key=lambda row: (row.last_activity_at, row.id), reverse=True)

    def matches(self, row: StaffConversation, who: str, wanted: Filter) -> bool:
        if wanted.who is AssigneeFilter.MINE and row.assignee_id != self.id_of(who):
            return False
        if wanted.who is AssigneeFilter.UNASSIGNED and row.assignee_id:
            return False
        if wanted.status and row.status != wanted.status:
            return False
        return not wanted.unread or self.is_unread(row, who)

    def is_unread(self, row: StaffConversation, who: str) -> bool:
        return row.inbound_count > self.read[who][row.id]

    async def cells(self, who: str) -> Counter[tuple[str, str, bool]]:
        """The counts, counted again one by one."""
        kinds = {"": "unassigned", self.id_of(who): "mine"}
        return Counter(
            (kinds.get(row.assignee_id, "others"), row.status, self.is_unread(row, who))
            for row in await self.rows()
        )

    async def _receive(self, number: int, inbound: int) -> str:
        for count in range(inbound):
            stored = await receive_message(
                self.clinics.aurora,
                name=NAMES[number % len(NAMES)],
                phone=f"+55119876500{number:02}",
                body="olá",
                external_id=f"{number}/{count}",
            )
        return stored.message.conversation_id

    async def _last_active(self, conversation: str, at: datetime) -> None:
        async with self.clinics.aurora.write() as session:
            await session.execute(
                update(Conversation)
                .where(Conversation.id == UUID(conversation))
                .values(last_activity_at=at)
            )


def cells_of(counts: list[ConversationCount]) -> Counter[tuple[str, str, bool]]:
    assert len({(cell.who, cell.status, cell.unread) for cell in counts}) == len(counts)
    return Counter({(cell.who, cell.status, cell.unread): cell.count for cell in counts})


@given(described=CONVERSATIONS, limit=st.integers(1, 4))
@PROPERTY
async def test_the_pages_of_every_filter_visit_each_conversation_once_in_order(
    any_database: Database,
    new_clinics: Callable[[], Awaitable[Clinics]],
    described: list[Any],
    limit: int,
) -> None:
    books = Books(await new_clinics())
    await books.open(described)
    rows = await books.rows()
    for who in ("ana", "bruno"):
        for wanted in FILTERS:
            visited: list[StaffConversation] = []
            markers: dict[str, int] = {}
            cursor = ""
            while True:
                page = await list_conversations(
                    books.person(who), wanted, cursor=cursor, limit=limit
                )
                assert len(page.rows) <= limit
                assert bool(page.rows) or not cursor
                visited += page.rows
                markers |= page.markers
                cursor = page.cursor
                if not cursor:
                    break
            assert visited == [row for row in rows if books.matches(row, who, wanted)]
            assert markers == {row.id: books.read[who][row.id] for row in visited}


@given(described=CONVERSATIONS)
@PROPERTY
async def test_the_counts_equal_a_recount_for_each_person(
    any_database: Database,
    new_clinics: Callable[[], Awaitable[Clinics]],
    described: list[Any],
) -> None:
    books = Books(await new_clinics())
    await books.open(described)
    for who in ("ana", "bruno"):
        start = await overview(books.person(who))
        assert cells_of(start.counts) == await books.cells(who)
        assert start.first.rows == await books.rows()
        assert start.markers == books.read[who]
        assert start.first.version == await last_seq(books.clinics.aurora)


async def test_a_long_list_is_sent_in_pages_of_the_same_size(clinics: Clinics) -> None:
    everyone = [
        (await _receive(clinics, f"+55119876{number:05}")) for number in range(PAGE_SIZE + 2)
    ]
    first = await list_conversations(clinics.ana)
    rest = await list_conversations(clinics.ana, cursor=first.cursor)
    assert (len(first.rows), len(rest.rows), rest.cursor) == (PAGE_SIZE, 2, "")
    assert {row.id for row in (*first.rows, *rest.rows)} == set(everyone)
    start = await overview(clinics.ana)
    assert (start.first.rows, start.first.cursor) == (first.rows, first.cursor)
    assert sum(cell.count for cell in start.counts) == PAGE_SIZE + 2


async def test_a_conversation_that_moves_up_between_pages_leaves_the_others_in_place(
    clinics: Clinics,
) -> None:
    conversations = [await _receive(clinics, f"+551198765000{number}") for number in range(6)]
    first = await list_conversations(clinics.ana, limit=3)
    await _receive(clinics, "+5511987650000", "again")
    rest = await list_conversations(clinics.ana, cursor=first.cursor, limit=3)
    assert [row.id for row in first.rows] == conversations[:2:-1]
    assert [row.id for row in rest.rows] == [conversations[2], conversations[1]]


async def test_a_search_finds_names_without_accents_and_phones_by_their_digits(
    clinics: Clinics,
) -> None:
    for number, name in enumerate(NAMES):
        await _receive(clinics, f"+551198765{number:04}", name=name)
    for search, found in (
        ("joao", {"João Sá"}),
        ("JOÃO", {"João Sá"}),
        ("ana", {"joana", "Ana Lúcia"}),
        ("lucia", {"Ana Lúcia"}),
        ("muller", {"Müller"}),
        ("%", {"100% Saúde"}),
        ("_", {"A_B"}),
        ("\\", set()),
        ("nobody", set()),
        ("98765", set(NAMES)),
        ("+55 11 98765-0003", {"Müller"}),
        ("03", set()),
        ("lúcia ana", {"Ana Lúcia"}),
        ("lucia 98765-0002", {"Ana Lúcia"}),
        ("lucia joão", set()),
        ("011 98765-0003", {"Müller"}),
        ("00 55 11 8765 0003", {"Müller"}),
    ):
        page = await list_conversations(clinics.ana, Filter(search=search))
        assert {row.patient_name for row in page.rows} == found, search


async def test_a_search_stays_inside_the_clinic(clinics: Clinics) -> None:
    await _receive(clinics, "+5511987650000", scope=clinics.boreal)
    for search in ("", "Paula", "98765"):
        assert (await list_conversations(clinics.ana, Filter(search=search))).rows == []


async def test_what_is_no_cursor_is_refused(clinics: Clinics) -> None:
    await _receive(clinics, "+5511987650000")
    for cursor in (
        "x",
        "_",
        "2030-05-06T12:00:00.000Z",
        "2030-05-06T12:00:00.000_0190b5a0-7b3c-7def-8123-456789abcdef",
        "2030-05-06T12:00:00.000Z_7",
        "_0190b5a0-7b3c-7def-8123-456789abcdef",
        "\x00",
        "' OR 1=1 --",
        "9" * 10_000,
    ):
        with pytest.raises(InvalidInput) as refusal:
            await list_conversations(clinics.ana, cursor=cursor)
        assert refusal.value.code == "cursor_invalid"


async def test_another_clinics_cursor_only_says_where_to_go_on(clinics: Clinics) -> None:
    for number in range(3):
        await _receive(clinics, f"+551198765000{number}", scope=clinics.boreal)
    theirs = (await list_conversations(clinics.carla, limit=1)).cursor
    await _receive(clinics, "+5511987650009")
    assert (await list_conversations(clinics.ana, cursor=theirs)).rows == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("x" * 101, "all", "", False), "search_too_long"),
        ((None, "all", "", False), "search_too_long"),
        (("", "everybody", "", False), "filter_invalid"),
        (("", None, "", False), "filter_invalid"),
        (("", "all", "closed", False), "filter_invalid"),
        (("", "all", None, False), "filter_invalid"),
        (("", "all", "", "yes"), "filter_invalid"),
        (("", "all", "", 1), "filter_invalid"),
    ],
)
def test_what_is_no_filter_is_refused(arguments: tuple[Any, ...], code: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_filter(*arguments)
    assert refusal.value.code == code


def test_a_filter_is_what_was_asked_for() -> None:
    assert parse_filter("  joão ", "mine", "open", True) == Filter(
        search="joão", who=AssigneeFilter.MINE, status="open", unread=True
    )


async def test_the_versions_of_an_overview_count_what_changed_the_list_and_the_person(
    clinics: Clinics,
) -> None:
    async def versions() -> tuple[int, int]:
        start = await overview(clinics.ana, rows=False)
        assert start.first.rows == []
        return start.first.version, start.personal_version

    conversation = await _receive(clinics, "+5511987650000")
    assert await versions() == (1, 0)
    await mark_read(clinics.ana, conversation, 1)
    await mark_read(clinics.bruno, conversation, 1)
    assert await versions() == (1, 1)
    await mark_unread(clinics.ana, conversation)
    await save_draft(clinics.ana, conversation, "rascunho")
    assert await versions() == (1, 3)
    await send_message(clinics.bruno, conversation, "olá", "k")
    assert await versions() == (2, 3)


async def test_only_inbound_messages_are_unread_and_only_for_who_has_not_read_them(
    clinics: Clinics,
) -> None:
    conversation = await _receive(clinics, "+5511987650000")
    await mark_read(clinics.ana, conversation, 1)
    await send_message(clinics.bruno, conversation, "olá", "k")
    assert await _unread(clinics.ana) == 0
    assert await _unread(clinics.bruno) == 1
    await _receive(clinics, "+5511987650000", "again")
    assert await _unread(clinics.ana) == 1
    await mark_read(clinics.ana, conversation, 1_000_000)
    assert await _unread(clinics.ana) == 0
    assert (await read_markers(clinics.ana, [UUID(conversation)])) == {conversation: 2}
    await mark_unread(clinics.ana, conversation)
    assert await _unread(clinics.ana) == 1


async def _unread(scope: ClinicScope) -> int:
    return sum(cell.count for cell in (await overview(scope)).counts if cell.unread)


async def _receive(
    clinics: Clinics,
    phone: str,
    key: str = "first",
    *,
    name: str = "Paula",
    scope: ClinicScope | None = None,
) -> str:
    stored = await receive_message(
        scope or clinics.aurora, name=name, phone=phone, body="olá", external_id=f"{phone} {key}"
    )
    return stored.message.conversation_id
