"""Read markers: how far each person has read; they move back only when a person marks unread."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Uuid, and_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.personal_changes import announce_personal
from clinic_chat.domain.accounts.users import Membership
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import Conversation, conversation_id
from clinic_chat.domain.conversations.counts import count_key, note_marker
from clinic_chat.domain.conversations.read_marker import ReadMarker
from clinic_chat.domain.errors import InvalidInput, NotFound
from clinic_chat.domain.messages.message import Direction, Message
from clinic_chat.storage.base import now
from clinic_chat.storage.statements import ON_EVENT_LOOP, PREPARED

# Counting this many messages takes less time than the switch to a worker thread.
NEAR = 100


async def mark_read(scope: ClinicScope, conversation: object, seq: object) -> int:
    """Move this person's marker forward to `seq`, at most to the last message.

    Returns the number of inbound messages that are read now; a marker further on stays.

    Raises:
        NotFound: the conversation is unknown, malformed or another clinic's.
        InvalidInput: `seq_invalid`.
    """
    require(scope, Permission.READ_CONVERSATIONS)
    if not isinstance(seq, int) or isinstance(seq, bool) or seq < 0:
        raise InvalidInput("seq must be a message number", code="seq_invalid")
    wanted = seq

    def move(session: Session) -> int:
        target, marker, reader = _read(session, scope, conversation)
        reach = min(wanted, target.last_seq)
        if reach > marker.seq:
            _move(session, target, marker, reader, reach)
        return marker.inbound_read

    return await scope.transact_shared(move)


async def mark_unread(scope: ClinicScope, conversation: object) -> int:
    """Move this person's marker back to before the last inbound message.

    Returns the number of inbound messages that count as read now.

    Raises:
        NotFound: the conversation is unknown, malformed or another clinic's.
        InvalidInput: `nothing_inbound`: the patient has not written yet.
    """

    require(scope, Permission.READ_CONVERSATIONS)

    def take_back(session: Session) -> int:
        target, marker, reader = _read(session, scope, conversation)
        last_inbound = session.scalar(
            select(Message.seq)
            .where(Message.conversation_id == target.id, Message.direction == Direction.INBOUND)
            .order_by(Message.seq.desc())
            .limit(1)
        )
        if last_inbound is None:
            raise InvalidInput("the patient has not written yet", code="nothing_inbound")
        if marker.seq >= last_inbound:
            _move(session, target, marker, reader, last_inbound - 1)
        return marker.inbound_read

    return await scope.transact(take_back)


async def read_markers(scope: ClinicScope, ids: Iterable[UUID]) -> dict[str, int]:
    """The number of inbound messages that this person has read, by conversation id."""
    require(scope, Permission.READ_CONVERSATIONS)
    async with scope.read() as session:
        return await read_markers_in(session, scope.staff_id(), ids)


async def read_markers_in(
    session: AsyncSession, user_id: UUID, ids: Iterable[UUID]
) -> dict[str, int]:
    """Like `read_markers`, for a user and in an open session."""
    wanted = list(ids)
    rows = await session.scalars(
        select(ReadMarker).where(
            ReadMarker.user_id == user_id, ReadMarker.conversation_id.in_(wanted)
        )
    )
    found = {str(row.conversation_id): row.inbound_read for row in rows}
    return {str(item): found.get(str(item), 0) for item in wanted}


async def markers_since(session: AsyncSession, user_id: UUID, version: int) -> dict[str, int]:
    """Like `read_markers`, for the markers that moved after personal version `version`."""
    rows = await session.scalars(
        select(ReadMarker).where(ReadMarker.user_id == user_id, ReadMarker.version > version)
    )
    return {str(row.conversation_id): row.inbound_read for row in rows}


async def personal_version(session: AsyncSession, scope: ClinicScope) -> int:
    """The number of this person's personal changes in the clinic, 0 for other actors."""
    if scope.user_id is None:
        return 0
    version = await session.scalar(
        select(Membership.personal_version).where(
            Membership.user_id == scope.user_id, Membership.clinic_id == scope.clinic_id
        )
    )
    return version or 0


def _read(
    session: Session, scope: ClinicScope, conversation: object
) -> tuple[Conversation, ReadMarker, Membership]:
    wanted = {"conversation": conversation_id(conversation), "reader": scope.staff_id()}
    found = session.execute(_READ, wanted).one_or_none()
    if found is None:
        raise NotFound("no such conversation")
    target, reader, marker = found
    if marker is None:
        marker = ReadMarker(user_id=scope.user_id, conversation_id=target.id, seq=0, inbound_read=0)
        session.add(marker)
    return target, marker, reader


_READ = (
    select(Conversation, Membership, ReadMarker)
    .join(
        Membership,
        and_(
            Membership.clinic_id == Conversation.clinic_id,
            Membership.user_id == bindparam("reader", type_=Uuid()),
        ),
    )
    .outerjoin(
        ReadMarker,
        and_(
            ReadMarker.conversation_id == Conversation.id,
            ReadMarker.user_id == Membership.user_id,
        ),
    )
    .where(Conversation.id == bindparam("conversation"))
    .execution_options(**ON_EVENT_LOOP)
)


def _move(
    session: Session,
    target: Conversation,
    marker: ReadMarker,
    reader: Membership,
    reach: int,
) -> None:
    before = marker.inbound_read
    marker.inbound_read = _inbound_up_to(session, target, reach)
    marker.seq = reach
    marker.updated_at = now()
    note_marker(session, target, reader, before, marker.inbound_read)
    marker.version = announce_personal(
        session,
        reader,
        {
            "type": "marker",
            "id": str(target.id),
            "was": before,
            "inbound_read": marker.inbound_read,
            "state": list(count_key(target)),
        },
    )


def _inbound_up_to(session: Session, target: Conversation, seq: int) -> int:
    if seq == target.last_seq:
        return target.inbound_count
    counting = _INBOUND_AFTER if target.last_seq - seq <= NEAR else _INBOUND_FAR_AFTER
    later = session.scalar(counting, {"conversation": target.id, "seq": seq})
    return target.inbound_count - (later or 0)


# Not on the event loop: counting many messages takes too long.
_INBOUND_FAR_AFTER = (
    select(func.count())
    .select_from(Message)
    .where(
        Message.conversation_id == bindparam("conversation"),
        Message.direction == Direction.INBOUND,
        Message.seq > bindparam("seq"),
    )
    .execution_options(**PREPARED)
)
# People mostly read near the end, so fewer messages come after a marker than before it.
_INBOUND_AFTER = _INBOUND_FAR_AFTER.execution_options(**ON_EVENT_LOOP)
