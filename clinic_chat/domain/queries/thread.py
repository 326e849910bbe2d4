"""Opening a conversation: its row with one person's read marker and draft."""

from dataclasses import dataclass

from sqlalchemy import Uuid, and_, bindparam, select

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.users import Membership
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import (
    Conversation,
    conversation_id,
    conversation_rows,
)
from clinic_chat.domain.conversations.read_marker import ReadMarker
from clinic_chat.domain.conversations.views import StaffConversation, staff_conversation
from clinic_chat.domain.errors import NotFound
from clinic_chat.domain.messages.drafts import Draft
from clinic_chat.storage.statements import ON_EVENT_LOOP


@dataclass(frozen=True)
class ThreadStart:
    """A conversation as one person opens it, without its messages."""

    conversation: StaffConversation
    read_seq: int
    """The number of the last message this person has read, 0 for none."""
    inbound_read: int
    draft: str
    personal_version: int


async def read_thread_start(scope: ClinicScope, conversation: object) -> ThreadStart:
    """The conversation, and this person's marker and draft in it, in one statement.

    Raises:
        NotFound: unknown, malformed or another clinic's.
    """
    require(scope, Permission.READ_CONVERSATIONS)
    wanted = {"conversation": conversation_id(conversation), "reader": scope.staff_id()}
    async with scope.read() as session:
        found = (await session.execute(_OPENING, wanted)).one_or_none()
    if found is None:
        raise NotFound("no such conversation")
    *row, read_seq, inbound_read, draft, version = found
    return ThreadStart(
        staff_conversation(*row), read_seq or 0, inbound_read or 0, draft or "", version or 0
    )


_READER = bindparam("reader", type_=Uuid())
_OPENING = (
    conversation_rows()
    .add_columns(
        ReadMarker.seq,
        ReadMarker.inbound_read,
        Draft.body,
        select(Membership.personal_version)
        .where(Membership.user_id == _READER, Membership.clinic_id == Conversation.clinic_id)
        .scalar_subquery(),
    )
    .outerjoin(
        ReadMarker,
        and_(ReadMarker.conversation_id == Conversation.id, ReadMarker.user_id == _READER),
    )
    .outerjoin(Draft, and_(Draft.conversation_id == Conversation.id, Draft.user_id == _READER))
    .where(Conversation.id == bindparam("conversation", type_=Uuid()))
    .execution_options(**ON_EVENT_LOOP)
)
