"""The feeds of a tab of the staff's screen."""

from clinic_chat.realtime.feeds import inbox, thread
from clinic_chat.realtime.feeds.subscriptions import Wanted


def workspace_feeds(conversation_id: str | None = None, around: int | None = None) -> list[Wanted]:
    """The clinic's list, and the conversation that is open, at its newest message or around one."""
    return [
        Wanted(inbox.FEED, inbox.KEY),
        Wanted(thread.FEED, conversation_id, around, again=True),
    ]
