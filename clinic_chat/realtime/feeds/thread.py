"""The thread feed: a conversation's messages; its version is the conversation's."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from clinic_chat.cache.entry import fragment
from clinic_chat.domain.accounts.permissions import Permission
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import conversation_exists
from clinic_chat.domain.errors import InvalidInput, NotFound
from clinic_chat.domain.events.log import (
    READ_LIMIT,
    CommittedEvent,
    EventType,
    SubjectKind,
    subject_events_after,
)
from clinic_chat.domain.messages.views import StaffMessage
from clinic_chat.domain.queries.changes import Changes, changes_of
from clinic_chat.domain.queries.message_pages import (
    PAGE_SIZE,
    Extent,
    extent_of,
    page_bounds,
)
from clinic_chat.domain.queries.thread import ThreadStart, read_thread_start
from clinic_chat.realtime import rooms
from clinic_chat.realtime.connections import Connection
from clinic_chat.realtime.feeds.cached.thread_pages import ThreadPages
from clinic_chat.realtime.feeds.protocol import (
    Item,
    Page,
    Patch,
    Publication,
    Refusal,
    Snapshot,
    Start,
    items,
)
from clinic_chat.realtime.presence.activity import Activity

FEED = "messages"
# Messages per page.
PAGE = PAGE_SIZE


class ThreadFeed:
    """The messages of the conversation that a tab has open; the key is its id."""

    name = FEED
    permission = Permission.READ_CONVERSATIONS

    def __init__(self, activity: Activity, pages: ThreadPages) -> None:
        self._activity = activity
        self._pages = pages

    def rooms(self, connection: Connection, key: str) -> tuple[str, ...]:
        """The conversation's room."""
        return (rooms.conversation(connection.identity.clinic_id, key),)

    async def exists(self, scope: ClinicScope, key: str) -> bool:
        """Whether a conversation is this clinic's; one in memory is not looked up."""
        if self._pages.has(scope.clinic_id, key):
            return True
        return await conversation_exists(scope, key)

    async def entered(self, _connection: Connection) -> None:
        """Nothing: `viewing:start` is a command of its own."""

    async def left(self, connection: Connection) -> None:
        """End the tab's typing and viewing in the conversation."""
        await self._activity.gone(connection)

    async def start(
        self, scope: ClinicScope, key: str, held: Mapping[str, int], around: int | None
    ) -> Start:
        """A patch if it brings the tab up to date, or the newest messages or those `around` one.

        Raises:
            NotFound: the key is unknown, malformed or another clinic's.
        """
        opening = await read_thread_start(scope, key)
        if FEED in held:
            patch = await since(scope, opening, held[FEED])
            if patch is not None:
                return Start(patch, _shown_with(opening))
        row = opening.conversation
        now = Extent(row.id, row.version, row.last_seq)
        if around is None:
            newest = await self._pages.newest(scope, now)
            snapshot = Snapshot(newest.version, fragment(newest.items))
        else:
            first, last = page_bounds(row.last_seq, around=around)
            messages = await self._pages.between(scope, now, first, last)
            snapshot = Snapshot(row.version, fragment(messages))
        extra = {
            **_shown_with(opening),
            "markers": {row.id: opening.inbound_read},
            "readSeq": opening.read_seq,
            "around": around or 0,
        }
        return Start(snapshot, extra)

    async def page(self, scope: ClinicScope, key: str, query: Item) -> Page:
        """The messages `before` a number, or `after` one.

        Raises:
            NotFound: the key is unknown, malformed or another clinic's.
            InvalidInput: `cursor_invalid`.
        """
        before, after = query.get("before"), query.get("after")
        if (before is None) == (after is None):
            raise InvalidInput("name a message before or after", code="cursor_invalid")
        async with scope.read_snapshot() as moment:
            now = await extent_of(moment, key)
            first, last = page_bounds(now.last_seq, before=before, after=after)
            messages = await self._pages.between(moment, now, first, last)
        side = "later" if before is None else "earlier"
        return Page(fragment(messages), {"side": side})

    async def now(self, connection: Connection, key: str) -> Item:
        """The people who look at the conversation."""
        return {"viewers": self._activity.viewers(connection.identity.clinic_id, key)}

    def publications(
        self, clinic_id: UUID, events: list[CommittedEvent], changes: Changes
    ) -> Iterable[Publication | Refusal]:
        """One patch for each conversation that was touched, a refusal for one deleted."""
        groups: dict[UUID, list[CommittedEvent]] = {}
        for event in events:
            if event.subject.kind == SubjectKind.CONVERSATION:
                groups.setdefault(event.subject.id, []).append(event)
        for conversation_id, group in groups.items():
            key = str(conversation_id)
            room = rooms.conversation(clinic_id, conversation_id)
            if group[-1].type == EventType.CONVERSATION_DELETED:
                self._pages.heard(clinic_id, group, [])
                yield Refusal(room, key, NotFound.code)
                continue
            messages = changes.messages.get(key, [])
            self._pages.heard(clinic_id, group, messages)
            patch = _patch(group, messages)
            yield Publication(room, key, patch)


async def since(scope: ClinicScope, opening: ThreadStart, version: int) -> Patch | None:
    """The patch that brings a tab at `version` up to date, or None when it needs a snapshot."""
    row = opening.conversation
    if version == row.version:
        return Patch(version, version, [])
    events = await subject_events_after(scope, UUID(row.id), version)
    # The tab is too far behind, or ahead of the log, as after a restored backup.
    if len(events) >= READ_LIMIT or version > row.version:
        return None
    # What it lacks was deleted.
    if not events or events[0].subject.version != version + 1:
        return None
    return _patch(events, (await changes_of(scope, events)).messages.get(row.id, []))


def _patch(events: list[CommittedEvent], messages: list[StaffMessage]) -> Patch:
    return Patch(events[0].subject.version - 1, events[-1].subject.version, items(messages))


def _shown_with(opening: ThreadStart) -> Item:
    """The data of the same moment that the thread shows beside messages."""
    return {
        "row": items([opening.conversation])[0],
        "draft": opening.draft,
        "personalVersion": opening.personal_version,
    }
