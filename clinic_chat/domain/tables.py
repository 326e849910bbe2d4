"""Every table, imported in one place so that `Base.metadata` is complete."""

from clinic_chat.domain.accounts import api_tokens as tokens
from clinic_chat.domain.accounts import sessions
from clinic_chat.domain.accounts import users as staff
from clinic_chat.domain.clinics import clinic as clinics
from clinic_chat.domain.conversations import conversation as conversations
from clinic_chat.domain.events import log as events
from clinic_chat.domain.messages import drafts
from clinic_chat.domain.messages import message as messages
from clinic_chat.domain.messages import read_markers as receipts
from clinic_chat.domain.patients import patient as patients
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
