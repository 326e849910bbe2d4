"""The registry of durable readers of the log; a new one is a module of its own and a line here."""

from clinic_chat.domain.reports.daily_messages import count_messages
from clinic_chat.domain.webhooks.reader import READER, queue_deliveries
from clinic_chat.workers.log_worker import Reader

READERS = (
    # It is not urgent, and each run costs as much as storing a message.
    Reader("daily_messages", count_messages, every_seconds=120),
    Reader(READER, queue_deliveries, every_seconds=1, on_request=True),
)
