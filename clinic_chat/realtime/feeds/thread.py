"""A conversation's messages as a feed: version = the conversation's version."""

from uuid import UUID

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import get_conversation
from clinic_chat.domain.events.log import READ_LIMIT, CommittedEvent, subject_events_after
from clinic_chat.domain.messages.message import MessageView
from clinic_chat.domain.queries.changes import changes_of
from clinic_chat.domain.queries.message_pages import MessagePage, messages_page
from clinic_chat.domain.queries.thread import ThreadStart, open_conversation
from clinic_chat.realtime.feeds.page_cache import PageCache
from clinic_chat.realtime.feeds.protocol import Item, Patch, Snapshot, items

FEED = "messages"


async def snapshot(
    scope: ClinicScope,
    conversation_id: object,
    shelf: PageCache[MessagePage],
    around: int | None = None,
) -> Snapshot:
    """The newest messages, or those around a number, with what else opening shows.

    Raises:
        NotFound: unknown, malformed or another clinic's.
    """
    async with scope.read_snapshot() as moment:
        opening = await open_conversation(moment, conversation_id)
        row = opening.conversation
        place = (scope.clinic_id, row.id)
        page = shelf.find(place)
        if around is not None or page is None or page.version != row.version:
            page = await messages_page(moment, row.id, around=around)
    return Snapshot(
        page.version,
        shelf.encoded(place, page, page.messages) if around is None else items(page.messages),
        {
            **shown_with(opening),
            "markers": {row.id: opening.inbound_read},
            "read_seq": opening.read_seq,
            "around": around or 0,
        },
    )


def shown_with(opening: ThreadStart) -> Item:
    """What the thread shows beside messages, of the moment in which they were read."""
    return {
        "row": items([opening.conversation])[0],
        "draft": opening.draft,
        "personalVersion": opening.personal_version,
    }


def patch(events: list[CommittedEvent], messages: list[MessageView]) -> Patch:
    """The messages these events of one conversation touched, as they are now."""
    return Patch(events[0].subject.version - 1, events[-1].subject.version, items(messages))


async def since(scope: ClinicScope, conversation_id: object, version: int) -> Patch | None:
    """What a tab at `version` lacks, or None when a patch cannot bring it up to date.

    Raises:
        NotFound: unknown, malformed or another clinic's.
    """
    async with scope.read_snapshot() as moment:
        row = await get_conversation(moment, conversation_id)
        events = await subject_events_after(moment, UUID(row.id), version)
        # Too far behind; or ahead of the log, as after a restored backup.
        if len(events) >= READ_LIMIT or version > row.version:
            return None
        if not events:
            return Patch(version, version, [])
        return patch(events, (await changes_of(moment, events)).messages.get(row.id, []))
