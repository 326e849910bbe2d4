"""The conversation list's state. The browser's feed owns its rows (assets/live/inbox.js)."""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from clinic_chat.domain.conversations import ConversationView
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.inbox import Filter, InboxPage, Who, list_conversations, parse_filter
from clinic_chat.realtime import inbox_feed
from clinic_chat.realtime.callers import Caller, current_caller
from clinic_chat.realtime.feeds import items
from clinic_chat.realtime.gate import exposed
from clinic_chat.ui.runtime import live


@dataclass(frozen=True)
class ConversationRow(ConversationView):
    """A list row: the conversation and what differs per viewer, which the browser adds."""

    unread: int
    is_open: bool
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
    cursor: str = ""
    count_all: int = 0
    count_mine: int = 0
    count_unassigned: int = 0
    count_unread: int = 0
    staff: list[Colleague] = []  # noqa: RUF012
    online_count: int = 0
    # Owned by the server:
    search: str = ""
    who: str = Who.ALL.value
    status: str = ""
    unread: bool = False
    busy: bool = False

    @rx.var
    def is_filtered(self) -> bool:
        """Whether the list leaves conversations out, besides by the search."""
        return self.who != Who.ALL.value or self.status != "" or self.unread

    async def send_view(self, caller: Caller) -> None:
        """Tell the tab in which view it is: after a reload or an outage it may be in another."""
        await self._send_page(caller, "", more=False, known=self._wanted() == Filter())

    @exposed
    async def find(self, text: object) -> Any:
        """Show the conversations whose patient's name or phone matches, as they change."""
        async for step in self._show(search=text):
            yield step

    @exposed
    async def show_who(self, who: object) -> Any:
        """Show everybody's conversations, mine, or nobody's."""
        async for step in self._show(who=who):
            yield step

    @exposed
    async def show_status(self, status: object) -> Any:
        """Show conversations of one status, or of any for ""."""
        async for step in self._show(status=status):
            yield step

    @exposed
    async def toggle_unread(self) -> Any:
        """Show only what is unread, or all again."""
        async for step in self._show(unread=not self.unread):
            yield step

    @exposed
    async def load_more(self, cursor: object) -> Any:
        """Send the next page of what is shown."""
        if not isinstance(cursor, str) or not cursor or self.busy:
            return
        self.busy = True
        yield
        try:
            await self._send_page(current_caller(), cursor, more=True)
        except InvalidInput:
            return
        finally:
            self.busy = False

    async def _show(self, **changes: object) -> Any:
        try:
            wanted = parse_filter(
                **{
                    "search": self.search,
                    "who": self.who,
                    "status": self.status,
                    "unread": self.unread,
                    **changes,
                }
            )
        except InvalidInput:
            return
        self.search = wanted.search
        self.who = wanted.who.value
        self.status = wanted.status
        self.unread = wanted.unread
        self.busy = True
        yield
        try:
            await self._send_page(current_caller(), "", more=False)
        finally:
            self.busy = False

    def _wanted(self) -> Filter:
        return parse_filter(self.search, self.who, self.status, self.unread)

    async def _send_page(
        self, caller: Caller, cursor: str, *, more: bool, known: bool = False
    ) -> None:
        """Send a page of the view; of one whose rows are `known`, only which view it is."""
        wanted = self._wanted()
        page = (
            InboxPage([], "", {})
            if known
            else await list_conversations(caller.scope, wanted, cursor=cursor)
        )
        await live().feeds.send_page(
            caller.sid,
            inbox_feed.FEED,
            inbox_feed.KEY,
            items(page.rows),
            markers=page.markers,
            personalVersion=page.personal_version,
            view=wanted.as_dict(),
            cursor=page.cursor,
            more=more,
        )
