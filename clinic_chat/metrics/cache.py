"""The cache: what is kept instead of asking the database again."""

from clinic_chat.metrics.instruments import Counter, Gauge

HIT, SHARED_HIT, MISS = "hit", "shared_hit", "miss"

REQUESTS = Counter(
    "clinic_chat_cache_requests",
    "Questions to a cache: a hit when this process kept what is still right, a shared_hit when "
    "Redis did.",
    ("cache", "outcome"),
)
INVALIDATIONS = Counter(
    "clinic_chat_cache_invalidations",
    "Events that changed what is kept.",
    ("cache",),
)
MERGES = Counter(
    "clinic_chat_cache_merges",
    "Loads that were not made, because another one or the event itself brought the same.",
    ("cache",),
)
EVICTIONS = Counter(
    "clinic_chat_cache_evictions", "Entries that made room for others in this process's memory."
)
SIZE_BYTES = Gauge("clinic_chat_cache_size_bytes", "What this process keeps, about.")
ITEMS = Gauge("clinic_chat_cache_items", "Entries that this process keeps.")
SHARED_FAILURES = Counter(
    "clinic_chat_shared_cache_failures",
    "Questions to Redis that failed or took over 0.1 s; after three in a row nobody asks until it "
    "answers again.",
)
