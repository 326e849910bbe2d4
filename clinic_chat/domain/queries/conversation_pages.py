"""Conversation pages: a view's rows in an order, read with as much work in any clinic."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import (
    ROWS_BY_ID,
    Conversation,
    Status,
    conversation_rows,
)
from clinic_chat.domain.conversations.counts import ConversationTotal
from clinic_chat.domain.conversations.views import StaffConversation, staff_conversations
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.queries.conversation_counts import conversation_counts
from clinic_chat.domain.queries.filters import AssigneeFilter, Filter, filtered
from clinic_chat.domain.queries.patient_candidates import candidates
from clinic_chat.storage.base import UtcDateTime
from clinic_chat.storage.statements import ON_EVENT_LOOP

MOST_SORTED = 2_000
"""Of so many conversations the newest are found in some milliseconds."""


class Order(StrEnum):
    """The order of a list."""

    ACTIVITY = "activity"
    """The last message first; a conversation that gets one moves to the front."""
    CREATED = "created"
    """The oldest conversation first; none ever moves, so that a walk meets each once."""


Place = tuple[datetime, UUID] | UUID
"""Where a conversation stands in an order."""


async def conversation_page(
    session: AsyncSession,
    scope: ClinicScope,
    wanted: Filter,
    cursor: str,
    limit: int,
    order: Order = Order.ACTIVITY,
) -> tuple[list[StaffConversation], str]:
    """A view's rows after `cursor`, in their order, and the cursor after them or "".

    Raises:
        InvalidInput: `cursor_invalid`: it is none of this order.
    """
    after = _parse_cursor(cursor, order) if cursor else None
    statement, most = await _few_of(session, scope, wanted, limit + 1)
    if statement is not None:
        found = filtered(statement, scope, wanted)
        rows = await _sorted(session, found, after, most, order)
    else:
        every = filtered(conversation_rows(), scope, wanted)
        rows = await _in_order(session, every, after, most, order)
    more = len(rows) > limit
    rows = rows[:limit]
    return rows, _cursor_after(rows[-1], order) if more else ""


async def _few_of(
    session: AsyncSession, scope: ClinicScope, wanted: Filter, most: int
) -> tuple[Any, int]:
    """A statement that finds a view's few rows without their order, or None; and how many to show.

    It is None when there are so many that the newest are found sooner in the list's order.
    """
    place = select(Conversation.last_activity_at, Conversation.id)
    if wanted.search:
        patients = await candidates(session, wanted.search)
        if patients is not None:
            return place.where(Conversation.patient_id.in_(patients)), most
    anybody = wanted.who is AssigneeFilter.ALL and wanted.assignee is None
    if not (wanted.status or not anybody or wanted.unread):
        return None, most
    if wanted.assignee is not None:
        count = await _count_of(session, wanted.assignee, wanted.status)
    else:
        cells = [
            cell
            for cell in await conversation_counts(session, scope)
            if wanted.status in ("", cell.status) and wanted.who in (AssigneeFilter.ALL, cell.who)
        ]
        count = sum(cell.count for cell in cells)
        if wanted.unread and not wanted.search:
            # Nobody waits for the list's end to be read for the one row that is not there.
            most = min(most, sum(cell.count for cell in cells if cell.unread))
    if (anybody and not wanted.status) or count > MOST_SORTED:
        return None, most
    # The index begins with the status.
    return place if wanted.status else place.where(Conversation.status.in_(list(Status))), most


async def _count_of(session: AsyncSession, assignee: UUID, status: str) -> int:
    """How many conversations a colleague has in a status, or in any."""
    rows = await session.execute(_TOTALS_OF, {"assignee": assignee})
    return sum(row.conversations for row in rows if status in ("", row.status))


async def _in_order(
    session: AsyncSession, statement: Any, after: Place | None, most: int, order: Order
) -> list[StaffConversation]:
    """The rows as an index has them, until there are enough."""
    if order is Order.CREATED:
        statement = statement.order_by(None).order_by(Conversation.id)
    if after is not None:
        statement = statement.where(_is_after(after))
    return await staff_conversations(session, statement.limit(most)) if most else []


async def _sorted(
    session: AsyncSession, statement: Any, after: Place | None, most: int, order: Order
) -> list[StaffConversation]:
    """The first rows of those that the statement finds, all of which are read."""
    found = [(row.last_activity_at, row.id) for row in await session.execute(statement)]
    if order is Order.CREATED or isinstance(after, UUID):
        every = sorted(its for _, its in found)
        ids = [its for its in every if not isinstance(after, UUID) or its > after][:most]
    else:
        newest = sorted((place for place in found if after is None or place < after), reverse=True)
        ids = [its for _, its in newest[:most]]
    rows = await staff_conversations(session, ROWS_BY_ID, {"ids": ids}) if ids else []
    return sorted(rows, key=lambda row: row.id) if order is Order.CREATED else rows


def _is_after(place: Place) -> object:
    if isinstance(place, UUID):
        return Conversation.id > place
    # As one comparison of rows, with which an index begins in the middle.
    at, its = place
    return tuple_(Conversation.last_activity_at, Conversation.id) < tuple_(
        literal(at, UtcDateTime()), literal(its, Uuid())
    )


def _cursor_after(row: StaffConversation, order: Order) -> str:
    return row.id if order is Order.CREATED else f"{row.last_activity_at}_{row.id}"


def _parse_cursor(cursor: str, order: Order) -> Place:
    try:
        if order is Order.CREATED:
            return UUID(cursor)
        at, _, last_id = cursor.partition("_")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("no zone")
        return moment.astimezone(UTC), UUID(last_id)
    except (ValueError, OverflowError):
        raise InvalidInput("not a cursor of this list", code="cursor_invalid") from None


_TOTALS_OF = (
    select(ConversationTotal.status, ConversationTotal.conversations)
    .where(ConversationTotal.assignee_id == bindparam("assignee"))
    .execution_options(**ON_EVENT_LOOP)
)
