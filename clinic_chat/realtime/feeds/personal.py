"""The personal feed: one person's markers, drafts and settings, in all of their tabs.

Its patches go to the person's room, which a tab enters with its inbox.
"""

from clinic_chat.domain.events.log import PersonalChange
from clinic_chat.realtime import rooms
from clinic_chat.realtime.feeds.protocol import Item, Patch, Publication

FEED = "personal"
KEY = "mine"


def publication(change: PersonalChange) -> Publication:
    """The patch for a change; a tab that missed one gets all data with its next snapshot."""
    item: Item = {**change.change, "version": change.version}
    patch = Patch(change.version - 1, change.version, [item])
    return Publication(rooms.person(change.clinic_id, change.user_id), KEY, patch)
