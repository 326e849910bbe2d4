"""Conversation events: recording them in the clinic's event log."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from clinic_chat.domain.conversations.conversation import (
    Conversation,
    RowContext,
    conversations_of,
)
from clinic_chat.domain.conversations.counts import CountKey, count_key, note_change
from clinic_chat.domain.events.log import EventType, Subject, SubjectKind, record
from clinic_chat.domain.patients.patient import Patient
from clinic_chat.storage.database import AnySession


@dataclass(frozen=True, slots=True)
class TouchedRows:
    """The rows that an event changed, as its transaction left them."""

    conversation: Conversation
    context: RowContext
    message: Any = None
    """The message that the event's payload names."""


def record_conversation_event(
    session: AnySession,
    conversation: Conversation,
    event_type: EventType,
    payload: dict[str, Any] | None = None,
    *,
    was: CountKey | None,
    context: RowContext | None = None,
    message: Any = None,
) -> None:
    """Record a conversation's event in the log, in the caller's transaction.

    `was` is the count key before the change, None for a new conversation: with it, readers of the
    log can update counts without counting again, and so can the transaction (`counts.py`).
    `context`, and the `message` that the payload names, save readers a query.
    """
    conversation.version += 1
    note_change(session, conversation, was)
    record(
        session,
        Subject(SubjectKind.CONVERSATION, conversation.id, conversation.version),
        event_type,
        {**(payload or {}), "was": was and list(was), "state": list(count_key(conversation))},
        rows=TouchedRows(conversation, context, message) if context else None,
    )


def record_patient_change(session: Session, patient: Patient) -> None:
    """Record in each conversation of a patient that what it shows of them changed."""
    for conversation, assignee_name in conversations_of(session, patient.id):
        record_conversation_event(
            session,
            conversation,
            EventType.CONVERSATION_UPDATED,
            {"patient": True},
            was=count_key(conversation),
            context=RowContext(patient, assignee_name),
        )
