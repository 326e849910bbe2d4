"""A conversation's messages as a feed: version = the conversation's version."""

from uuid import UUID

from clinic_chat.domain.conversations import get_conversation
from clinic_chat.domain.drafts import find_draft
from clinic_chat.domain.events import READ_LIMIT, Recorded, conversation_events_after
from clinic_chat.domain.messages import messages_by_id, messages_page
from clinic_chat.domain.receipts import personal_version, read_markers, read_seq
from clinic_chat.domain.scope import ClinicScope
from clinic_chat.realtime.feeds import Patch, Snapshot, items

FEED = "messages"


async def snapshot(scope: ClinicScope, conversation_id: str, around: int | None = None) -> Snapshot:
    """The newest messages, or those around a number, with what else opening shows.

    That is the conversation's row, how far this person has read, and their draft.

    Raises:
        NotFound: unknown, malformed or another clinic's.
    """
    async with scope.moment() as moment, moment.read() as session:
        page = await messages_page(moment, conversation_id, around=around)
        row = await get_conversation(moment, conversation_id)
        key = UUID(row.id)
        return Snapshot(
            page.version,
            items(page.messages),
            {
                "row": items([row])[0],
                "markers": await read_markers(moment, [key]),
                "personalVersion": await personal_version(session, moment),
                "read_seq": await read_seq(moment, key),
                "draft": await find_draft(moment, key),
                "around": around or 0,
            },
        )


async def patch(scope: ClinicScope, conversation_id: UUID | str, events: list[Recorded]) -> Patch:
    """The messages these events touched, as they are now."""
    ids = {UUID(event.payload["messageId"]) for event in events if "messageId" in event.payload}
    messages = await messages_by_id(scope, conversation_id, list(ids)) if ids else []
    return Patch(
        events[0].conversation_version - 1, events[-1].conversation_version, items(messages)
    )


async def since(scope: ClinicScope, conversation_id: str, version: int) -> Patch | None:
    """What a tab at `version` lacks, or None when a patch cannot bring it up to date.

    Raises:
        NotFound: unknown, malformed or another clinic's.
    """
    async with scope.moment() as moment:
        row = await get_conversation(moment, conversation_id)
        events = await conversation_events_after(moment, UUID(row.id), version)
        # Too far behind; or ahead of the log, as after a restored backup.
        if len(events) >= READ_LIMIT or version > row.version:
            return None
        if not events:
            return Patch(version, version, [])
        return await patch(moment, conversation_id, events)
