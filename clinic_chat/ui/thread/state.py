"""Thread state: the vars of the open conversation, owned by the browser (thread/thread.js)."""

from dataclasses import dataclass

import reflex as rx

from clinic_chat.domain.messages.views import StaffMessage
from clinic_chat.ui.inbox.state import ConversationRow
from clinic_chat.ui.rows import blank_row

NO_CONVERSATION = blank_row(ConversationRow)


@dataclass(frozen=True)
class ThreadMessage(StaffMessage):
    """A message on the screen: the stored message and fields that the browser adds to show it."""

    key: str
    day: str
    starts_group: bool
    mine: bool
    first_unread: bool
    marked: bool
    resent: bool
    """Whether it failed and was sent once more (assets/live/outbox/outbox.js)."""
    sender: str
    """The author's name if several people write from the patient's number, else ""."""
    sent_late: bool
    """Whether the channel passed it on minutes or days after it was sent."""
    sent_on_other_day: bool
    is_long: bool
    folded: bool
    lost: int
    """The number of characters that were not kept, for a message that is shown whole."""


class Thread(rx.State):
    """The open conversation."""

    phase: str = "none"
    """none, loading, ready, missing or failed."""
    messages: list[ThreadMessage] = []  # noqa: RUF012 - Reflex copies the default
    conversation: ConversationRow = NO_CONVERSATION
    first_seq: int = 0
    last_seq: int = 0
    marked_seq: int = 0
    at_end: bool = True
    show_jump: bool = False
    new_below: int = 0
    unread_above: int = 0
    """The number of unread messages, when the first is further up than the loaded messages."""
    offline: bool = False
    """Whether it cannot be loaded for lack of a connection."""
    typist_count: int = 0
    typist_first: str = ""
    typist_second: str = ""
    viewer_count: int = 0
    viewer_first: str = ""
    viewer_second: str = ""
    loading_earlier: bool = False
    loading_later: bool = False
