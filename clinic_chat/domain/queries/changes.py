"""Changes of a group of events: the touched conversations and messages in their current state."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import Conversation, conversation_rows
from clinic_chat.domain.conversations.events import TouchedRows
from clinic_chat.domain.conversations.views import StaffConversation, staff_conversation
from clinic_chat.domain.events.log import CommittedEvent, SubjectKind
from clinic_chat.domain.messages.message import Message
from clinic_chat.domain.messages.views import StaffMessage, staff_message
from clinic_chat.storage.statements import ON_EVENT_LOOP


@dataclass(frozen=True)
class Changes:
    """The touched conversations, newest activity first, and messages in order."""

    conversations: list[StaffConversation]
    messages: dict[str, list[StaffMessage]]
    """The messages that the events name, by conversation id."""


async def changes_of(scope: ClinicScope, events: list[CommittedEvent]) -> Changes:
    """The conversations and messages that events touched.

    The rows are the events' own if all have them, otherwise read in one statement; rows that are
    read may be newer than the last event. This runs for every event.
    """
    require(scope, Permission.READ_CONVERSATIONS)
    events = [e for e in events if e.subject.kind == SubjectKind.CONVERSATION]
    at_hand: list[TouchedRows] = [event.rows for event in events if event.rows]
    if len(at_hand) == len(events):
        rows = [
            (row.conversation, row.context.patient, row.context.assignee_name, row.message)
            for row in at_hand
        ]
    else:
        rows = await _read(scope, events)
    conversations: dict[UUID, StaffConversation] = {}
    messages: dict[tuple[str, int], StaffMessage] = {}
    # Of rows that several events touched, the last event has the current state.
    for conversation, patient, assignee_name, message in rows:
        conversations[conversation.id] = staff_conversation(conversation, patient, assignee_name)
        if message is not None:
            view = staff_message(message)
            messages[view.conversation_id, view.seq] = view
    by_conversation: dict[str, list[StaffMessage]] = {}
    for _, view in sorted(messages.items()):
        by_conversation.setdefault(view.conversation_id, []).append(view)
    newest = sorted(conversations.values(), key=lambda row: row.last_activity_at, reverse=True)
    return Changes(newest, by_conversation)


async def _read(scope: ClinicScope, events: list[CommittedEvent]) -> list[Any]:
    named = [event.payload for event in events if "messageId" in event.payload]
    wanted = {
        "ids": list({event.subject.id for event in events}),
        "messages": [UUID(payload["messageId"]) for payload in named],
        "seqs": [payload["seq"] for payload in named],
    }
    async with scope.read() as session:
        return list(await session.execute(_TOUCHED, wanted))


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
    .execution_options(**ON_EVENT_LOOP)
)
