"""What happened in conversations, as the log records it."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from clinic_chat.domain.conversations.conversation import Conversation, RowContext
from clinic_chat.domain.events.log import EventType, Subject, SubjectKind, record
from clinic_chat.storage.database import AnySession


class CountKey(NamedTuple):
    """What counts of conversations depend on; `assignee_id` is "" for nobody."""

    status: str
    assignee_id: str
    inbound_count: int


@dataclass(frozen=True, slots=True)
class TouchedRows:
    """The rows that an event touched as its transaction left them."""

    conversation: Conversation
    context: RowContext
    message: Any = None
    """The message that the payload names."""


def count_key(conversation: Conversation) -> CountKey:
    """Where a conversation is counted now."""
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
    """Log what happened in a conversation, in the caller's transaction.

    `was` is its key before, None when it is new: with it, whoever counts conversations can follow
    the log without counting again. With `context`, and the `message` that the payload names,
    nobody has to read again what is to be shown of it.
    """
    conversation.version += 1
    record(
        session,
        Subject(SubjectKind.CONVERSATION, conversation.id, conversation.version),
        event_type,
        {**(payload or {}), "was": was and list(was), "state": list(count_key(conversation))},
        rows=TouchedRows(conversation, context, message) if context else None,
    )
