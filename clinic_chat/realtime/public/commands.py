"""The commands of programs: events that a client sends, each acknowledged."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from operator import attrgetter
from typing import Any, Protocol
from uuid import UUID

import orjson

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.conversations.views import get_conversation
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.events.log import events_after, last_seq, subject_events_after
from clinic_chat.domain.messages.read_markers import mark_read
from clinic_chat.domain.messages.sending import Sends
from clinic_chat.domain.public_api.conversations import ApiConversation
from clinic_chat.domain.public_api.events import PublicEvent, public_events
from clinic_chat.domain.public_api.messages import ApiMessage
from clinic_chat.domain.queries.message_pages import (
    MAX_SEQ,
    PAGE_SIZE,
    MessagePage,
    messages_page,
)
from clinic_chat.realtime.presence.activity import Activity
from clinic_chat.realtime.public.clients import PublicClient
from clinic_chat.settings import Settings

MAX_JOINED = 100
# What a client that polls may have waiting is 1 MB, and each message up to 16 KB.
MAX_PAGE = 50
EVENTS_AT_ONCE = 100
MAX_EVENTS_BYTES = 256 * 1024

Data = dict[str, Any]


class Rooms(Protocol):
    """Puts clients into the rooms of conversations."""

    async def join(self, client: PublicClient, conversation_id: str) -> None:
        """Send a client the events of a conversation from now on."""

    async def leave(self, client: PublicClient, conversation_id: str) -> None:
        """Send a client no more events of a conversation."""


@dataclass(frozen=True)
class PublicContext:
    """What the commands of programs work with."""

    sends: Sends
    activity: Activity
    rooms: Rooms


Run = Callable[[PublicContext, PublicClient, Data], Awaitable[Data]]


@dataclass(frozen=True)
class PublicCommand:
    """A command by its event name; the result of `run` is part of the acknowledgement."""

    name: str
    run: Run
    per_minute: Callable[[Settings], int] | None = None
    """Its own limit for one token, besides that of all commands."""


async def join(context: PublicContext, client: PublicClient, data: Data) -> Data:
    """Get the conversation's events from now on, and its newest page or what was missed.

    `sinceVersion` is the conversation's version that the client knows. The room is entered first:
    what comes meanwhile is sent and in the answer, so nothing is missing.
    """
    row = await get_conversation(client.scope, data.get("conversationId"))
    if row.id not in client.joined and len(client.joined) >= MAX_JOINED:
        raise InvalidInput(f"leave one of {MAX_JOINED} first", code="too_many_conversations")
    since = _number(data, "sinceVersion", None)
    await context.rooms.join(client, row.id)
    row = await get_conversation(client.scope, row.id)
    answer: Data = {"conversation": ApiConversation.of(row).data()}
    if since is not None:
        missed = await _missed(client, row.id, since, row.version)
        if missed is not None:
            return {**answer, "events": missed}
    page = await messages_page(client.scope, row.id)
    return {**answer, **_page(page), **({"resync": True} if since is not None else {})}


async def leave(context: PublicContext, client: PublicClient, data: Data) -> Data:
    """Get the conversation's events no more."""
    conversation_id = _joined(client, data)
    await context.activity.stop_typing(client)
    await context.rooms.leave(client, conversation_id)
    return {}


async def send(context: PublicContext, client: PublicClient, data: Data) -> Data:
    """Store an answer to the patient, once per `clientId`."""
    stored = await context.sends.send(
        client.scope, data.get("conversationId"), data.get("body"), data.get("clientId")
    )
    await context.activity.stop_typing(client)
    return {"message": ApiMessage.of(stored.message).data(), "created": stored.created}


async def page(_context: PublicContext, client: PublicClient, data: Data) -> Data:
    """A page of messages before a number, or the newest one."""
    limit = _number(data, "limit", PAGE_SIZE) or 0
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInput(f"limit is 1 to {MAX_PAGE}", code="limit_invalid")
    before = _number(data, "beforeSeq", None)
    found = await messages_page(
        client.scope, data.get("conversationId"), before=before, limit=limit
    )
    return _page(found, limit)


async def read(_context: PublicContext, client: PublicClient, data: Data) -> Data:
    """Move the acting person's read marker forward."""
    inbound = await mark_read(client.scope, data.get("conversationId"), data.get("seq"))
    return {"inboundRead": inbound}


async def start_typing(context: PublicContext, client: PublicClient, data: Data) -> Data:
    """Tell colleagues that this program or its person types; it expires after 6 s."""
    require(client.scope, Permission.SEND_MESSAGES)
    await context.activity.start_typing(client, _joined(client, data))
    return {}


async def stop_typing(context: PublicContext, client: PublicClient, data: Data) -> Data:
    """Tell colleagues that it types no more."""
    _joined(client, data)
    await context.activity.stop_typing(client)
    return {}


async def events_since(_context: PublicContext, client: PublicClient, data: Data) -> Data:
    """What was missed in the whole clinic after the clinic-wide number `seq`, in order.

    `seq` of the answer is how far it goes; with `more` the client asks again from there. `resync`
    says that the log does not go back so far: the client reads its lists anew, and goes on from
    the answer's `seq`.
    """
    require(client.scope, Permission.READ_CONVERSATIONS)
    seq = _number(data, "seq", None)
    if seq is None:
        raise InvalidInput("seq is missing", code="seq_invalid")
    newest = await last_seq(client.scope)
    if seq == newest:
        return {"events": [], "seq": seq, "more": False}
    events = await events_after(client.scope, seq, EVENTS_AT_ONCE)
    if seq > newest or not events or events[0].seq != seq + 1:
        return {"resync": True, "seq": newest}
    told = await public_events(client.scope, events)
    fitting = _fitting(told)
    last = events[-1].seq if len(fitting) == len(told) else fitting[-1].seq
    return {
        "events": [event.data for event in fitting],
        "seq": last,
        "more": last < events[-1].seq or len(events) == EVENTS_AT_ONCE,
    }


async def _missed(
    client: PublicClient, conversation_id: str, since: int, version: int
) -> list[Data] | None:
    """The events of a conversation after a version; None when that is too far back, or ahead."""
    if since == version:
        return []
    if since > version:
        return None
    events = await subject_events_after(client.scope, UUID(conversation_id), since, EVENTS_AT_ONCE)
    if len(events) >= EVENTS_AT_ONCE or not events or events[0].subject.version != since + 1:
        return None
    told = await public_events(client.scope, events)
    return [event.data for event in told] if len(_fitting(told)) == len(told) else None


def _fitting(told: list[PublicEvent]) -> list[PublicEvent]:
    """The first events that one answer has room for; those of one number stay together."""
    size, count = 0, 0
    for _, group in groupby(told, key=attrgetter("seq")):
        same = list(group)
        size += sum(len(orjson.dumps(event.data)) for event in same)
        if count and size > MAX_EVENTS_BYTES:
            break
        count += len(same)
    return told[:count]


def _page(found: MessagePage, limit: int = PAGE_SIZE) -> Data:
    first = found.messages[0].seq if found.messages else 1
    return {
        "messages": [ApiMessage.of(message).data() for message in found.messages],
        "version": found.version,
        "lastSeq": found.last_seq,
        "page": ceil(first / limit),
        "pageSize": limit,
        "hasMore": first > 1,
    }


def _joined(client: PublicClient, data: Data) -> str:
    conversation_id = data.get("conversationId")
    if not isinstance(conversation_id, str) or conversation_id not in client.joined:
        raise InvalidInput("join this conversation first", code="not_joined")
    return conversation_id


def _number(data: Data, name: str, default: int | None) -> int | None:
    value = data.get(name, default)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < MAX_SEQ:
        raise InvalidInput(f"{name} is a whole number", code="number_invalid")
    return value


COMMANDS = {
    command.name: command
    for command in (
        PublicCommand("conversation:join", join),
        PublicCommand("conversation:leave", leave),
        PublicCommand("message:send", send, per_minute=lambda each: each.sends_per_minute),
        PublicCommand("message:page", page),
        PublicCommand("message:read", read),
        PublicCommand("typing:start", start_typing),
        PublicCommand("typing:stop", stop_typing),
        PublicCommand("events:since", events_since),
    )
}
