"""Webhooks of a clinic: where its events are sent, which of them, and how far that got."""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from clinic_chat.domain.accounts.second_factors.authenticator_app import Seal
from clinic_chat.domain.errors import NotFound
from clinic_chat.domain.events.log import EventType
from clinic_chat.storage.base import Base, ClinicOwned, new_id, now

MAX_WEBHOOKS = 20
URL_LIMIT = 2_000
DESCRIPTION_LIMIT = 120
ROTATION = timedelta(hours=24)
"""How long the secret before still signs, beside the new one."""
EVENT_TYPES = (
    EventType.MESSAGE_NEW,
    EventType.MESSAGE_UPDATED,
    EventType.CONVERSATION_UPDATED,
    EventType.CONVERSATION_DELETED,
)
"""What can be subscribed to."""
_SEAL_PURPOSE = b"webhook"


class WebhookState(StrEnum):
    """Whether events are sent, and else who ended that and why."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    """By an administrator."""
    GONE = "gone"
    """The receiver said so: HTTP status 410."""
    FAILING = "failing"
    """Nothing was taken for days."""
    OVERFULL = "overfull"
    """Too many events waited."""


class Webhook(ClinicOwned, Base):
    """A receiver of a clinic's events."""

    __tablename__ = "webhooks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[UUID] = mapped_column(
        ForeignKey("clinics.id", ondelete="CASCADE"), index=True
    )
    url: Mapped[str] = mapped_column(String(URL_LIMIT))
    description: Mapped[str] = mapped_column(String(DESCRIPTION_LIMIT))
    event_types: Mapped[str] = mapped_column(String(200))
    """Of `EVENT_TYPES`, separated by spaces."""
    sealed_secret: Mapped[str] = mapped_column(String(400))
    sealed_old_secret: Mapped[str] = mapped_column(String(400), default="")
    old_secret_until: Mapped[datetime | None] = mapped_column(default=None)
    state: Mapped[WebhookState] = mapped_column(String(20), default=WebhookState.ENABLED)
    after_seq: Mapped[int] = mapped_column(BigInteger)
    """The clinic's newest event when it was enabled: it gets those after."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    disabled_at: Mapped[datetime | None] = mapped_column(default=None)
    failing_since: Mapped[datetime | None] = mapped_column(default=None)
    """The first attempt that failed after the last that did not."""
    last_attempt_at: Mapped[datetime | None] = mapped_column(default=None)
    last_status: Mapped[int | None] = mapped_column(default=None)
    last_error: Mapped[str] = mapped_column(String(40), default="")

    @property
    def types(self) -> list[str]:
        """The types of events that it gets."""
        return self.event_types.split()


class WebhookQueue(Base):
    """What waits for a webhook; not clinic-owned, because workers look through all clinics."""

    __tablename__ = "webhook_queues"

    webhook_id: Mapped[UUID] = mapped_column(
        ForeignKey("webhooks.id", ondelete="CASCADE"), primary_key=True
    )
    clinic_id: Mapped[UUID] = mapped_column(
        ForeignKey("clinics.id", ondelete="CASCADE"), index=True
    )
    due_at: Mapped[datetime | None] = mapped_column(default=None, index=True)
    """When the next delivery is to be tried; None for nothing, and while it is disabled."""
    is_slow: Mapped[bool] = mapped_column(default=False)
    """Whether the last attempt failed or took long."""
    pending: Mapped[int] = mapped_column(default=0)
    """How many deliveries wait."""
    oldest_at: Mapped[datetime | None] = mapped_column(default=None)
    """Since when the first of them does."""


def webhook_seal(signing_key: bytes) -> Seal:
    """What seals the secrets of webhooks."""
    return Seal(signing_key, _SEAL_PURPOSE)


def host_of(url: str) -> str:
    """The host of a checked address, for the audit trail: its path may be a secret."""
    return url.partition("://")[2].partition("/")[0].partition("?")[0][:254]


async def webhook_of(session: AsyncSession, webhook_id: object) -> Webhook:
    """A webhook of the session's clinic.

    Raises:
        NotFound: there is no such webhook.
    """
    try:
        key = UUID(str(webhook_id))
    except ValueError:
        raise NotFound("no such webhook") from None
    row = await session.scalar(select(Webhook).where(Webhook.id == key))
    if row is None:
        raise NotFound("no such webhook")
    return row
