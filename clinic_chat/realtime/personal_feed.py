"""What is one person's alone, in every tab and device of theirs: read markers."""

from clinic_chat.domain.events import Personal
from clinic_chat.domain.receipts import read_markers
from clinic_chat.domain.scope import ClinicScope
from clinic_chat.realtime.feeds import Item, Patch

FEED = "markers"
KEY = "mine"


async def patch(scope: ClinicScope, change: Personal) -> Patch:
    """The marker that moved, as it is now. A lost one is read again with the next rows."""
    markers = await read_markers(scope, [change.conversation_id])
    return Patch(change.version - 1, change.version, marker_items(markers))


def marker_items(markers: dict[str, int]) -> list[Item]:
    """Markers as feed items."""
    return [{"id": key, "inbound_read": value} for key, value in markers.items()]
