"""Deliveries: one event for one webhook, with what became of it."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clinic_chat.storage.base import Base, ClinicOwned, new_id, now


class DeliveryStatus(StrEnum):
    """How far a delivery got."""

    PENDING = "pending"
    DELIVERED = "delivered"
    PARKED = "parked"
    """Tried for a day; it is tried again when somebody asks for that."""


class WebhookDelivery(ClinicOwned, Base):
    """One event for one webhook.

    `event_seq` and `ordinal` (an event of the log may be two for programs) are the order within a
    conversation. Of a conversation's pending deliveries only the first has `next_attempt_at`; the
    others wait for it.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("webhook_id", "event_seq", "ordinal"),
        Index(None, "webhook_id", "status", "event_seq", "ordinal"),
        # Its usual name would be longer than PostgreSQL's names are.
        Index(
            "ix_webhook_deliveries_conversation",
            *("webhook_id", "conversation_id", "status", "event_seq", "ordinal"),
        ),
        Index(None, "webhook_id", "next_attempt_at"),
        Index(None, "clinic_id", "status", "changed_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id", ondelete="CASCADE"))
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    event_seq: Mapped[int] = mapped_column(BigInteger)
    ordinal: Mapped[int] = mapped_column()
    type: Mapped[str] = mapped_column(String(40))
    conversation_id: Mapped[UUID] = mapped_column()
    event_type: Mapped[str] = mapped_column(String(40))
    """The log's type of the event; this and what follows rebuild it when the log is shorter."""
    event_version: Mapped[int] = mapped_column(BigInteger)
    event_payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    event_at: Mapped[datetime] = mapped_column()
    body: Mapped[str | None] = mapped_column(Text, default=None)
    """What is sent, from the first attempt until it is delivered: each attempt sends the same."""
    status: Mapped[DeliveryStatus] = mapped_column(String(20), default=DeliveryStatus.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None] = mapped_column(default=None)
    claimed_by: Mapped[str] = mapped_column(String(40), default="")
    """The process that sends it; `next_attempt_at` is then when another one may."""
    last_status: Mapped[int | None] = mapped_column(default=None)
    last_error: Mapped[str] = mapped_column(String(40), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    queued_at: Mapped[datetime] = mapped_column(default=now)
    """When it was created, or replayed."""
    changed_at: Mapped[datetime] = mapped_column(default=now)
    """When it was created, tried or replayed last."""

    @property
    def message_id(self) -> str:
        """The `webhook-id` of every attempt."""
        return f"msg_{self.id.hex}"
