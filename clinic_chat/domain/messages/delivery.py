"""Delivery status of outbound messages, as the channel reports it; it only moves forward."""

from datetime import datetime

from sqlalchemy import bindparam
from sqlalchemy.orm import Session

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.characters import clean_line, cut
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import (
    Conversation,
    RowContext,
    conversation_rows,
)
from clinic_chat.domain.conversations.counts import count_key
from clinic_chat.domain.conversations.events import record_conversation_event
from clinic_chat.domain.errors import Conflict, InvalidInput, NotFound
from clinic_chat.domain.events.log import EventType
from clinic_chat.domain.messages.inbound import channel_time
from clinic_chat.domain.messages.message import Direction, Message, MessageStatus, parse_message_id
from clinic_chat.domain.messages.views import StoredMessage, staff_message
from clinic_chat.storage.base import now
from clinic_chat.storage.statements import ON_EVENT_LOOP

REASON_LIMIT = 200
_ORDER = {MessageStatus.SENT: 0, MessageStatus.DELIVERED: 1, MessageStatus.READ: 2}


async def report_status(
    scope: ClinicScope,
    message_id: object,
    status: object,
    *,
    reason: object = "",
    at: datetime | None = None,
    channel_at: object = None,
) -> StoredMessage:
    """Move an outbound message on to `delivered`, `read` or `failed`.

    Channels report out of order and twice: a status behind the message's own changes nothing and
    is no error. `read` implies `delivered`. The result's `created` says whether the message
    changed. `channel_at` is the channel's own time, used if it is plausible (`channel_time`).

    Raises:
        NotFound: the message is unknown, malformed or another clinic's.
        InvalidInput: `status_invalid`, `reason_not_text` or `not_outbound`.
        Conflict: `status_final`: a delivered message cannot fail, a failed one stays failed.
    """
    require(scope, Permission.REPORT_DELIVERY)
    if not isinstance(status, str) or status not in set(MessageStatus):
        raise InvalidInput("status is delivered, read or failed", code="status_invalid")
    if not isinstance(reason, str):
        raise InvalidInput("the reason must be text", code="reason_not_text")
    told = cut(clean_line(reason[: REASON_LIMIT * 5]), REASON_LIMIT)
    wanted = MessageStatus(str(status))
    wanted_id = parse_message_id(message_id)
    arrived = at or now()
    moment = channel_time(channel_at, arrived) or arrived

    def apply(session: Session) -> StoredMessage:
        found = session.execute(_REPORTED, {"message": wanted_id}).one_or_none()
        if found is None:
            raise NotFound("no such message")
        conversation, patient, assignee, message = found
        if message.direction != Direction.OUTBOUND:
            raise InvalidInput("only outbound messages have receipts", code="not_outbound")
        if not _moves_on(MessageStatus(message.status), wanted):
            return StoredMessage(staff_message(message), created=False)
        # Clocks differ, but no message arrives before it was sent.
        _apply(message, wanted, told, max(moment, message.created_at))
        if message.seq == conversation.last_seq:
            conversation.preview_status = wanted
        record_conversation_event(
            session,
            conversation,
            EventType.MESSAGE_UPDATED,
            {"messageId": str(message.id), "seq": message.seq},
            was=count_key(conversation),
            context=RowContext(patient, assignee),
            message=message,
        )
        return StoredMessage(staff_message(message), created=True)

    return await scope.transact_shared(apply)


def _moves_on(current: MessageStatus, wanted: MessageStatus) -> bool:
    if current == wanted:
        return False
    if MessageStatus.FAILED in (current, wanted):
        if current != MessageStatus.SENT:
            raise Conflict(f"the message is {current} already", code="status_final")
        return True
    return _ORDER[wanted] > _ORDER[current]


def _apply(message: Message, status: MessageStatus, reason: str, at: datetime) -> None:
    message.status = status
    if status is MessageStatus.FAILED:
        message.failed_at = at
        message.failure = reason
        return
    message.delivered_at = message.delivered_at or at
    if status is MessageStatus.READ:
        message.read_at = at


_REPORTED = (
    conversation_rows()
    .add_columns(Message)
    .join(Message, Message.conversation_id == Conversation.id)
    .where(Message.id == bindparam("message"))
    .execution_options(**ON_EVENT_LOOP)
)
