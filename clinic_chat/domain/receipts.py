"""What each person has read: markers that only move forward."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, func, select
from sqlalchemy.orm import Mapped, mapped_column

from clinic_chat.domain.conversations import load_conversation
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.events import Personal
from clinic_chat.domain.messages import Direction, Message
from clinic_chat.domain.scope import ClinicScope
from clinic_chat.domain.staff import Membership
from clinic_chat.storage.base import Base, ClinicOwned, now
from clinic_chat.storage.database import announce


class ReadMarker(ClinicOwned, Base):
    """How far one person has read one conversation.

    `inbound_read` is the number of inbound messages up to `seq`; a conversation's
    `inbound_count` minus it is what is unread.
    """

    __tablename__ = "read_markers"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    conversation_id: Mapped[UUID] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(BigInteger, default=0)
    inbound_read: Mapped[int] = mapped_column(BigInteger, default=0)
    updated_at: Mapped[datetime] = mapped_column(default=now)


async def mark_read(scope: ClinicScope, conversation: object, seq: object) -> int:
    """Move this person's marker forward to `seq`, at most to the last message.

    Returns how many inbound messages are read now; a marker further on stays.

    Raises:
        NotFound: the conversation is unknown, malformed or another clinic's.
        InvalidInput: `seq_invalid`.
    """
    if not isinstance(seq, int) or isinstance(seq, bool) or seq < 0:
        raise InvalidInput("seq must be a message number", code="seq_invalid")
    user_id = scope.staff_id()
    async with scope.write() as session:
        target = await load_conversation(session, conversation)
        reach = min(seq, target.last_seq)
        marker = await session.get(ReadMarker, (user_id, target.id))
        if marker is None:
            marker = ReadMarker(user_id=user_id, conversation_id=target.id, seq=0, inbound_read=0)
            session.add(marker)
        if reach <= marker.seq:
            return marker.inbound_read
        marker.inbound_read = (
            target.inbound_count
            if reach == target.last_seq
            else await session.scalar(
                select(func.count())
                .select_from(Message)
                .where(
                    Message.conversation_id == target.id,
                    Message.direction == Direction.INBOUND,
                    Message.seq <= reach,
                )
            )
            or 0
        )
        marker.seq = reach
        marker.updated_at = now()
        membership = await session.get_one(Membership, (user_id, scope.clinic_id))
        membership.personal_version += 1
        announce(
            session, Personal(scope.clinic_id, user_id, membership.personal_version, target.id)
        )
        return marker.inbound_read


async def read_markers(scope: ClinicScope, ids: Iterable[UUID]) -> dict[str, int]:
    """How many inbound messages this person has read in each of these conversations."""
    wanted = list(ids)
    async with scope.read() as session:
        rows = await session.scalars(
            select(ReadMarker).where(
                ReadMarker.user_id == scope.staff_id(), ReadMarker.conversation_id.in_(wanted)
            )
        )
        found = {str(row.conversation_id): row.inbound_read for row in rows}
    return {str(item): found.get(str(item), 0) for item in wanted}
