"""The clinic's conversations as a feed: version = the clinic's event number."""

from uuid import UUID

from clinic_chat.domain.conversations import conversations_by_id, list_conversations
from clinic_chat.domain.events import READ_LIMIT, Recorded, events_after, last_seq
from clinic_chat.domain.receipts import read_markers
from clinic_chat.domain.scope import ClinicScope
from clinic_chat.realtime.feeds import Patch, Snapshot, items

FEED = "conversations"
KEY = "inbox"


async def snapshot(scope: ClinicScope) -> Snapshot:
    """The newest page of conversations with this person's read markers."""
    # The version first: rows may then be newer than it says, never older.
    version = await last_seq(scope)
    page = await list_conversations(scope)
    return Snapshot(
        version,
        items(page.rows),
        {
            "cursor": page.cursor,
            "markers": await read_state(scope, [UUID(row.id) for row in page.rows]),
        },
    )


async def patch(scope: ClinicScope, events: list[Recorded]) -> Patch:
    """The conversations these events touched, as they are now."""
    touched = {event.conversation_id for event in events}
    rows = await conversations_by_id(scope, touched)
    return Patch(events[0].seq - 1, events[-1].seq, items(rows))


async def since(scope: ClinicScope, version: int) -> Patch | None:
    """What a tab at `version` lacks, or None when a patch cannot bring it up to date."""
    events = await events_after(scope, version)
    # Too far behind; or ahead of the log, as after a restored backup.
    if len(events) >= READ_LIMIT or version > await last_seq(scope):
        return None
    if not events:
        return Patch(version, version, [])
    return await patch(scope, events)


async def read_state(scope: ClinicScope, ids: list[UUID]) -> dict[str, int]:
    """This person's read markers for list rows."""
    return await read_markers(scope, ids)
