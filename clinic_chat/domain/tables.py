"""Every table, imported in one place so that `Base.metadata` is complete."""

from clinic_chat.domain import (
    clinics,
    conversations,
    drafts,
    events,
    messages,
    patients,
    receipts,
    sessions,
    staff,
    tokens,
)
from clinic_chat.storage.base import Base

NOUNS = (
    clinics,
    conversations,
    drafts,
    events,
    messages,
    patients,
    receipts,
    sessions,
    staff,
    tokens,
)
metadata = Base.metadata
