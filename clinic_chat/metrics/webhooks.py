"""Webhooks: what became of attempts to deliver events, and what waits."""

from clinic_chat.metrics.instruments import Counter, Gauge, Histogram

WEBHOOK_ATTEMPTS = Counter(
    "clinic_chat_webhook_attempts",
    "Attempts of this process to deliver an event to a webhook, by what they led to.",
    ("result",),
    known=[("delivered",), ("retried",), ("parked",), ("lost",)],
)
WEBHOOK_SECONDS = Histogram(
    "clinic_chat_webhook_attempt_seconds",
    "From the beginning of an attempt to the receiver's answer, or to its failure.",
    bounds=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0),
)
WEBHOOKS_DISABLED = Counter(
    "clinic_chat_webhooks_disabled",
    "Webhooks that this process has disabled, by why.",
    ("reason",),
    known=[("gone",), ("failing",), ("overfull",)],
)
WEBHOOK_PENDING = Gauge(
    "clinic_chat_webhook_pending",
    "Events that wait to be delivered to webhooks that are enabled, of all clinics.",
)
WEBHOOK_PENDING_SECONDS = Gauge(
    "clinic_chat_webhook_pending_seconds", "How long the first of them has waited."
)
