"""Conversation counts: kept in the transaction that changes what they count.

A conversation is unread for a person until a marker of theirs says otherwise, so what is counted
is what exists: the conversations, those in which the patient has written, and those of them that a
person has read to the end. What is unread is the difference
(queries/conversation_counts.py).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, String, and_, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from clinic_chat.domain.accounts.users import Membership
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


def read_key(assignee: UUID, status: str, person: UUID | None) -> str:
    """The key of `Membership.read_counts` for conversations of this assignee and status."""
    return f"{whose(assignee, person)}/{status}"


@dataclass
class _Marker:
    """A person's marker in a conversation: the inbound messages read before, and now."""

    conversation: Conversation
    reader: Membership
    before: int
    after: int


@dataclass
class _Changes:
    """What a transaction changed so far: where each conversation and each marker began."""

    conversations: dict[UUID, tuple[CountKey | None, Conversation]] = field(default_factory=dict)
    markers: dict[tuple[UUID, UUID], _Marker] = field(default_factory=dict)
    """By person and conversation."""


@dataclass(frozen=True)
class _Move:
    """A conversation's key before the transaction and after it, None where it is not there."""

    was: CountKey | None
    now: CountKey | None


def note_change(session: AnySession, conversation: Conversation, was: CountKey | None) -> None:
    """Have a conversation counted anew before the commit; `was` is None for a new one."""
    _changes(session).conversations.setdefault(conversation.id, (was, conversation))


def note_marker(
    session: AnySession, conversation: Conversation, reader: Membership, before: int, after: int
) -> None:
    """Have a person's marker counted anew that moved between these numbers of read messages."""
    markers = _changes(session).markers
    key = reader.user_id, conversation.id
    markers.setdefault(key, _Marker(conversation, reader, before, after)).after = after


def count_no_more(session: Session, conversations: Iterable[Conversation]) -> None:
    """Take conversations out of all counts, before they and their markers are deleted."""
    changes = _Changes({one.id: (count_key(one), one) for one in conversations})
    moves = {its: _Move(was, None) for its, (was, _) in changes.conversations.items()}
    _add_totals(session, moves.values())
    _find_markers(session, moves, changes)
    for (_, its), marker in changes.markers.items():
        _add_read(marker, moves[its])


def _changes(session: AnySession) -> _Changes:
    if CHANGES not in session.info:
        session.info[CHANGES] = _Changes()
        before_commit(session, _count)
    changes: _Changes = session.info[CHANGES]
    return changes


def _count(session: Session) -> None:
    changes: _Changes = session.info.pop(CHANGES)
    moves = {}
    for its, (was, conversation) in changes.conversations.items():
        now = count_key(conversation)
        if was != now:
            moves[its] = _Move(was, now)
    if moves:
        _add_totals(session, moves.values())
        _find_markers(session, moves, changes)
    for (_, its), marker in changes.markers.items():
        move = moves.get(its)
        if move is None:
            key = count_key(marker.conversation)
            move = _Move(key, key)
        _add_read(marker, move)


def _find_markers(session: Session, moves: dict[UUID, _Move], changes: _Changes) -> None:
    """Add the markers of those who had read a conversation that moved."""
    keys = (move.was or move.now for move in moves.values())
    least = min(max(1, key.inbound_count) for key in keys if key is not None)
    rows = session.execute(_MARKERS, {"ids": list(moves), "least": least})
    for its, read, reader in rows:
        conversation = changes.conversations[its][1]
        changes.markers.setdefault((reader.user_id, its), _Marker(conversation, reader, read, read))


def _add_read(marker: _Marker, move: _Move) -> None:
    person, counts = marker.reader.user_id, Counter[str]()
    if move.was is not None and 0 < move.was.inbound_count <= marker.before:
        counts[read_key(move.was.assignee, move.was.status, person)] -= 1
    if move.now is not None and 0 < move.now.inbound_count <= marker.after:
        counts[read_key(move.now.assignee, move.now.status, person)] += 1
    known = marker.reader.read_counts or {}
    changed = {key: known.get(key, 0) + number for key, number in counts.items() if number}
    if changed:
        marker.reader.read_counts = {**known, **changed}


def _add_totals(session: Session, moves: Iterable[_Move]) -> None:
    conversations: Counter[tuple[UUID, str]] = Counter()
    written: Counter[tuple[UUID, str]] = Counter()
    for move in moves:
        for key, number in ((move.was, -1), (move.now, 1)):
            if key is not None:
                conversations[key.assignee, key.status] += number
                written[key.assignee, key.status] += number * (key.inbound_count > 0)
    changed = sorted(place for place in conversations if conversations[place] or written[place])
    if not changed:
        return
    rows = session.scalars(_TOTALS, {"assignees": list({assignee for assignee, _ in changed})})
    known = {(row.assignee_id, row.status): row for row in rows}
    for place in changed:
        row = known.get(place)
        if row is None:
            assignee, status = place
            row = ConversationTotal(assignee_id=assignee, status=status, conversations=0, written=0)
            session.add(row)
        row.conversations += conversations[place]
        row.written += written[place]


_MARKERS = (
    select(ReadMarker.conversation_id, ReadMarker.inbound_read, Membership)
    .join(
        Membership,
        and_(
            Membership.user_id == ReadMarker.user_id, Membership.clinic_id == ReadMarker.clinic_id
        ),
    )
    .where(
        ReadMarker.conversation_id.in_(bindparam("ids", expanding=True)),
        ReadMarker.inbound_read >= bindparam("least"),
    )
    .execution_options(**ON_EVENT_LOOP)
)
_TOTALS = (
    select(ConversationTotal)
    .where(ConversationTotal.assignee_id.in_(bindparam("assignees", expanding=True)))
    .execution_options(**ON_EVENT_LOOP)
)
