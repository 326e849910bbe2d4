"""Conversation events: recording them in the clinic's event log."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from clinic_chat.domain.conversations.conversation import Conversation, RowContext
from clinic_chat.domain.events.log import EventType, Subject, SubjectKind, record
from clinic_chat.storage.database import AnySession


class CountKey(NamedTuple):
    """The fields that decide where a conversation is counted; `assignee_id` is "" for nobody."""

    status: str
    assignee_id: str
    inbound_count: int


@dataclass(frozen=True, slots=True)
class TouchedRows:
    """The rows that an event changed, as its transaction left them."""

    conversation: Conversation
    context: RowContext
    message: Any = None
    """The message that the event's payload names."""


def count_key(conversation: Conversation) -> CountKey:
    """The current count key of a conversation."""
    return CountKey(
        str(conversation.status),
        str(conversation.assignee_id or ""),
        conversation.inbound_count,
    )


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
    log can update counts without counting again. `context`, and the `message` that the payload
    names, save readers a query.
    """
    conversation.version += 1
    record(
        session,
        Subject(SubjectKind.CONVERSATION, conversation.id, conversation.version),
        event_type,
        {**(payload or {}), "was": was and list(was), "state": list(count_key(conversation))},
        rows=TouchedRows(conversation, context, message) if context else None,
    )
