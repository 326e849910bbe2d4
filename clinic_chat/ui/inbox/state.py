"""The conversation list's state. The browser's feed owns its rows (assets/live/inbox.js)."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import reflex as rx

from clinic_chat.domain.conversations import ConversationView, list_conversations
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.receipts import read_markers
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


class Inbox(rx.State):
    """The list of conversations."""

    # Owned by the feed:
    conversations: list[ConversationRow] = []  # noqa: RUF012 - Reflex copies the default
    ready: bool = False
    cursor: str = ""
    # Owned by the server:
    search: str = ""
    busy: bool = False

    @exposed
    async def load(self) -> None:
        """Follow the clinic's conversations in this tab."""
        await live().subscriptions.follow_inbox(current_caller())

    @exposed
    async def find(self, text: object) -> Any:
        """Show the conversations whose patient's name or phone matches, as they change."""
        if not isinstance(text, str) or len(text) > 100:
            return
        self.search = text.strip()
        self.busy = True
        yield
        await self._send_page(current_caller(), "", more=False)
        self.busy = False

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

    async def _send_page(self, caller: Caller, cursor: str, *, more: bool) -> None:
        page = await list_conversations(caller.scope, search=self.search, cursor=cursor)
        await live().feeds.send_page(
            caller.sid,
            inbox_feed.FEED,
            inbox_feed.KEY,
            items(page.rows),
            markers=await read_markers(caller.scope, [UUID(row.id) for row in page.rows]),
            view={"search": self.search},
            cursor=page.cursor,
            more=more,
        )
