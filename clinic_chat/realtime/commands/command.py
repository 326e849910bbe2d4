"""Commands: requests that a tab sends over its socket and that are answered."""

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
    """The services that the commands of a process use."""

    subscriptions: Subscriptions
    activity: Activity
    sends: Sends


Run = Callable[[CommandContext, Connection, Data], Awaitable[Data]]


@dataclass(frozen=True)
class Command:
    """A command by its Socket.IO event name; the result of `run` is part of the answer."""

    name: str
    run: Run
    by_a_person: bool = False
    """Whether it counts as activity of the person, unless its data says `byItself`."""
    per_minute: Callable[[Settings], int] | None = None
    """The command's own limit for one person in one clinic, besides that of all commands."""


def open_conversation_id(connection: Connection, data: Data) -> str:
    """The id of the conversation that the tab has open, the only one it can be active in.

    Raises:
        InvalidInput: `not_open`: the command names another conversation.
    """
    key = connection.feeds.get(thread_feed.FEED)
    if key is None or key != data.get("conversationId"):
        raise InvalidInput("this tab has not opened that conversation", code="not_open")
    return key
