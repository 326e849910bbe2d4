"""Read markers, the table: how far each person has read each conversation."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from clinic_chat.storage.base import Base, ClinicOwned, now


class ReadMarker(ClinicOwned, Base):
    """The position up to which one person has read one conversation.

    `inbound_read` is the number of inbound messages up to `seq`; the unread messages are the
    conversation's `inbound_count` minus it.
    """

    __tablename__ = "read_markers"
    __table_args__ = (
        # Who has read a conversation, and what one person read since a version.
        Index(None, "conversation_id", "user_id"),
        Index(None, "user_id", "version"),
    )

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    conversation_id: Mapped[UUID] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(BigInteger, default=0)
    inbound_read: Mapped[int] = mapped_column(BigInteger, default=0)
    version: Mapped[int] = mapped_column(BigInteger, default=0)
    """The person's `personal_version` when the marker last moved."""
    updated_at: Mapped[datetime] = mapped_column(default=now)
