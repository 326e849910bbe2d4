"""The durable readers of the log; a new one is its own module and a line here."""

from clinic_chat.domain.reports.daily_messages import count_messages
from clinic_chat.workers.log_worker import Reader

READERS = (
    # Nobody waits for it, and each time costs as much as a message.
    Reader("daily_messages", count_messages, every_seconds=120),
)
