"""Events as programs get them: the specification's, with the fields that it names.

Sockets and webhooks take them from here, so that both say the same. What an event says of rows is
their state of now: of an old event that is read again, it is the newest one that counts.
"""

from dataclasses import dataclass
from math import ceil
from typing import Any

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.counts import CountKey
from clinic_chat.domain.conversations.views import StaffConversation, iso
from clinic_chat.domain.events.log import CommittedEvent, EventType, SubjectKind
from clinic_chat.domain.messages.views import StaffMessage
from clinic_chat.domain.public_api.conversations import ApiConversation
from clinic_chat.domain.public_api.messages import ApiMessage
from clinic_chat.domain.queries.changes import Changes, changes_of
from clinic_chat.domain.queries.message_pages import PAGE_SIZE

# Of a conversation, what a new message, another status of a message and a patient's data change.
_OF_MESSAGE = (
    "lastSeq",
    "inboundCount",
    "preview",
    "previewKind",
    "previewDirection",
    "previewAuthor",
    "previewStatus",
    "lastActivityAt",
)
_OF_STATUS = ("previewStatus",)
_OF_PATIENT = ("patientId", "patientName", "patientPhone")


@dataclass(frozen=True, slots=True)
class PublicEvent:
    """An event for programs; `data` is what is sent, with its `type` and the clinic's `seq`."""

    type: EventType
    conversation_id: str
    seq: int
    data: dict[str, Any]

    @property
    def is_of_conversation(self) -> bool:
        """Whether it goes to those who joined the conversation, and not to the whole clinic."""
        return self.type in (EventType.MESSAGE_NEW, EventType.MESSAGE_UPDATED)


async def public_events(scope: ClinicScope, events: list[CommittedEvent]) -> list[PublicEvent]:
    """The events for programs that follow from the clinic's next events, in order."""
    return of_changes(events, await changes_of(scope, events))


def of_changes(events: list[CommittedEvent], changes: Changes) -> list[PublicEvent]:
    """The events for programs, given the rows that the clinic's events touched."""
    rows = {row.id: row for row in changes.conversations}
    messages = {
        (conversation, message.id): message
        for conversation, found in changes.messages.items()
        for message in found
    }
    told: list[PublicEvent] = []
    for event in events:
        if event.subject.kind != SubjectKind.CONVERSATION:
            continue
        conversation = str(event.subject.id)
        if event.type == EventType.CONVERSATION_DELETED:
            told.append(_event(event, {}))
            continue
        message = messages.get((conversation, str(event.payload.get("messageId"))))
        if message is not None:
            told.append(_event(event, {"message": ApiMessage.of(message).data()}, message))
        if (row := rows.get(conversation)) and (updates := _updates(event, row, message)):
            told.append(_event(event, {"updates": updates}))
    return told


def _event(
    event: CommittedEvent, content: dict[str, Any], message: StaffMessage | None = None
) -> PublicEvent:
    kind = EventType.CONVERSATION_UPDATED if "updates" in content else EventType(event.type)
    conversation = str(event.subject.id)
    data: dict[str, Any] = {"type": kind.value, "conversationId": conversation, **content}
    if message is not None:
        data |= {
            "timestamp": iso(event.at),
            "page": ceil(message.seq / PAGE_SIZE),
            "pageSize": PAGE_SIZE,
        }
    return PublicEvent(kind, conversation, event.seq, {**data, "seq": event.seq})


def _updates(
    event: CommittedEvent, row: StaffConversation, message: StaffMessage | None
) -> dict[str, Any]:
    """The fields of the conversation that an event changed, as they are now."""
    view = ApiConversation.of(row).data()
    was = event.payload.get("was")
    if was is None:
        return view
    changed: list[str] = []
    if event.type == EventType.MESSAGE_NEW:
        changed += _OF_MESSAGE
    elif event.type == EventType.MESSAGE_UPDATED and message and message.seq == row.last_seq:
        changed += _OF_STATUS
    if event.payload.get("patient"):
        changed += _OF_PATIENT
    before, after = CountKey(*was), CountKey(*event.payload["state"])
    if before.status != after.status:
        changed.append("status")
    if before.assignee_id != after.assignee_id:
        changed += ["assigneeId", "assigneeName"]
    if not changed:
        return {}
    return {name: view[name] for name in (*changed, "version")}
