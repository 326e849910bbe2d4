"""Drafts: a person's unsent text in a conversation, the same on all of their devices."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.personal_changes import announce_personal, own_membership
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import load_conversation
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.validation import KEY_LIMIT, storable, valid_key
from clinic_chat.storage.base import Base, ClinicOwned, now

# Longer than a message may be, so that pasted text is not lost before it is shortened.
DRAFT_LIMIT = 16_000
RECENT = timedelta(minutes=5)
# The largest integer that JavaScript represents exactly (Number.MAX_SAFE_INTEGER).
EDIT_LIMIT = 2**53 - 1


class Draft(ClinicOwned, Base):
    """One person's draft in one conversation.

    An emptied draft stays as a row without text, so that a late save from a closed page is
    recognised as older.
    """

    __tablename__ = "drafts"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    conversation_id: Mapped[UUID] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    )
    body: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    device: Mapped[str | None] = mapped_column(String(KEY_LIMIT))
    edit: Mapped[int | None] = mapped_column(BigInteger)


@dataclass(frozen=True)
class SavedDraft:
    """The stored draft with the number that its device gave the edit."""

    edit: int | None
    body: str


async def save_draft(
    scope: ClinicScope,
    conversation: object,
    body: object,
    *,
    device: object = None,
    edit: object = None,
) -> SavedDraft:
    """Store a draft, without text if it is blank. The newest saved wins.

    Saves from two pages of one device may arrive in the wrong order. So a device numbers its
    edits, and an edit older than the stored one of the same device changes nothing. Between
    devices the last that arrives is the newest.

    Returns:
        The stored draft; its `edit` is larger than the given one when that came too late.

    Raises:
        NotFound: the conversation is unknown, malformed or another clinic's.
        InvalidInput: `draft_invalid`: not text, over 16,000 characters, or with characters
            that cannot be stored; `device_invalid`, `edit_invalid`: not a key of up to 200
            characters and a whole number, or one without the other.
    """
    require(scope, Permission.SEND_MESSAGES)
    if not isinstance(body, str) or len(body) > DRAFT_LIMIT or not storable(body):
        raise InvalidInput("not a draft that can be kept", code="draft_invalid")
    writer, number = _edit(device, edit)
    user_id = scope.staff_id()
    async with scope.write() as session:
        target = await load_conversation(session, conversation)
        draft = await session.get(Draft, (user_id, target.id))
        kept = body if body.strip() else ""
        if draft is None:
            if not kept and writer is None:
                return SavedDraft(None, "")
            draft = Draft(user_id=user_id, conversation_id=target.id, body="")
            session.add(draft)
        elif _is_older(draft, writer, number):
            return SavedDraft(draft.edit, draft.body)
        draft.device, draft.edit = writer, number
        if draft.body != kept:
            draft.body = kept
            draft.updated_at = now()
            announce_personal(
                session,
                await own_membership(session, scope),
                {"type": "draft", "id": str(target.id), "body": kept},
            )
        return SavedDraft(number, kept)


async def recent_drafts(scope: ClinicScope) -> dict[str, str]:
    """The person's drafts that changed in the last minutes, by conversation; "" is emptied."""
    require(scope, Permission.SEND_MESSAGES)
    async with scope.read() as session:
        rows = await session.execute(
            select(Draft.conversation_id, Draft.body).where(
                Draft.user_id == scope.staff_id(), Draft.updated_at > now() - RECENT
            )
        )
        return {str(row.conversation_id): row.body for row in rows}


def _edit(device: object, edit: object) -> tuple[str | None, int | None]:
    if device is None and edit is None:
        return None, None
    if type(edit) is not int or not 0 <= edit <= EDIT_LIMIT:
        raise InvalidInput(f"edit must be 0 to {EDIT_LIMIT}", code="edit_invalid")
    return valid_key(device, "device"), edit


def _is_older(draft: Draft, device: str | None, edit: int | None) -> bool:
    if device is None or draft.device != device:
        return False
    return edit is not None and draft.edit is not None and edit < draft.edit
