"""What a group of events changed, as it is now."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, bindparam

from clinic_chat.domain.conversations import (
    Conversation,
    ConversationView,
    conversation_rows,
    conversation_view,
)
from clinic_chat.domain.events import Recorded
from clinic_chat.domain.messages import Message, MessageView, message_view
from clinic_chat.domain.scope import ClinicScope
from clinic_chat.storage.scoping import AGAIN


@dataclass(frozen=True)
class Changes:
    """The conversations that were touched, newest activity first, and messages in order."""

    conversations: list[ConversationView]
    messages: dict[str, list[MessageView]]
    """By conversation id; those of each that the events name."""


async def changes_of(scope: ClinicScope, events: list[Recorded]) -> Changes:
    """What the events touched: as their transactions left it, or read in one statement.

    It runs for everything that happens. What is read may be newer than the last event.
    """
    rows = [event.rows for event in events]
    if None in rows:
        return await _read_changes(scope, events)
    conversations: dict[UUID, ConversationView] = {}
    messages: dict[tuple[str, int], MessageView] = {}
    for touched in filter(None, rows):
        conversation = touched.conversation
        conversations[conversation.id] = conversation_view(conversation, *touched.beside)
        if touched.message is not None:
            view = message_view(touched.message)
            messages[view.conversation_id, view.seq] = view
    by_conversation: dict[str, list[MessageView]] = {}
    for _, view in sorted(messages.items()):
        by_conversation.setdefault(view.conversation_id, []).append(view)
    newest = sorted(conversations.values(), key=lambda row: row.last_activity_at, reverse=True)
    return Changes(newest, by_conversation)


async def _read_changes(scope: ClinicScope, events: list[Recorded]) -> Changes:
    named = [event.payload for event in events if "messageId" in event.payload]
    wanted = {
        "ids": list({event.conversation_id for event in events}),
        "messages": [UUID(payload["messageId"]) for payload in named],
        "seqs": [payload["seq"] for payload in named],
    }
    async with scope.read() as session:
        rows = (await session.execute(_TOUCHED, wanted)).all()
    conversations: dict[str, ConversationView] = {}
    messages: dict[str, list[MessageView]] = {}
    for *row, message in rows:
        key = str(row[0].id)
        if key not in conversations:
            conversations[key] = conversation_view(*row)
        if message is not None:
            messages.setdefault(key, []).append(message_view(message))
    return Changes(list(conversations.values()), messages)


_TOUCHED = (
    conversation_rows()
    .add_columns(Message)
    .outerjoin(
        Message,
        and_(
            Message.conversation_id == Conversation.id,
            # By number, which has an index within a conversation: by id alone SQLite goes
            # through all of a conversation's messages as soon as there are five to find.
            Message.seq.in_(bindparam("seqs", expanding=True)),
            Message.id.in_(bindparam("messages", expanding=True)),
        ),
    )
    .where(Conversation.id.in_(bindparam("ids", expanding=True)))
    .order_by(Message.seq)
    .execution_options(**{AGAIN: True})
)
