"""A message as programs get it."""

from typing import Self

from clinic_chat.domain.messages.inbound import MessageKind
from clinic_chat.domain.messages.message import Direction, MessageStatus
from clinic_chat.domain.messages.views import StaffMessage
from clinic_chat.domain.public_api.view import ViewModel


class ApiMessage(ViewModel):
    """A message. Times are ISO 8601 in UTC, empty when it has not happened."""

    id: str
    conversation_id: str
    seq: int
    """Its number in the conversation: 1, 2, 3 … without holes."""
    direction: Direction
    author_id: str
    """The staff member, empty for a patient."""
    author_name: str
    """A patient's name as the channel gave it, the one on file or empty when it gave none."""
    kind: MessageKind
    body: str
    body_length: int
    """The length of the delivered text when `body` is its beginning alone, else 0."""
    client_id: str
    status: MessageStatus
    at: str
    """When it was sent."""
    received_at: str
    """When it arrived, where the channel gave another time; empty when it did not."""
    delivered_at: str
    read_at: str
    failed_at: str
    failure: str

    @classmethod
    def of(cls, message: StaffMessage) -> Self:
        """The part of a message that programs may see; a new field is hidden until listed here."""
        return cls(
            id=message.id,
            conversation_id=message.conversation_id,
            seq=message.seq,
            direction=Direction(message.direction),
            author_id=message.author_id,
            author_name=message.author_name,
            kind=MessageKind(message.kind),
            body=message.body,
            body_length=message.body_length,
            client_id=message.client_id,
            status=MessageStatus(message.status),
            at=message.at,
            received_at=message.received_at,
            delivered_at=message.delivered_at,
            read_at=message.read_at,
            failed_at=message.failed_at,
            failure=message.failure,
        )
