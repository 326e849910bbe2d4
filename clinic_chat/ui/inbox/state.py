"""Inbox state: the vars of the conversation list, owned by the browser (inbox/inbox.js)."""

from dataclasses import dataclass

import reflex as rx

from clinic_chat.domain.conversations.views import StaffConversation
from clinic_chat.domain.queries.filters import AssigneeFilter


@dataclass(frozen=True)
class ConversationRow(StaffConversation):
    """A list row: the conversation, and fields that the browser adds for this viewer."""

    unread: int
    is_open: bool
    path: str
    """The conversation's address, with the filters of the list."""
    tab_stop: bool
    """Whether the Tab key stops at this row."""
    salutation: str
    """The patient's first name, or the number of a patient without a name."""
    name_hits: list[list[int]]
    """The search's hits in the name, as pairs of UTF-16 offsets."""
    initials: str
    hue: int
    preview_mine: bool
    assigned_to_me: bool
    typing: str
    """The first name of a colleague who is typing here, "" for nobody."""
    typing_count: int


@dataclass(frozen=True)
class Colleague:
    """A person of the clinic, and whether they are online."""

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
    refused: str = ""
    """Why the person has no list: the code of the refusal, "" for none."""
    news: int = 0
    """The number of conversations with news that are not in their true place yet."""
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
    """The search of the rows that are shown."""
