"""Conversation list: its pages and counts for one person."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.users import Membership
from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.views import StaffConversation
from clinic_chat.domain.messages.read_markers import (
    markers_since,
    personal_version,
    read_markers_in,
)
from clinic_chat.domain.queries.conversation_counts import ConversationCount, conversation_counts
from clinic_chat.domain.queries.conversation_pages import Order, conversation_page
from clinic_chat.domain.queries.filters import Filter
from clinic_chat.storage.statements import ON_EVENT_LOOP

PAGE_SIZE = 30


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


async def list_conversations(
    scope: ClinicScope,
    wanted: Filter | None = None,
    *,
    cursor: str = "",
    limit: int = PAGE_SIZE,
    order: Order = Order.ACTIVITY,
) -> InboxPage:
    """A page of the clinic's conversations in an order, with this person's markers.

    `wanted.search` matches when each of its words is part of the patient's name and each of its
    numbers part of the phone number or of the name (domain/queries/search.py).

    Raises:
        InvalidInput: `cursor_invalid`.
    """
    require(scope, Permission.READ_CONVERSATIONS)
    async with scope.read() as session:
        version = await personal_version(session, scope)
        rows, next_cursor = await conversation_page(
            session, scope, wanted or Filter(), cursor, limit, order
        )
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
            page = await conversation_page(session, scope, Filter(), "", PAGE_SIZE)
            return FirstPage(version, *page)

        if not rows:
            first = FirstPage(version, [], "")
        else:
            first = await (kept.first(scope, version, load) if kept else load())
        markers = await _markers(session, scope, first.rows)
        if since is not None and scope.user_id is not None:
            markers |= await markers_since(session, scope.user_id, since)
        whole = InboxOverview(first, markers, personal, await conversation_counts(session, scope))
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
