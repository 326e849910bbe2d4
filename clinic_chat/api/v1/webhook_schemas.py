"""Shapes of the endpoints for webhooks."""

from clinic_chat.api.v1.schemas import ChannelText, StrictModel
from clinic_chat.domain.public_api.view import ViewModel


class ApiWebhook(ViewModel):
    """A webhook. Times are ISO 8601 in UTC, empty when it has not happened."""

    id: str
    url: str
    description: str
    event_types: list[str]
    state: str
    """`enabled`; `disabled` by somebody; or by the server: `gone` (the receiver answered 410),
    `failing` (nothing was taken for five days), `overfull` (too many events waited)."""
    pending: int
    """How many events wait for it."""
    created_at: str
    disabled_at: str
    failing_since: str
    """The first attempt that failed after the last that did not."""
    last_attempt_at: str
    last_status: int
    """The HTTP status of the last attempt, 0 when there was no answer."""
    last_error: str
    """What was wrong with it, empty for nothing: `status`, `redirected`, `too_slow`,
    `unreachable`, `certificate`, `address_private` …"""


class ApiDelivery(ViewModel):
    """An event for a webhook. Times are ISO 8601 in UTC, empty when it has not happened."""

    id: str
    type: str
    conversation_id: str
    seq: int
    """The clinic's number of the event."""
    status: str
    """`pending`, `delivered`, or `parked`: tried for a day, and again only when it is replayed."""
    attempts: int
    """Since it was queued."""
    next_attempt_at: str
    """Empty while it waits for an earlier one of its conversation."""
    last_status: int
    last_error: str
    created_at: str
    changed_at: str
    """When it was created, tried or replayed last."""


class NewWebhookRequest(StrictModel):
    """A receiver of events."""

    url: ChannelText
    """An https address of at most 2,000 characters, which leads to a public network."""
    event_types: list[ChannelText]
    description: ChannelText = ""
    """At most 120 characters, for people."""


class WebhookChange(StrictModel):
    """What is to be changed; what is left out stays."""

    url: ChannelText | None = None
    event_types: list[ChannelText] | None = None
    description: ChannelText | None = None
    enabled: bool | None = None
    """A webhook that is disabled keeps what waits for it and gets no further events."""


class WebhookAnswer(ViewModel):
    """A webhook."""

    webhook: ApiWebhook


class CreatedWebhook(ViewModel):
    """A webhook and its secret, which is told this once."""

    webhook: ApiWebhook
    secret: str


class WebhookList(ViewModel):
    """All of the clinic's webhooks, the newest first."""

    webhooks: list[ApiWebhook]


class NewSecret(ViewModel):
    """The new secret, which is told this once; the one before signs too for 24 hours."""

    secret: str


class Tested(ViewModel):
    """What came of a test event."""

    delivered: bool
    status: int
    """The HTTP status, 0 without an answer."""
    error: str


class DeliveryList(ViewModel):
    """Deliveries, those of the newest events first."""

    deliveries: list[ApiDelivery]
    cursor: str
    """Continues after them; empty at the end."""


class DeliveryAnswer(ViewModel):
    """A delivery."""

    delivery: ApiDelivery


class Replayed(ViewModel):
    """How many were queued again."""

    replayed: int
