"""Messages on their way: stored, waiting, delivered to screens and taken by durable readers."""

from clinic_chat.metrics.instruments import Counter, Gauge, Histogram

WRITES, SENDS, BUS = "writes", "sends", "bus"
QUEUES = (WRITES, SENDS, BUS)

MESSAGES = Counter(
    "clinic_chat_messages",
    "Messages that this process has stored.",
    ("direction",),
    known=[("inbound",), ("outbound",)],
)
DELIVERY_SECONDS = Histogram(
    "clinic_chat_delivery_seconds",
    "From an event's commit to its patches being written to all sockets that follow.",
)
BATCH_ITEMS = Histogram(
    "clinic_chat_batch_items",
    "How many were taken together from a queue.",
    ("queue",),
    known=[(queue,) for queue in QUEUES],
    bounds=(1, 2, 4, 8, 16, 32, 64, 256),
)
QUEUE_ITEMS = Gauge("clinic_chat_queue_items", "How many wait in a queue.", ("queue",))
QUEUE_AGE_SECONDS = Gauge(
    "clinic_chat_queue_age_seconds", "How long the oldest in a queue has waited.", ("queue",)
)
BUS_FAILURES = Counter(
    "clinic_chat_bus_failures", "Deliveries to screens that failed; tabs ask for what they miss."
)
READER_EVENTS = Gauge(
    "clinic_chat_log_reader_behind_events",
    "Events of all clinics that a durable reader has not taken.",
    ("reader",),
)
READER_SECONDS = Gauge(
    "clinic_chat_log_reader_behind_seconds",
    "How long the oldest of them has waited, as far as this process knows.",
    ("reader",),
)
