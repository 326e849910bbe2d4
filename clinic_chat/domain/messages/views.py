"""Messages as the clinic's staff see them."""

from dataclasses import dataclass
from datetime import datetime

from clinic_chat.domain.characters import cut
from clinic_chat.domain.conversations.views import iso
from clinic_chat.domain.messages.message import Direction, Message
from clinic_chat.domain.validation import BODY_LIMIT


@dataclass(frozen=True)
class StaffMessage:
    """A message as staff's screens show it; times are ISO 8601 in UTC, "" when not yet.

    `at` is the channel's own time, or else the arrival. `received_at` is the arrival if the
    channel gave a time, or else "". `body_length` is the full length if `body` is cut, or else 0.
    """

    id: str
    conversation_id: str
    seq: int
    direction: str
    author_id: str
    author_name: str
    kind: str
    body: str
    body_length: int
    client_id: str
    status: str
    at: str
    received_at: str
    delivered_at: str
    read_at: str
    failed_at: str
    failure: str


@dataclass(frozen=True)
class StoredMessage:
    """The message of a send or a receipt; `created` is False for a repetition."""

    message: StaffMessage
    created: bool


def staff_message(message: Message, *, whole: bool = False) -> StaffMessage:
    """The message for staff; unless `whole`, the body is cut to the limit of staff's messages."""
    body = message.body if whole else cut(message.body, BODY_LIMIT)
    length = message.body_length or len(message.body)
    return StaffMessage(
        id=str(message.id),
        conversation_id=str(message.conversation_id),
        seq=message.seq,
        direction=message.direction,
        author_id=str(message.author_id or ""),
        author_name=message.author_name,
        kind=message.kind,
        body=body,
        body_length=length if length > len(body) else 0,
        client_id=message.client_id if message.direction == Direction.OUTBOUND else "",
        status=message.status,
        at=iso(message.sent_at or message.created_at),
        received_at=iso(message.created_at) if message.sent_at else "",
        delivered_at=_iso(message.delivered_at),
        read_at=_iso(message.read_at),
        failed_at=_iso(message.failed_at),
        failure=message.failure,
    )


def _iso(moment: datetime | None) -> str:
    return iso(moment) if moment else ""
