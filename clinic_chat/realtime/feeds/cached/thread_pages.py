"""Cached pages of conversations: the newest messages, and blocks of those before.

Callers have read the conversation's version, so that nothing out of date is given. Events advance
the newest page as they advance a tab's list.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from uuid import UUID

from clinic_chat.cache.entry import Entry
from clinic_chat.cache.hybrid import HybridCache, name_of
from clinic_chat.cache.loads import SharedLoads
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.events.log import CommittedEvent, EventType
from clinic_chat.domain.messages.views import StaffMessage
from clinic_chat.domain.queries.message_pages import PAGE_SIZE, Extent, messages_between
from clinic_chat.metrics.cache import HIT, INVALIDATIONS, MERGES, MISS, REQUESTS, SHARED_HIT
from clinic_chat.realtime.feeds.cached.newest import Change, advanced, encoded
from clinic_chat.realtime.feeds.cached.thread_blocks import ThreadBlocks
from clinic_chat.realtime.feeds.cached.touches import Cached, touches

# The event that made a page old is waited for so long before the page is read again.
MERGE_SECONDS = 0.05


class ThreadPages:
    """The cached pages of all conversations.

    `follows` says whether the events of a clinic are delivered to this process.
    """

    def __init__(self, cache: HybridCache, follows: Callable[[UUID], bool]) -> None:
        self._cache = cache
        self._follows = follows
        self._loads = SharedLoads(Cached.NEWEST)
        self._blocks = ThreadBlocks(cache)
        # Changes that came while a page was read, by name.
        self._meanwhile: dict[str, list[Change]] = {}
        self._news: dict[str, asyncio.Event] = {}

    def has(self, clinic_id: UUID, conversation_id: str) -> bool:
        """Whether the newest page of a clinic's conversation is in memory."""
        return self._cache.kept(_newest(clinic_id, conversation_id)) is not None

    async def newest(self, scope: ClinicScope, now: Extent) -> Entry:
        """The newest messages, at the version that was read or newer."""
        name = _newest(scope.clinic_id, now.id)
        entry = self._kept_newest(name, now.version)
        if entry is not None:
            REQUESTS.add(Cached.NEWEST, HIT)
            return entry
        while True:
            async with self._loads.turn(name) as is_mine:
                if is_mine:
                    return await self._load_newest(scope, now, name)
            entry = self._kept_newest(name, now.version)
            if entry is not None:
                REQUESTS.add(Cached.NEWEST, HIT)
                return entry

    async def between(
        self, scope: ClinicScope, now: Extent, first: int, last: int
    ) -> Sequence[bytes]:
        """The messages from `first` to `last`, at the version that was read or newer.

        `last` is at most the conversation's last number; there are none when it is under `first`.
        """
        if last < first:
            return ()
        newest = self._kept_newest(_newest(scope.clinic_id, now.id), now.version)
        if newest is not None and newest.first <= first:
            REQUESTS.add(Cached.NEWEST, HIT)
            return newest.items[first - newest.first : last - newest.first + 1]
        return await self._blocks.between(scope, now, first, last)

    def heard(
        self, clinic_id: UUID, events: Sequence[CommittedEvent], messages: list[StaffMessage]
    ) -> None:
        """Take in the next events of one conversation, with the messages that they touched."""
        conversation_id = str(events[0].subject.id)
        name = _newest(clinic_id, conversation_id)
        if events[-1].type == EventType.CONVERSATION_DELETED:
            INVALIDATIONS.add(Cached.NEWEST)
            self._cache.drop(name)
            return
        before, until = events[0].subject.version - 1, events[-1].subject.version
        self._blocks.heard(clinic_id, events)
        if not _complete(events, messages):
            return
        change = Change(before, until, messages)
        if name in self._meanwhile:
            self._meanwhile[name].append(change)
        entry: Entry | None = self._cache.kept(name)
        if entry is not None:
            INVALIDATIONS.add(Cached.NEWEST)
            self._cache.keep(name, advanced(entry, change))
        if name in self._news:
            self._news[name].set()

    def _kept_newest(self, name: str, version: int) -> Entry | None:
        entry: Entry | None = self._cache.kept(name)
        return entry if entry is not None and entry.version >= version else None

    async def _load_newest(self, scope: ClinicScope, now: Extent, name: str) -> Entry:
        meanwhile = self._meanwhile[name] = []
        try:
            if self._cache.kept(name) is not None and self._follows(scope.clinic_id):
                brought = await self._brought(name, now.version)
                if brought is not None:
                    MERGES.add(Cached.NEWEST)
                    REQUESTS.add(Cached.NEWEST, HIT)
                    return brought
            entry = await self._read_newest(scope, now, name)
        finally:
            del self._meanwhile[name]
        for change in meanwhile:
            entry = advanced(entry, change)
        kept = self._kept_newest(name, entry.version)
        if kept is None:
            self._cache.keep(name, entry)
        return kept or entry

    async def _read_newest(self, scope: ClinicScope, now: Extent, name: str) -> Entry:
        shared = await self._cache.find_shared(name)
        # A newer one may be of a time before a backup was restored.
        if shared is not None and shared.version == now.version:
            REQUESTS.add(Cached.NEWEST, SHARED_HIT)
            return shared
        REQUESTS.add(Cached.NEWEST, MISS)
        first = max(1, now.last_seq - PAGE_SIZE + 1)
        messages = await messages_between(scope, now.id, first, now.last_seq)
        entry = Entry(now.version, first, encoded(messages))
        self._cache.share(name, entry)
        return entry

    async def _brought(self, name: str, version: int) -> Entry | None:
        """The page once events have brought it to `version`, None if they do not soon."""
        news = self._news[name] = asyncio.Event()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(MERGE_SECONDS):
                    while True:
                        await news.wait()
                        news.clear()
                        entry: Entry | None = self._cache.kept(name)
                        if entry is None or entry.version >= version:
                            return entry
        finally:
            del self._news[name]
        return None


def _complete(events: Sequence[CommittedEvent], messages: list[StaffMessage]) -> bool:
    """Whether the messages of all events are there."""
    there = {message.seq for message in messages}
    return all(
        event.payload.get("seq") in there for event in events if touches(event.type, Cached.NEWEST)
    )


def _newest(clinic_id: UUID, conversation_id: str) -> str:
    return name_of(clinic_id, "thread", conversation_id, "newest")
