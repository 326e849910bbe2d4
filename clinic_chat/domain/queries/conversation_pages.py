"""Conversation pages: a view's rows by last activity, read with as much work in any clinic."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import (
    ROWS_BY_ID,
    Conversation,
    Status,
    conversation_rows,
)
from clinic_chat.domain.conversations.views import StaffConversation, staff_conversations
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.queries.conversation_counts import conversation_counts
from clinic_chat.domain.queries.filters import AssigneeFilter, Filter, filtered
from clinic_chat.domain.queries.patient_candidates import candidates
from clinic_chat.storage.base import UtcDateTime

MOST_SORTED = 2_000
"""Of so many conversations the newest are found in some milliseconds."""


async def conversation_page(
    session: AsyncSession, scope: ClinicScope, wanted: Filter, cursor: str, limit: int
) -> tuple[list[StaffConversation], str]:
    """A view's rows after `cursor`, newest activity first, and the cursor after them or "".

    Raises:
        InvalidInput: `cursor_invalid`.
    """
    after = _parse_cursor(cursor) if cursor else None
    statement, most = await _few_of(session, scope, wanted, limit + 1)
    if statement is not None:
        rows = await _sorted(session, filtered(statement, scope, wanted), after, most)
    else:
        rows = await _in_order(session, filtered(conversation_rows(), scope, wanted), after, most)
    more = len(rows) > limit
    rows = rows[:limit]
    return rows, f"{rows[-1].last_activity_at}_{rows[-1].id}" if more else ""


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
    if not (wanted.status or wanted.who is not AssigneeFilter.ALL or wanted.unread):
        return None, most
    cells = [
        cell
        for cell in await conversation_counts(session, scope)
        if wanted.status in ("", cell.status) and wanted.who in (AssigneeFilter.ALL, cell.who)
    ]
    if wanted.unread and not wanted.search:
        # Nobody waits for the end of the list to be read for the one row more that is not there.
        most = min(most, sum(cell.count for cell in cells if cell.unread))
    everything = not wanted.status and wanted.who is AssigneeFilter.ALL
    if everything or sum(cell.count for cell in cells) > MOST_SORTED:
        return None, most
    # The index begins with the status.
    return place if wanted.status else place.where(Conversation.status.in_(list(Status))), most


async def _in_order(
    session: AsyncSession, statement: Any, after: tuple[datetime, UUID] | None, most: int
) -> list[StaffConversation]:
    """The rows as an index has them, until there are enough."""
    if after is not None:
        statement = statement.where(_is_after(*after))
    return await staff_conversations(session, statement.limit(most)) if most else []


async def _sorted(
    session: AsyncSession, statement: Any, after: tuple[datetime, UUID] | None, most: int
) -> list[StaffConversation]:
    """The newest rows of those that the statement finds, all of which are read."""
    found = [(row.last_activity_at, row.id) for row in await session.execute(statement)]
    newest = sorted((place for place in found if after is None or place < after), reverse=True)
    ids = [its for _, its in newest[:most]]
    return await staff_conversations(session, ROWS_BY_ID, {"ids": ids}) if ids else []


def _is_after(at: datetime, last_id: UUID) -> object:
    # As one comparison of rows, with which an index begins in the middle.
    place = tuple_(Conversation.last_activity_at, Conversation.id)
    return place < tuple_(literal(at, UtcDateTime()), literal(last_id, Uuid()))


def _parse_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, _, last_id = cursor.partition("_")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("no zone")
        return moment.astimezone(UTC), UUID(last_id)
    except (ValueError, OverflowError):
        raise InvalidInput("not a cursor of this list", code="cursor_invalid") from None
