"""Every table, imported in one place so that `metadata` is complete."""

# ruff: noqa: F401

from clinic_chat.domain.accounts import api_tokens, session_records, users
from clinic_chat.domain.accounts.passkeys import passkey
from clinic_chat.domain.accounts.second_factors import authenticator_app
from clinic_chat.domain.administration import audit_trail, links
from clinic_chat.domain.clinics import clinic
from clinic_chat.domain.conversations import conversation, counts, read_marker
from clinic_chat.domain.events import log, readers
from clinic_chat.domain.messages import drafts, message
from clinic_chat.domain.patient_records import merging
from clinic_chat.domain.patients import identities, patient, search_words
from clinic_chat.domain.reports import daily_messages
from clinic_chat.domain.single_sign_on import providers
from clinic_chat.domain.webhooks import delivery, webhook
from clinic_chat.storage.base import Base

metadata = Base.metadata
