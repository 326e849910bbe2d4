"""Sockets: connections, commands, state events, and what browsers say of their own screens."""

from clinic_chat.metrics.instruments import Counter, Gauge, Histogram

TRANSPORTS = ("websocket", "polling")
# A screen that was out of date: from a slow answer to a laptop that slept.
STALE_BOUNDS = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)

SOCKETS = Gauge("clinic_chat_sockets", "Open sockets of signed-in people.", ("transport",))
TABS = Gauge("clinic_chat_tabs", "Sockets that have entered the pages' namespace.")
CONNECTS = Counter(
    "clinic_chat_socket_connects",
    "Handshakes that led to a socket.",
    ("transport",),
    known=[(transport,) for transport in TRANSPORTS],
)
DISCONNECTS = Counter(
    "clinic_chat_socket_disconnects", "Tabs that left, by who or what ended it.", ("reason",)
)
COMMANDS = Counter(
    "clinic_chat_commands",
    "Commands by name and outcome: ok, or the code of the refusal.",
    ("command", "outcome"),
)
COMMAND_SECONDS = Histogram(
    "clinic_chat_command_duration_seconds", "How long commands took to their answer.", ("command",)
)
STATE_EVENTS = Counter("clinic_chat_state_events", "State events that were let in.", ("event",))
STATE_EVENT_SECONDS = Histogram(
    "clinic_chat_state_event_duration_seconds",
    "From a state event's turn to its end, those of connects included.",
)
BROWSER_CHECK_SECONDS = Histogram(
    "clinic_chat_browser_check_seconds",
    "What a tab's check of its freshness took, from its question to the answer, as it measured it.",
)
BROWSER_STALE_SECONDS = Histogram(
    "clinic_chat_browser_stale_seconds",
    "How long a screen had no proof that it is current, told by the tab when it had one again.",
    bounds=STALE_BOUNDS,
)
