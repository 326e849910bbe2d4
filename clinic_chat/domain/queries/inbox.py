"""Conversation list: its filters, pages and counts for one person."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Uuid, and_, bindparam, case, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.users import Membership
from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import Conversation, Status, conversation_rows
from clinic_chat.domain.conversations.views import StaffConversation, staff_conversations
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.messages.read_markers import (
    ReadMarker,
    markers_since,
    personal_version,
    read_markers_in,
)
from clinic_chat.domain.patients.patient import Patient
from clinic_chat.domain.queries.search import Numeric, search_terms
from clinic_chat.domain.validation import storable
from clinic_chat.storage.statements import ON_EVENT_LOOP

PAGE_SIZE = 30
SEARCH_LIMIT = 100


class AssigneeFilter(StrEnum):
    """The filter by assignee."""

    ALL = "all"
    MINE = "mine"
    UNASSIGNED = "unassigned"


@dataclass(frozen=True)
class Filter:
    """The filters of a conversation list; an empty `status` is any."""

    search: str = ""
    who: AssigneeFilter = AssigneeFilter.ALL
    status: str = ""
    unread: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The filter as the browser gets it, with the `terms` to compare rows with."""
        return {**asdict(self), "terms": asdict(search_terms(self.search))}


@dataclass(frozen=True)
class ConversationCount:
    """The number of conversations with the same values in the fields of the filters."""

    who: str
    """`mine`, `unassigned` or `others`."""
    status: str
    unread: bool
    count: int


@dataclass(frozen=True)
class InboxPage:
    """Rows by last activity, newest first; `cursor` continues after them, "" at the end."""

    rows: list[StaffConversation]
    cursor: str
    markers: dict[str, int]
    personal_version: int = 0
    """The markers are at least as new as this version of the person's changes."""


@dataclass(frozen=True)
class FirstPage:
    """The unfiltered list's first page, the same for the whole clinic, at a version of the log."""

    version: int
    rows: list[StaffConversation]
    cursor: str


@dataclass(frozen=True)
class InboxOverview:
    """The first page with this person's markers and counts, from one snapshot."""

    first: FirstPage
    markers: dict[str, int]
    personal_version: int
    counts: list[ConversationCount]


def parse_filter(search: object, who: object, status: object, unread: object) -> Filter:
    """Check and parse a filter from a client.

    Raises:
        InvalidInput: `search_too_long` or `filter_invalid`.
    """
    if not isinstance(search, str) or len(search) > SEARCH_LIMIT:
        raise InvalidInput(f"search with at most {SEARCH_LIMIT} characters", code="search_too_long")
    if (
        not storable(search)
        or not isinstance(who, str)
        or who not in set(AssigneeFilter)
        or not isinstance(status, str)
        or (status and status not in set(Status))
        or not isinstance(unread, bool)
    ):
        raise InvalidInput("no such filter", code="filter_invalid")
    return Filter(search.strip(), AssigneeFilter(who), status, unread)


async def list_conversations(
    scope: ClinicScope, wanted: Filter | None = None, *, cursor: str = "", limit: int = PAGE_SIZE
) -> InboxPage:
    """A page of the clinic's conversations by last activity, with this person's markers.

    `wanted.search` matches when each of its words is part of the patient's name and each of its
    numbers part of the phone number or of the name (domain/queries/search.py).

    Raises:
        InvalidInput: `cursor_invalid`.
    """
    require(scope, Permission.READ_CONVERSATIONS)
    async with scope.read() as session:
        version = await personal_version(session, scope)
        rows, next_cursor = await _page(session, scope, wanted or Filter(), cursor, limit)
        return InboxPage(rows, next_cursor, await _markers(session, scope, rows), version)


class KeptInbox(Protocol):
    """What was read before, which `overview` uses again while it is current."""

    def mine(self, scope: ClinicScope, version: int, personal: int) -> InboxOverview | None:
        """This person's overview at the clinic's version and the person's."""

    def keep_mine(self, scope: ClinicScope, whole: InboxOverview) -> None:
        """Keep this person's overview."""

    async def first(
        self, scope: ClinicScope, version: int, load: Callable[[], Awaitable[FirstPage]]
    ) -> FirstPage:
        """The clinic's first page at a version, as it is kept or as `load` brings it."""


async def overview(
    scope: ClinicScope,
    *,
    rows: bool = True,
    since: int | None = None,
    kept: KeptInbox | None = None,
) -> InboxOverview:
    """The initial data of a person's list; without `rows`, only the counts.

    With `since`, a personal version, the markers that moved after it are in it.
    """
    require(scope, Permission.READ_CONVERSATIONS)
    async with scope.read() as session:
        version, personal = await _versions(session, scope)
        if kept and (whole := kept.mine(scope, version, personal)):
            return whole

        async def load() -> FirstPage:
            return FirstPage(version, *await _page(session, scope, Filter(), "", PAGE_SIZE))

        if not rows:
            first = FirstPage(version, [], "")
        else:
            first = await (kept.first(scope, version, load) if kept else load())
        markers = await _markers(session, scope, first.rows)
        if since is not None and scope.user_id is not None:
            markers |= await markers_since(session, scope.user_id, since)
        whole = InboxOverview(first, markers, personal, await _counts(session, scope))
        if kept:
            kept.keep_mine(scope, whole)
        return whole


async def _versions(session: AsyncSession, scope: ClinicScope) -> tuple[int, int]:
    whose = {"clinic": scope.clinic_id, "reader": scope.user_id}
    row = (await session.execute(_VERSIONS, whose)).one_or_none()
    return (row[0], row[1] or 0) if row else (0, 0)


async def _markers(
    session: AsyncSession, scope: ClinicScope, rows: list[StaffConversation]
) -> dict[str, int]:
    if scope.user_id is None or not rows:
        return {}
    return await read_markers_in(session, scope.user_id, [UUID(row.id) for row in rows])


async def _page(
    session: AsyncSession, scope: ClinicScope, wanted: Filter, cursor: str, limit: int
) -> tuple[list[StaffConversation], str]:
    statement = _filtered(conversation_rows(), scope, wanted)
    if cursor:
        at, last_id = _parse_cursor(cursor)
        statement = statement.where(
            or_(
                Conversation.last_activity_at < at,
                and_(Conversation.last_activity_at == at, Conversation.id < last_id),
            )
        )
    rows = await staff_conversations(session, statement.limit(limit + 1))
    more = len(rows) > limit
    rows = rows[:limit]
    return rows, f"{rows[-1].last_activity_at}_{rows[-1].id}" if more else ""


def _filtered(statement: Any, scope: ClinicScope, wanted: Filter) -> Any:
    if wanted.search:
        statement = statement.where(_matches(wanted.search))
    if wanted.status:
        statement = statement.where(Conversation.status == wanted.status)
    if wanted.who is AssigneeFilter.MINE:
        statement = statement.where(Conversation.assignee_id == scope.user_id)
    elif wanted.who is AssigneeFilter.UNASSIGNED:
        statement = statement.where(Conversation.assignee_id.is_(None))
    if wanted.unread:
        statement = statement.outerjoin(ReadMarker, _marker_of(scope)).where(_is_unread())
    return statement


async def _counts(session: AsyncSession, scope: ClinicScope) -> list[ConversationCount]:
    who = case(
        (Conversation.assignee_id.is_(None), AssigneeFilter.UNASSIGNED.value),
        (Conversation.assignee_id == scope.user_id, AssigneeFilter.MINE.value),
        else_="others",
    ).label("who")
    unread = case((_is_unread(), 1), else_=0).label("unread")
    rows = await session.execute(
        select(who, Conversation.status, unread, func.count())
        .select_from(Conversation)
        .outerjoin(ReadMarker, _marker_of(scope))
        .group_by("who", Conversation.status, "unread")
    )
    return [ConversationCount(row[0], row[1], bool(row[2]), row[3]) for row in rows]


def _marker_of(scope: ClinicScope) -> Any:
    return and_(ReadMarker.conversation_id == Conversation.id, ReadMarker.user_id == scope.user_id)


def _is_unread() -> Any:
    return Conversation.inbound_count > func.coalesce(ReadMarker.inbound_read, 0)


def _matches(search: str) -> Any:
    terms = search_terms(search)
    return and_(true(), *map(_in_name, terms.words), *map(_in_name_or_phone, terms.numbers))


def _in_name(word: str) -> Any:
    return Patient.search_name.contains(word, autoescape=True)


def _in_name_or_phone(number: Numeric) -> Any:
    phones = [Patient.search_phones.contains(part) for part in number.phones]
    return or_(and_(*map(_in_name, number.words)), *phones)


def _parse_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, _, last_id = cursor.partition("_")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("no zone")
        return moment.astimezone(UTC), UUID(last_id)
    except (ValueError, OverflowError):
        raise InvalidInput("not a cursor of this list", code="cursor_invalid") from None


_VERSIONS = (
    select(
        Clinic.last_event_seq,
        select(Membership.personal_version)
        .where(
            Membership.user_id == bindparam("reader", type_=Uuid()),
            Membership.clinic_id == Clinic.id,
        )
        .scalar_subquery(),
    )
    .where(Clinic.id == bindparam("clinic", type_=Uuid()))
    .execution_options(**ON_EVENT_LOOP)
)
