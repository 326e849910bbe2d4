"""Several processes: what they tell each other."""

from clinic_chat.metrics.instruments import Counter

CHANNEL_MESSAGES = Counter(
    "clinic_chat_process_messages",
    "Messages between processes over Redis, by what became of them.",
    ("outcome",),
    known=[("sent",), ("received",), ("dropped",)],
)
CHANNEL_CONNECTS = Counter(
    "clinic_chat_process_channel_connects",
    "How often messages of other processes began to arrive; each time some may be missing before.",
)
