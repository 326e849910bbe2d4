"""A command: what a tab asks for over its socket and gets an answer to."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.messages.sending import Sends
from clinic_chat.realtime.connections import Connection
from clinic_chat.realtime.feeds import thread as thread_feed
from clinic_chat.realtime.feeds.subscriptions import Subscriptions
from clinic_chat.realtime.presence.activity import Activity
from clinic_chat.settings import Settings

Data = dict[str, Any]


@dataclass(frozen=True)
class CommandContext:
    """What commands of a process work with."""

    subscriptions: Subscriptions
    activity: Activity
    sends: Sends


Run = Callable[[CommandContext, Connection, Data], Awaitable[Data]]


@dataclass(frozen=True)
class Command:
    """A command by its Socket.IO event name; what `run` returns is in the answer."""

    name: str
    run: Run
    by_a_person: bool = False
    """Whether a person does it, unless it says `byItself`; a tab asks for the others alone."""
    per_minute: Callable[[Settings], int] | None = None
    """A limit of its own for one person in one clinic, beside the one of all commands."""


def open_conversation_id(connection: Connection, data: Data) -> str:
    """The conversation this tab has open, which is the only one it can be active in.

    Raises:
        InvalidInput: `not_open`: the command names another one.
    """
    key = connection.feeds.get(thread_feed.FEED)
    if key is None or key != data.get("conversationId"):
        raise InvalidInput("this tab has not opened that conversation", code="not_open")
    return key
