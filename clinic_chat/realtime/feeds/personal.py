"""What is one person's alone, in every tab and device of theirs: markers, drafts, settings."""

from clinic_chat.domain.events.log import PersonalChange
from clinic_chat.realtime.feeds.protocol import Item, Patch

FEED = "personal"
KEY = "mine"


def patch(change: PersonalChange) -> Patch:
    """The change itself; a tab that missed one gets all of it with its next snapshot."""
    item: Item = {**change.change, "version": change.version}
    return Patch(change.version - 1, change.version, [item])
