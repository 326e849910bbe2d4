"""The conversation list's state. The browser's feed owns its rows (assets/live/inbox/inbox.js)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import reflex as rx

from clinic_chat.domain.conversations.conversation import Status
from clinic_chat.domain.conversations.views import StaffConversation
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.queries.inbox import (
    AssigneeFilter,
    Filter,
    InboxPage,
    list_conversations,
    parse_filter,
)
from clinic_chat.realtime.connections import Connection, current_connection
from clinic_chat.realtime.feeds import inbox as inbox_feed
from clinic_chat.realtime.feeds.protocol import items
from clinic_chat.realtime.gate import exposed
from clinic_chat.ui.runtime import live


@dataclass(frozen=True)
class ConversationRow(StaffConversation):
    """A list row: the conversation and what differs per viewer, which the browser adds."""

    unread: int
    is_open: bool
    path: str
    """The conversation's address, with the filters of the list."""
    tab_stop: bool
    """Whether Tab stops at this row, of all rows."""
    salutation: str
    """How to address the patient: the first name, or the number of somebody without a name."""
    name_hits: list[list[int]]
    """Where the search's words stand in the name, as pairs of UTF-16 offsets."""
    initials: str
    hue: int
    preview_mine: bool
    assigned_to_me: bool
    typing: str
    """The first name of a colleague who types here, "" for nobody."""
    typing_count: int


@dataclass(frozen=True)
class Colleague:
    """Someone of the clinic, and whether they are online."""

    id: str
    name: str
    initials: str
    hue: int
    online: bool
    is_me: bool


class Inbox(rx.State):
    """The list of conversations."""

    # Owned by the feed:
    conversations: list[ConversationRow] = []  # noqa: RUF012 - Reflex copies the default
    ready: bool = False
    news: int = 0
    """How many conversations with news wait to be put in their places."""
    cursor: str = ""
    loading_more: bool = False
    is_filtered: bool = False
    filter_query: str = ""
    count_all: int = 0
    count_mine: int = 0
    count_unassigned: int = 0
    count_unread: int = 0
    staff: list[Colleague] = []  # noqa: RUF012
    online_count: int = 0
    # Read from the address by both:
    who: str = AssigneeFilter.ALL.value
    status: str = ""
    unread: bool = False
    # Owned by the server:
    search: str = ""

    def read_address(self, query: Mapping[str, str]) -> bool:
        """Take the filters from an address's query; whether they are others than before."""
        before = self._wanted()
        self.who = _known(query.get("who", ""), AssigneeFilter) or AssigneeFilter.ALL.value
        self.status = _known(query.get("status", ""), Status)
        self.unread = query.get("unread") == "1"
        return self._wanted() != before

    async def send_view(self, connection: Connection) -> None:
        """Tell the tab in which view it is: after a reload or an outage it may be in another."""
        await self._send_page(connection, known=self._wanted() == Filter())

    @exposed
    async def find(self, text: object) -> Any:
        """Show the conversations whose patient's name or phone matches, as they change."""
        try:
            wanted = parse_filter(text, self.who, self.status, self.unread)
        except InvalidInput:
            return
        self.search = wanted.search
        yield
        await self._send_page(current_connection())

    def _wanted(self) -> Filter:
        return parse_filter(self.search, self.who, self.status, self.unread)

    async def _send_page(self, connection: Connection, *, known: bool = False) -> None:
        """Send the first page of the view; of one whose rows are `known`, only which view it is."""
        wanted = self._wanted()
        page = (
            InboxPage([], "", {}) if known else await list_conversations(connection.scope, wanted)
        )
        await live().sender.send_page(
            connection.sid,
            inbox_feed.FEED,
            inbox_feed.KEY,
            items(page.rows),
            **inbox_feed.view_of(wanted, page),
            more=False,
        )


def _known(value: str, values: Iterable[str]) -> str:
    return value if value in set(values) else ""
