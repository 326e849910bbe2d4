"""The conversation list's state, which the browser owns (assets/live/inbox/inbox.js)."""

from dataclasses import dataclass

import reflex as rx

from clinic_chat.domain.conversations.views import StaffConversation
from clinic_chat.domain.queries.inbox import AssigneeFilter


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
    who: str = AssigneeFilter.ALL.value
    status: str = ""
    unread: bool = False
    search: str = ""
    """The search whose hits are shown."""
