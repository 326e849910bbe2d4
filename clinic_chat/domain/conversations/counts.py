"""Conversation counts: kept in the transaction that changes what they count.

A conversation is unread for a person until a marker of theirs says otherwise, so what is counted
is what exists: the conversations, those in which the patient has written, and those of them that a
person has read to the end. What is unread is the difference (queries/inbox.py).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, String, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from clinic_chat.domain.conversations.conversation import Conversation
from clinic_chat.domain.conversations.read_marker import ReadMarker
from clinic_chat.storage.base import Base, ClinicOwned
from clinic_chat.storage.before_commit import before_commit
from clinic_chat.storage.database import AnySession
from clinic_chat.storage.statements import ON_EVENT_LOOP

CHANGES = "count_changes"
NOBODY = UUID(int=0)
"""The assignee of conversations that nobody has; a key cannot be NULL."""


class Whose(StrEnum):
    """Whose a conversation is, as one person sees it."""

    MINE = "mine"
    UNASSIGNED = "unassigned"
    OTHERS = "others"


class ConversationTotal(ClinicOwned, Base):
    """The number of conversations of one assignee in one status.

    `written` is the number of those in which the patient has written.
    """

    __tablename__ = "conversation_totals"

    clinic_id: Mapped[UUID] = mapped_column(
        ForeignKey("clinics.id", ondelete="CASCADE"), primary_key=True
    )
    assignee_id: Mapped[UUID] = mapped_column(primary_key=True)
    """`NOBODY` for conversations without one; not a reference, because of that."""
    status: Mapped[str] = mapped_column(String(20), primary_key=True)
    conversations: Mapped[int] = mapped_column(BigInteger, default=0)
    written: Mapped[int] = mapped_column(BigInteger, default=0)


class ReadTotal(ClinicOwned, Base):
    """The number of conversations whose inbound messages one person has all read.

    There is at least one in each of them.
    """

    __tablename__ = "read_totals"

    clinic_id: Mapped[UUID] = mapped_column(
        ForeignKey("clinics.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    whose: Mapped[str] = mapped_column(String(10), primary_key=True)
    status: Mapped[str] = mapped_column(String(20), primary_key=True)
    conversations: Mapped[int] = mapped_column(BigInteger, default=0)


class CountKey(NamedTuple):
    """The fields that decide where a conversation is counted; `assignee_id` is "" for nobody."""

    status: str
    assignee_id: str
    inbound_count: int

    @property
    def assignee(self) -> UUID:
        """The assignee's id, or `NOBODY`."""
        return UUID(self.assignee_id) if self.assignee_id else NOBODY


def count_key(conversation: Conversation) -> CountKey:
    """The current count key of a conversation."""
    return CountKey(
        str(conversation.status),
        str(conversation.assignee_id or ""),
        conversation.inbound_count,
    )


def whose(assignee: UUID, person: UUID | None) -> Whose:
    """Whose a conversation of this assignee, or `NOBODY`, is for a person."""
    if assignee == NOBODY:
        return Whose.UNASSIGNED
    return Whose.MINE if assignee == person else Whose.OTHERS


@dataclass
class _Changes:
    """What a transaction changed so far: where each conversation and each marker began."""

    conversations: dict[UUID, tuple[CountKey | None, Conversation]] = field(default_factory=dict)
    markers: dict[tuple[UUID, UUID], tuple[int, int, Conversation]] = field(default_factory=dict)
    """By person and conversation: the inbound messages read before, and now."""


def note_change(session: AnySession, conversation: Conversation, was: CountKey | None) -> None:
    """Have a conversation counted anew before the commit; `was` is None for a new one."""
    _changes(session).conversations.setdefault(conversation.id, (was, conversation))


def note_marker(
    session: AnySession, conversation: Conversation, reader: UUID, before: int, after: int
) -> None:
    """Have a person's marker counted anew that moved between these numbers of read messages."""
    markers = _changes(session).markers
    key = reader, conversation.id
    first = markers[key][0] if key in markers else before
    markers[key] = first, after, conversation


def _changes(session: AnySession) -> _Changes:
    if CHANGES not in session.info:
        session.info[CHANGES] = _Changes()
        before_commit(session, _count)
    changes: _Changes = session.info[CHANGES]
    return changes


def _count(session: Session) -> None:
    changes: _Changes = session.info.pop(CHANGES)
    moved = {
        its: (was, count_key(conversation))
        for its, (was, conversation) in changes.conversations.items()
        if was != count_key(conversation)
    }
    _add_totals(session, moved)
    read: Counter[tuple[UUID, str, str]] = Counter()
    for reader, was, before, now, after in _readings(session, moved, changes):
        if was is not None and 0 < was.inbound_count <= before:
            read[reader, whose(was.assignee, reader), was.status] -= 1
        if 0 < now.inbound_count <= after:
            read[reader, whose(now.assignee, reader), now.status] += 1
    _add_read(session, read)


def _readings(
    session: Session, moved: dict[UUID, tuple[CountKey | None, CountKey]], changes: _Changes
) -> Iterator[tuple[UUID, CountKey | None, int, CountKey, int]]:
    """Each reader of what moved: key and marker as they were, and as they are."""
    markers = changes.markers
    if moved:
        for row in session.execute(_MARKERS, {"ids": list(moved)}):
            before = markers.get((row.user_id, row.conversation_id), (row.inbound_read,))[0]
            was, now = moved[row.conversation_id]
            yield row.user_id, was, before, now, row.inbound_read
    for (reader, its), (before, after, conversation) in markers.items():
        if its not in moved:
            key = count_key(conversation)
            yield reader, key, before, key, after


def _add_totals(session: Session, moved: dict[UUID, tuple[CountKey | None, CountKey]]) -> None:
    conversations: Counter[tuple[UUID, str]] = Counter()
    written: Counter[tuple[UUID, str]] = Counter()
    for was, now in moved.values():
        for key, number in ((was, -1), (now, 1)):
            if key is not None:
                conversations[key.assignee, key.status] += number
                written[key.assignee, key.status] += number * (key.inbound_count > 0)
    changed = {place for place in conversations if conversations[place] or written[place]}
    if not changed:
        return
    rows = session.scalars(_TOTALS, {"assignees": list({assignee for assignee, _ in changed})})
    known = {(row.assignee_id, row.status): row for row in rows}
    for place in sorted(changed):
        row = known.get(place)
        if row is None:
            assignee, status = place
            row = ConversationTotal(assignee_id=assignee, status=status, conversations=0, written=0)
            session.add(row)
        row.conversations += conversations[place]
        row.written += written[place]


def _add_read(session: Session, read: Counter[tuple[UUID, str, str]]) -> None:
    changed = sorted(place for place, number in read.items() if number)
    if not changed:
        return
    rows = session.scalars(_READ, {"readers": list({reader for reader, _, _ in changed})})
    known = {(row.user_id, row.whose, row.status): row for row in rows}
    for place in changed:
        row = known.get(place)
        if row is None:
            reader, kind, status = place
            row = ReadTotal(user_id=reader, whose=kind, status=status, conversations=0)
            session.add(row)
        row.conversations += read[place]


_MARKERS = (
    select(ReadMarker.user_id, ReadMarker.conversation_id, ReadMarker.inbound_read)
    .where(ReadMarker.conversation_id.in_(bindparam("ids", expanding=True)))
    .execution_options(**ON_EVENT_LOOP)
)
_TOTALS = (
    select(ConversationTotal)
    .where(ConversationTotal.assignee_id.in_(bindparam("assignees", expanding=True)))
    .execution_options(**ON_EVENT_LOOP)
)
_READ = (
    select(ReadTotal)
    .where(ReadTotal.user_id.in_(bindparam("readers", expanding=True)))
    .execution_options(**ON_EVENT_LOOP)
)
