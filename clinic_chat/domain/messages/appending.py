"""Message append: adds the next message to a conversation."""

from datetime import datetime
from uuid import UUID

from clinic_chat.domain.conversations.conversation import Conversation, RowContext, Status
from clinic_chat.domain.conversations.counts import count_key
from clinic_chat.domain.conversations.events import record_conversation_event
from clinic_chat.domain.events.log import EventType
from clinic_chat.domain.messages.inbound import MessageKind
from clinic_chat.domain.messages.message import Direction, Message, MessageStatus
from clinic_chat.domain.validation import preview
from clinic_chat.storage.base import new_id, now
from clinic_chat.storage.database import AnySession


def append_message(
    session: AnySession,
    conversation: Conversation,
    *,
    direction: Direction,
    author_name: str,
    body: str,
    origin: str,
    client_id: str,
    kind: MessageKind = MessageKind.TEXT,
    body_length: int | None = None,
    author_id: UUID | None = None,
    at: datetime | None = None,
    sent_at: datetime | None = None,
    context: RowContext | None = None,
) -> Message:
    """Add the next message to a conversation and log it, in the caller's transaction.

    The caller holds the clinic's lock, so the numbers have no holes. An inbound message reopens a
    resolved conversation. `context` is as of `record_conversation_event`.
    """
    moment = at or now()
    was = count_key(conversation) if conversation.version else None
    conversation.last_seq += 1
    conversation.last_activity_at = moment
    conversation.preview = preview(body)
    conversation.preview_kind = kind
    conversation.preview_direction = direction
    conversation.preview_author_id = author_id
    conversation.preview_author = author_name
    conversation.preview_status = MessageStatus.SENT
    if direction is Direction.INBOUND:
        conversation.inbound_count += 1
        if conversation.status == Status.RESOLVED:
            conversation.status = Status.OPEN
    message = Message(
        id=new_id(),
        conversation_id=conversation.id,
        seq=conversation.last_seq,
        direction=direction,
        author_id=author_id,
        author_name=author_name,
        kind=kind,
        body=body,
        body_length=body_length,
        origin=origin,
        client_id=client_id,
        status=MessageStatus.SENT,
        sent_at=sent_at,
        created_at=moment,
        failure="",
    )
    session.add(message)
    record_conversation_event(
        session,
        conversation,
        EventType.MESSAGE_NEW,
        {"messageId": str(message.id), "seq": message.seq, "direction": direction},
        was=was,
        context=context,
        message=message,
    )
    return message
