"""Message pages: reads a conversation's messages page by page."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import (
    Conversation,
    conversation_id,
    load_conversation,
)
from clinic_chat.domain.errors import InvalidInput, NotFound
from clinic_chat.domain.messages.message import Message
from clinic_chat.domain.messages.views import StaffMessage, staff_message
from clinic_chat.storage.statements import ON_EVENT_LOOP, PREPARED

PAGE_SIZE = 30
MAX_SEQ = 2**62


@dataclass(frozen=True)
class MessagePage:
    """Messages in order, with the conversation's version they are at least as new as."""

    version: int
    last_seq: int
    messages: list[StaffMessage]


async def messages_page(
    scope: ClinicScope,
    conversation: object,
    *,
    before: object = None,
    after: object = None,
    around: object = None,
    limit: int = PAGE_SIZE,
) -> MessagePage:
    """Messages of a conversation, oldest first: the newest, or those beside a `seq`.

    `before` and `after` leave the message itself out, `around` has it in the middle. Numbers
    have no holes, so there are earlier ones exactly when the first `seq` is over 1, and later
    ones when the last is under the page's `last_seq`.

    Raises:
        NotFound: the conversation is unknown, malformed or another clinic's.
        InvalidInput: `cursor_invalid`: not a whole number of 0 or more.
    """
    async with scope.read_snapshot() as moment:
        now = await extent_of(moment, conversation)
        first, last = page_bounds(
            now.last_seq, before=before, after=after, around=around, limit=limit
        )
        messages = await messages_between(moment, now.id, first, last)
    return MessagePage(now.version, now.last_seq, messages)


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a conversation goes at a version."""

    id: str
    version: int
    last_seq: int


async def extent_of(scope: ClinicScope, conversation: object) -> Extent:
    """How far a conversation goes.

    Raises:
        NotFound: the conversation is unknown, malformed or another clinic's.
    """
    require(scope, Permission.READ_CONVERSATIONS)
    wanted = conversation_id(conversation)
    async with scope.read() as session:
        found = (await session.execute(_EXTENT, {"conversation": wanted})).one_or_none()
    if found is None:
        raise NotFound("no such conversation")
    return Extent(str(wanted), *found)


def page_bounds(
    last_seq: int,
    *,
    before: object = None,
    after: object = None,
    around: object = None,
    limit: int = PAGE_SIZE,
) -> tuple[int, int]:
    """The first and the last number of a page as of `messages_page`.

    The last is under the first when there are none.

    Raises:
        InvalidInput: `cursor_invalid`.
    """
    if after is not None:
        low = _cursor(after)
        return low + 1, min(low + limit, last_seq)
    last = last_seq
    if before is not None:
        last = min(_cursor(before) - 1, last_seq)
    elif around is not None:
        last = min(_cursor(around) + limit // 2, last_seq)
    return max(1, last - limit + 1), last


async def messages_between(
    scope: ClinicScope, conversation: str, first: int, last: int
) -> list[StaffMessage]:
    """The messages of the clinic's conversation from one number to another, in order."""
    require(scope, Permission.READ_CONVERSATIONS)
    wanted = {"conversation": UUID(conversation), "first": first, "last": last}
    async with scope.read() as session:
        rows: Any = await session.execute(_BETWEEN, wanted)
        return [staff_message(row) for row in rows]


@dataclass(frozen=True)
class WholeBody:
    """The stored text of a message; `lost` is the number of characters that were cut off."""

    body: str
    lost: int


async def whole_body(scope: ClinicScope, conversation: object, seq: object) -> WholeBody:
    """The whole stored text of a message; pages have only its beginning.

    Raises:
        NotFound: there is no such message, or it is another clinic's.
        InvalidInput: `cursor_invalid`: `seq` is not a whole number of 0 or more.
    """
    require(scope, Permission.READ_CONVERSATIONS)
    wanted = _cursor(seq)
    async with scope.read() as session:
        target = await load_conversation(session, conversation)
        message = await session.scalar(
            select(Message).where(Message.conversation_id == target.id, Message.seq == wanted)
        )
    if message is None:
        raise NotFound("no such message")
    return WholeBody(message.body, (message.body_length or len(message.body)) - len(message.body))


def _cursor(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < MAX_SEQ:
        raise InvalidInput("a cursor is a message number", code="cursor_invalid")
    return value


_EXTENT = (
    select(Conversation.version, Conversation.last_seq)
    .where(Conversation.id == bindparam("conversation", type_=Uuid()))
    .execution_options(**ON_EVENT_LOOP)
)
# Columns instead of objects, which would take half as long again.
_BETWEEN: Any = (
    select(*(getattr(Message, name) for name in Message.__mapper__.columns.keys()))  # noqa: SIM118
    .where(
        Message.conversation_id == bindparam("conversation", type_=Uuid()),
        Message.seq >= bindparam("first"),
        Message.seq <= bindparam("last"),
    )
    .order_by(Message.seq)
    .execution_options(**PREPARED)
)
