"""A conversation as programs get it."""

from typing import Self

from clinic_chat.domain.conversations.conversation import Status
from clinic_chat.domain.conversations.views import StaffConversation
from clinic_chat.domain.messages.inbound import MessageKind
from clinic_chat.domain.public_api.view import ViewModel


class ApiConversation(ViewModel):
    """A conversation with one patient over one channel. Times are ISO 8601 in UTC."""

    id: str
    version: int
    """Counts the changes of this conversation."""
    patient_id: str
    patient_name: str
    """The phone number when no name is known."""
    patient_phone: str
    """In E.164 as it was used last, or another address of the channel; empty for none."""
    channel: str
    status: Status
    assignee_id: str
    """The member of staff who has it, empty for nobody."""
    assignee_name: str
    last_seq: int
    """The number of its newest message."""
    inbound_count: int
    """How many of its messages the patient wrote."""
    preview: str
    """The beginning of the newest message."""
    preview_kind: MessageKind
    preview_direction: str
    """`inbound` or `outbound`, empty before the first message."""
    preview_author: str
    preview_status: str
    last_activity_at: str

    @classmethod
    def of(cls, row: StaffConversation) -> Self:
        """The part of a row that programs may see; a new field is hidden until listed here."""
        return cls(
            id=row.id,
            version=row.version,
            patient_id=row.patient_id,
            patient_name=row.patient_name,
            patient_phone=row.patient_phone,
            channel=row.channel,
            status=Status(row.status),
            assignee_id=row.assignee_id,
            assignee_name=row.assignee_name,
            last_seq=row.last_seq,
            inbound_count=row.inbound_count,
            preview=row.preview,
            preview_kind=MessageKind(row.preview_kind),
            preview_direction=row.preview_direction,
            preview_author=row.preview_author,
            preview_status=row.preview_status,
            last_activity_at=row.last_activity_at,
        )
