"""HTTP: requests and sign-ins."""

from clinic_chat.metrics.instruments import Counter, Histogram

REQUESTS = Counter(
    "clinic_chat_http_requests",
    "HTTP requests by route and class of status; none is one whose client left before.",
    ("route", "status"),
)
REQUEST_SECONDS = Histogram(
    "clinic_chat_http_request_duration_seconds",
    "How long HTTP requests took to their end; polls of /_event wait on purpose.",
    ("route",),
)
SIGN_INS = Counter(
    "clinic_chat_sign_ins",
    "Tries to sign in, by what became of them.",
    ("outcome",),
    known=[
        ("accepted",),
        ("invalid",),
        ("code_needed",),
        ("code_wrong",),
        ("passkey_refused",),
        ("late",),
        ("limited",),
        ("busy",),
        ("unavailable",),
    ],
)
