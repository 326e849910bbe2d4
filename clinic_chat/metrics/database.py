"""The database: its transactions, its size and its connections."""

from clinic_chat.metrics.instruments import Counter, Gauge, Histogram

COMMIT_SECONDS = Histogram(
    "clinic_chat_commit_duration_seconds",
    "What a transaction took from its turn to being durable.",
)
TURN_SECONDS = Histogram(
    "clinic_chat_transaction_wait_seconds",
    "How long a transaction waited in this process for its turn.",
)
BUSY_WAITS = Counter(
    "clinic_chat_database_busy_waits",
    "Transactions that found SQLite's write lock taken by another process, and waited.",
)
UNAVAILABLE = Counter(
    "clinic_chat_database_unavailable", "Work that was refused: locked, full or out of reach."
)
SIZE_BYTES = Gauge("clinic_chat_database_size_bytes", "The size of the database.")
WAL_BYTES = Gauge(
    "clinic_chat_database_wal_size_bytes", "The size of SQLite's write-ahead log, its -wal file."
)
CONNECTIONS = Gauge(
    "clinic_chat_database_connections", "Connections to the database.", ("pool", "state")
)
