"""Drafts: what a person was about to write in a conversation, on all of their devices."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from clinic_chat.domain.conversations import load_conversation
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.personal import announce_personal
from clinic_chat.domain.scope import ClinicScope
from clinic_chat.domain.text import storable
from clinic_chat.storage.base import Base, ClinicOwned, now

# A draft may be longer than a message may be, so that nothing pasted is lost while it is cut.
DRAFT_LIMIT = 16_000


class Draft(ClinicOwned, Base):
    """One person's draft in one conversation."""

    __tablename__ = "drafts"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    conversation_id: Mapped[UUID] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    )
    body: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(default=now)


async def save_draft(scope: ClinicScope, conversation: object, body: object) -> None:
    """Keep a draft; an empty one is forgotten. The newest saved wins.

    Raises:
        NotFound: the conversation is unknown, malformed or another clinic's.
        InvalidInput: `draft_invalid`: not text, over 16,000 characters, or with characters
            that cannot be stored.
    """
    if not isinstance(body, str) or len(body) > DRAFT_LIMIT or not storable(body):
        raise InvalidInput("not a draft that can be kept", code="draft_invalid")
    user_id = scope.staff_id()
    async with scope.write() as session:
        target = await load_conversation(session, conversation)
        draft = await session.get(Draft, (user_id, target.id))
        if body.strip():
            if draft is None:
                draft = Draft(user_id=user_id, conversation_id=target.id, body=body)
                session.add(draft)
            draft.body = body
            draft.updated_at = now()
        elif draft is None:
            return
        else:
            await session.delete(draft)
        await announce_personal(
            session, scope, {"type": "draft", "id": str(target.id), "body": body.strip() and body}
        )


async def find_draft(scope: ClinicScope, conversation_id: UUID) -> str:
    """The person's draft in a conversation, "" when there is none."""
    async with scope.read() as session:
        draft = await session.get(Draft, (scope.staff_id(), conversation_id))
        return draft.body if draft else ""
