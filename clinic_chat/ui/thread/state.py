"""The open conversation's state. The browser owns its messages (assets/live/thread/thread.js)."""

from dataclasses import dataclass

import reflex as rx

from clinic_chat.domain.messages.views import StaffMessage
from clinic_chat.realtime.connections import Connection, current_connection
from clinic_chat.realtime.feeds import thread as thread_feed
from clinic_chat.realtime.feeds.workspace import workspace_feeds
from clinic_chat.realtime.gate import exposed
from clinic_chat.ui.inbox.state import ConversationRow
from clinic_chat.ui.rows import blank_row
from clinic_chat.ui.runtime import live

CONVERSATION_PATH = "/c/"
MARKED_PARAMETER = "m"
NO_CONVERSATION = blank_row(ConversationRow)


@dataclass(frozen=True)
class ThreadMessage(StaffMessage):
    """A message on the screen: what is stored and what the browser adds to show it."""

    key: str
    day: str
    starts_group: bool
    mine: bool
    first_unread: bool
    marked: bool
    resent: bool
    """Whether it did not arrive and was sent once more (assets/live/outbox/outbox.js)."""
    sender: str
    """Who of several people wrote it from the patient's number; "" when there is only one."""
    sent_late: bool
    """Whether the channel passed it on minutes after it was sent, or days."""
    sent_on_other_day: bool
    is_long: bool
    folded: bool
    lost: int
    """How many characters of a message that is shown whole were too many to be kept."""


class Thread(rx.State):
    """The open conversation."""

    # Owned by the feed; `phase` is none, loading, ready, missing or failed:
    phase: str = "none"
    messages: list[ThreadMessage] = []  # noqa: RUF012 - Reflex copies the default
    conversation: ConversationRow = NO_CONVERSATION
    first_seq: int = 0
    last_seq: int = 0
    marked_seq: int = 0
    at_end: bool = True
    show_jump: bool = False
    new_below: int = 0
    unread_above: int = 0
    """How many unread messages begin further up than what is loaded."""
    offline: bool = False
    """Whether it cannot be loaded, because there is no connection."""
    typist_count: int = 0
    typist_first: str = ""
    typist_second: str = ""
    viewer_count: int = 0
    viewer_first: str = ""
    viewer_second: str = ""
    loading_earlier: bool = False
    loading_later: bool = False
    # Owned by the server:
    _followed: tuple[str, str | None, int | None] | None = None

    @exposed
    async def open(self) -> None:
        """Follow the conversation in the address, or none; `?m=` opens at a message."""
        await self.follow(current_connection())

    async def follow(self, connection: Connection) -> None:
        """The same for a known connection, and the list when the tab does not have it yet."""
        followed = self._addressed(connection)
        self._followed = None
        if followed[1] is not None and not connection.has_held(thread_feed.FEED, followed[1]):
            connection.note_activity()
        await live().subscriptions.follow(connection, workspace_feeds(*followed[1:]))
        self._followed = followed

    def is_followed(self, connection: Connection) -> bool:
        """Whether the address names what this connection follows already."""
        return self._followed == self._addressed(connection)

    def _addressed(self, connection: Connection) -> tuple[str, str | None, int | None]:
        path = self.router.url.path
        name = None
        if path.startswith(CONVERSATION_PATH):
            name = path.removeprefix(CONVERSATION_PATH).strip("/")
        return connection.sid, name, self._marked_seq()

    def _marked_seq(self) -> int | None:
        value = self.router.url.query_parameters.get(MARKED_PARAMETER, "")
        return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else None
