"""Conversation pages: a view's rows by last activity, read with as much work in any clinic."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Uuid, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import (
    ROWS_BY_ID,
    Conversation,
    conversation_rows,
)
from clinic_chat.domain.conversations.views import StaffConversation, staff_conversations
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.queries.conversation_counts import conversation_counts
from clinic_chat.domain.queries.filters import AssigneeFilter, Filter, filtered
from clinic_chat.domain.queries.patient_candidates import candidates
from clinic_chat.storage.base import UtcDateTime


async def conversation_page(
    session: AsyncSession, scope: ClinicScope, wanted: Filter, cursor: str, limit: int
) -> tuple[list[StaffConversation], str]:
    """A view's rows after `cursor`, newest activity first, and the cursor after them or "".

    Raises:
        InvalidInput: `cursor_invalid`.
    """
    after = _parse_cursor(cursor) if cursor else None
    found = await candidates(session, wanted.search) if wanted.search else None
    if found is None:
        rows = await _in_order(session, scope, wanted, after, limit + 1)
    else:
        rows = await _of_patients(session, scope, wanted, after, found, limit + 1)
    more = len(rows) > limit
    rows = rows[:limit]
    return rows, f"{rows[-1].last_activity_at}_{rows[-1].id}" if more else ""


async def _in_order(
    session: AsyncSession,
    scope: ClinicScope,
    wanted: Filter,
    after: tuple[datetime, UUID] | None,
    most: int,
) -> list[StaffConversation]:
    """The rows as an index has them, until there are enough."""
    if wanted.unread and not wanted.search and after is None:
        # Whoever has read nearly everything is not shown the end of the list for one row more.
        most = min(most, await _unread(session, scope, wanted))
    statement = filtered(conversation_rows(), scope, wanted)
    if after is not None:
        statement = statement.where(_is_after(*after))
    return await staff_conversations(session, statement.limit(most)) if most else []


async def _of_patients(
    session: AsyncSession,
    scope: ClinicScope,
    wanted: Filter,
    after: tuple[datetime, UUID] | None,
    patients: set[UUID],
    most: int,
) -> list[StaffConversation]:
    """The rows of some patients, all of which are read and put in order."""
    place = select(Conversation.last_activity_at, Conversation.id)
    statement = filtered(place, scope, wanted).where(Conversation.patient_id.in_(patients))
    if after is not None:
        statement = statement.where(_is_after(*after))
    newest = sorted(map(tuple, await session.execute(statement)), reverse=True)[:most]
    if not newest:
        return []
    return await staff_conversations(session, ROWS_BY_ID, {"ids": [its for _, its in newest]})


async def _unread(session: AsyncSession, scope: ClinicScope, wanted: Filter) -> int:
    return sum(
        cell.count
        for cell in await conversation_counts(session, scope)
        if cell.unread
        and wanted.status in ("", cell.status)
        and wanted.who in (AssigneeFilter.ALL, cell.who)
    )


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
