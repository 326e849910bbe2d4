"""Webhooks and deliveries as administrators and their programs see them: no secret, no message."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.conversations.views import iso
from clinic_chat.domain.webhooks.delivery import WebhookDelivery
from clinic_chat.domain.webhooks.webhook import Webhook, WebhookQueue


@dataclass(frozen=True)
class ClinicWebhook:
    """A webhook as an administrator sees it; times are ISO 8601 in UTC, or "" for never."""

    id: str
    url: str
    description: str
    event_types: list[str]
    state: str
    pending: int
    """How many events wait for it."""
    created_at: str
    disabled_at: str
    failing_since: str
    last_attempt_at: str
    last_status: int
    """The HTTP status of the last attempt, 0 when there was no answer."""
    last_error: str
    """What was wrong with it, "" for nothing."""


@dataclass(frozen=True)
class ShownDelivery:
    """A delivery; times are ISO 8601 in UTC, or "" for never."""

    id: str
    type: str
    conversation_id: str
    seq: int
    """The clinic's number of the event."""
    status: str
    attempts: int
    """Since it was queued."""
    next_attempt_at: str
    """"" while it waits for an earlier one of its conversation."""
    last_status: int
    last_error: str
    created_at: str
    changed_at: str
    """When it was created, tried or replayed last."""


async def read_shown(session: AsyncSession, row: Webhook) -> ClinicWebhook:
    """A webhook with what waits for it."""
    return shown(row, await session.get(WebhookQueue, row.id))


def shown(row: Webhook, queue: WebhookQueue | None) -> ClinicWebhook:
    """The part of a webhook that may be seen."""
    return ClinicWebhook(
        str(row.id),
        row.url,
        row.description,
        row.types,
        row.state,
        queue.pending if queue else 0,
        iso(row.created_at),
        _iso_or_never(row.disabled_at),
        _iso_or_never(row.failing_since),
        _iso_or_never(row.last_attempt_at),
        row.last_status or 0,
        row.last_error,
    )


def shown_delivery(row: WebhookDelivery) -> ShownDelivery:
    """The part of a delivery that may be seen."""
    return ShownDelivery(
        str(row.id),
        row.type,
        str(row.conversation_id),
        row.event_seq,
        row.status,
        row.attempts,
        _iso_or_never(row.next_attempt_at),
        row.last_status or 0,
        row.last_error,
        iso(row.created_at),
        iso(row.changed_at),
    )


def _iso_or_never(moment: datetime | None) -> str:
    return iso(moment) if moment else ""
