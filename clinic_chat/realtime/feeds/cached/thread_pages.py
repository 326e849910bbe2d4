"""Cached pages of conversations: the newest messages, and blocks of those before.

Whoever asks has read the conversation's version, so nothing out of date is given. Events advance
the newest page as they advance a tab's list, and mark the block that they touch.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from uuid import UUID

from cachetools import LRUCache

from clinic_chat.cache.entry import Entry
from clinic_chat.cache.hybrid import HybridCache, name_of
from clinic_chat.cache.loads import SharedLoads
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.events.log import CommittedEvent, EventType, subject_events_after
from clinic_chat.domain.messages.views import StaffMessage
from clinic_chat.domain.queries.message_pages import PAGE_SIZE, Extent, messages_between
from clinic_chat.metrics.cache import HIT, INVALIDATIONS, MERGES, MISS, REQUESTS, SHARED_HIT
from clinic_chat.realtime.feeds.cached.newest import Change, advanced, encoded
from clinic_chat.realtime.feeds.cached.touches import (
    BLOCK,
    Cached,
    block_of,
    touched_blocks,
    touches,
)
from clinic_chat.realtime.feeds.cached.trail import Trail

# The event that made a page old is waited for so long before the page is read again.
MERGE_SECONDS = 0.05
# Reading more events than this takes longer than reading the block again.
MOST_EVENTS = 30
TRAILS = 4_096


class ThreadPages:
    """The cached pages of all conversations.

    `follows` says whether the events of a clinic are delivered to this process.
    """

    def __init__(self, cache: HybridCache, follows: Callable[[UUID], bool]) -> None:
        self._cache = cache
        self._follows = follows
        self._loads = SharedLoads(Cached.NEWEST)
        self._trails: LRUCache[str, Trail] = LRUCache(TRAILS)
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
        blocks = range(block_of(first), block_of(last) + 1)
        found, outcome = await self._blocks(scope, now, blocks)
        REQUESTS.add(Cached.BLOCKS, outcome)
        start = blocks[0] * BLOCK + 1
        items = [item for block in blocks for item in found[block].items]
        return items[first - start : last - start + 1]

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
        trail = self._trails.get(_trail(clinic_id, conversation_id))
        if trail is not None and before <= trail.until:
            touched = list(touched_blocks(events))
            trail.extend(touched, until)
            for _ in touched:
                INVALIDATIONS.add(Cached.BLOCKS)
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

    async def _blocks(
        self, scope: ClinicScope, now: Extent, blocks: range
    ) -> tuple[dict[int, Entry], str]:
        """The blocks, and where they were found, for the metrics."""
        names = {block: _block(scope.clinic_id, now.id, block) for block in blocks}
        while True:
            kept = {block: self._cache.kept(name) for block, name in names.items()}
            found = await self._untouched(scope, now, kept)
            lacking = [block for block in blocks if block not in found]
            if not lacking:
                return found, HIT
            if not _is_full(lacking[0], now):
                return found, await self._fill(scope, now, blocks, found)
            async with self._loads.turn(names[lacking[0]]) as is_mine:
                if is_mine:
                    return found, await self._fill(scope, now, blocks, found)

    async def _untouched(
        self, scope: ClinicScope, now: Extent, entries: dict[int, Entry | None]
    ) -> dict[int, Entry]:
        there = {block: entry for block, entry in entries.items() if entry is not None}
        since = min((entry.version for entry in there.values()), default=now.version)
        trail = await self._trail_since(scope, now, min(since, now.version))
        return {
            block: entry
            for block, entry in there.items()
            if trail.says_current(block, entry.version)
        }

    async def _trail_since(self, scope: ClinicScope, now: Extent, since: int) -> Trail:
        key = _trail(scope.clinic_id, now.id)
        trail: Trail | None = self._trails.get(key)
        if trail is None or (trail.since > since and now.version - since <= MOST_EVENTS):
            trail = Trail(since, since)
        if now.version - trail.until > MOST_EVENTS:
            trail = Trail(now.version, now.version)
        if trail.until < now.version:
            events = await subject_events_after(scope, UUID(now.id), trail.until)
            trail.extend(touched_blocks(events), now.version)
        self._trails[key] = trail
        return trail

    async def _fill(
        self, scope: ClinicScope, now: Extent, blocks: range, found: dict[int, Entry]
    ) -> str:
        """Add the blocks that are not `found`; what that was, for the metrics."""
        wanted = [block for block in blocks if block not in found and _is_full(block, now)]
        names = {block: _block(scope.clinic_id, now.id, block) for block in wanted}
        shared = {block: await self._cache.find_shared(name) for block, name in names.items()}
        for block, entry in (await self._untouched(scope, now, shared)).items():
            found[block] = entry
            self._cache.keep(names[block], entry)
        missing = [block for block in blocks if block not in found]
        if not missing:
            return SHARED_HIT
        first = missing[0] * BLOCK + 1
        last = min(missing[-1] * BLOCK + BLOCK, now.last_seq)
        items = encoded(await messages_between(scope, now.id, first, last))
        for block in missing:
            start = block * BLOCK + 1 - first
            entry = Entry(now.version, block * BLOCK + 1, items[start : start + BLOCK])
            found[block] = entry
            if len(entry.items) == BLOCK and _is_full(block, now):
                name = _block(scope.clinic_id, now.id, block)
                self._cache.keep(name, entry)
                self._cache.share(name, entry)
        return MISS


def _is_full(block: int, now: Extent) -> bool:
    return (block + 1) * BLOCK <= now.last_seq


def _complete(events: Sequence[CommittedEvent], messages: list[StaffMessage]) -> bool:
    """Whether the messages of all events are there."""
    there = {message.seq for message in messages}
    return all(
        event.payload.get("seq") in there for event in events if touches(event.type, Cached.NEWEST)
    )


def _newest(clinic_id: UUID, conversation_id: str) -> str:
    return name_of(clinic_id, "thread", conversation_id, "newest")


def _block(clinic_id: UUID, conversation_id: str, block: int) -> str:
    return name_of(clinic_id, "thread", conversation_id, block)


def _trail(clinic_id: UUID, conversation_id: str) -> str:
    return name_of(clinic_id, "thread", conversation_id)
