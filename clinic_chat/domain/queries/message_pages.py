"""Message pages: reads a conversation's messages page by page."""

from dataclasses import dataclass

from sqlalchemy import select

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import load_conversation
from clinic_chat.domain.errors import InvalidInput, NotFound
from clinic_chat.domain.messages.message import Message
from clinic_chat.domain.messages.views import StaffMessage, staff_message

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
    require(scope, Permission.READ_CONVERSATIONS)
    low, high = 0, MAX_SEQ
    if before is not None:
        high = _cursor(before)
    elif after is not None:
        low = _cursor(after)
        high = low + limit + 1
    elif around is not None:
        high = _cursor(around) + limit // 2 + 1
    async with scope.read() as session:
        target = await load_conversation(session, conversation)
        rows = await session.scalars(
            select(Message)
            .where(Message.conversation_id == target.id, Message.seq > low, Message.seq < high)
            .order_by(Message.seq.desc())
            .limit(limit)
        )
        views = [staff_message(row) for row in rows]
    return MessagePage(target.version, target.last_seq, views[::-1])


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
