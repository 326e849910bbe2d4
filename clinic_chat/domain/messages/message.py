"""Messages of patients and staff, numbered 1, 2, 3 … in each conversation."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clinic_chat.domain.errors import NotFound
from clinic_chat.domain.messages.inbound import MessageKind
from clinic_chat.storage.base import Base, ClinicOwned, new_id, now


class Direction(StrEnum):
    """The side that wrote: the patient's (inbound) or the clinic's (outbound)."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class MessageStatus(StrEnum):
    """The delivery status of an outbound message."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


class Message(ClinicOwned, Base):
    """A message. (clinic, origin, client_id) is unique for ever: a repeated send is the same one.

    `origin` is the source of the `client_id`: `staff:<user id>`, `token:<token id>`, `api` or
    `import`. `body_length` is the original length of a body that was cut, else None. `sent_at` is
    the channel's own time; `seq` and `created_at` follow the arrival.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("clinic_id", "origin", "client_id"),
        Index(None, "conversation_id", "seq", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    conversation_id: Mapped[UUID] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE")
    )
    seq: Mapped[int] = mapped_column(BigInteger)
    direction: Mapped[Direction] = mapped_column(String(10))
    author_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), default=None
    )
    author_name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[MessageKind] = mapped_column(
        String(20), default=MessageKind.TEXT, server_default=MessageKind.TEXT
    )
    body: Mapped[str] = mapped_column(Text)
    body_length: Mapped[int | None] = mapped_column(BigInteger, default=None)
    origin: Mapped[str] = mapped_column(String(50))
    client_id: Mapped[str] = mapped_column(String(200))
    status: Mapped[MessageStatus] = mapped_column(String(10), default=MessageStatus.SENT)
    sent_at: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime] = mapped_column(default=now)
    delivered_at: Mapped[datetime | None] = mapped_column(default=None)
    read_at: Mapped[datetime | None] = mapped_column(default=None)
    failed_at: Mapped[datetime | None] = mapped_column(default=None)
    failure: Mapped[str] = mapped_column(String(200), default="")


def parse_message_id(value: object) -> UUID:
    """Parse a message's id from an address.

    Raises:
        NotFound: not an id, which must look the same as an unknown one.
    """
    if isinstance(value, UUID):
        return value
    try:
        return UUID(str(value))
    except ValueError:
        raise NotFound("no such message") from None
