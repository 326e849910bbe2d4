"""Conversation counts of one person, from what is kept (domain/conversations/counts.py)."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Uuid, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.accounts.users import Membership
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.counts import ConversationTotal, whose
from clinic_chat.storage.statements import ON_EVENT_LOOP


@dataclass(frozen=True)
class ConversationCount:
    """The number of conversations with the same values in the fields of the filters."""

    who: str
    """`mine`, `unassigned` or `others`."""
    status: str
    unread: bool
    count: int


async def conversation_counts(session: AsyncSession, scope: ClinicScope) -> list[ConversationCount]:
    """The scope's person's counts, without those that are 0.

    A conversation in which the patient has never written is not unread.
    """
    everything: Counter[tuple[str, str]] = Counter()
    unread: Counter[tuple[str, str]] = Counter()
    for row in await session.execute(_TOTALS):
        place = str(whose(row.assignee_id, scope.user_id)), row.status
        everything[place] += row.conversations
        unread[place] += row.written
    reader = {"reader": scope.user_id, "clinic": scope.clinic_id}
    for key, read in (await session.scalar(_READ, reader) or {}).items():
        kind, _, status = key.partition("/")
        unread[kind, status] -= read
    cells = [
        ConversationCount(*place, is_unread, number)
        for place, total in everything.items()
        for is_unread, number in ((True, unread[place]), (False, total - unread[place]))
    ]
    return [cell for cell in cells if cell.count > 0]


_TOTALS = select(
    ConversationTotal.assignee_id,
    ConversationTotal.status,
    ConversationTotal.conversations,
    ConversationTotal.written,
).execution_options(**ON_EVENT_LOOP)
_READ = (
    select(Membership.read_counts)
    .where(
        Membership.user_id == bindparam("reader", type_=Uuid()),
        Membership.clinic_id == bindparam("clinic", type_=Uuid()),
    )
    .execution_options(**ON_EVENT_LOOP)
)
