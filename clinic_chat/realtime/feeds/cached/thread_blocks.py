"""Cached blocks of conversations: messages before the newest, thirty by thirty.

A block changes only with one of its messages. The trail of a conversation says which blocks its
last events touched; what it does not know, the log of events does.
"""

from collections.abc import Sequence
from uuid import UUID

from cachetools import LRUCache

from clinic_chat.cache.entry import Entry
from clinic_chat.cache.hybrid import HybridCache, name_of
from clinic_chat.cache.loads import SharedLoads
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.events.log import CommittedEvent, subject_events_after
from clinic_chat.domain.queries.message_pages import Extent, messages_between
from clinic_chat.metrics.cache import HIT, INVALIDATIONS, MISS, REQUESTS, SHARED_HIT
from clinic_chat.realtime.feeds.cached.newest import encoded
from clinic_chat.realtime.feeds.cached.touches import BLOCK, Cached, block_of, touched_blocks
from clinic_chat.realtime.feeds.cached.trail import Trail

# Reading more events than this takes longer than reading the block again.
MOST_EVENTS = 30
TRAILS = 4_096


class ThreadBlocks:
    """The cached blocks of all conversations."""

    def __init__(self, cache: HybridCache) -> None:
        self._cache = cache
        self._loads = SharedLoads(Cached.BLOCKS)
        self._trails: LRUCache[str, Trail] = LRUCache(TRAILS)

    async def between(
        self, scope: ClinicScope, now: Extent, first: int, last: int
    ) -> Sequence[bytes]:
        """The messages from `first` to `last`, of which there is at least one."""
        blocks = range(block_of(first), block_of(last) + 1)
        found, outcome = await self._blocks(scope, now, blocks)
        REQUESTS.add(Cached.BLOCKS, outcome)
        start = blocks[0] * BLOCK + 1
        items = [item for block in blocks for item in found[block].items]
        return items[first - start : last - start + 1]

    def heard(self, clinic_id: UUID, events: Sequence[CommittedEvent]) -> None:
        """Take in the next events of one conversation."""
        trail = self._trails.get(_trail(clinic_id, str(events[0].subject.id)))
        # After a hole it stays where it is, until somebody asks and the log says more.
        if trail is None or events[0].subject.version > trail.until + 1:
            return
        touched = list(touched_blocks(events))
        trail.extend(touched, events[-1].subject.version)
        for _ in touched:
            INVALIDATIONS.add(Cached.BLOCKS)

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
            after = trail.until
            events = await subject_events_after(scope, UUID(now.id), after)
            # The log may begin later by now; what is not known to be untouched is read again.
            if len(events) < now.version - after:
                trail = Trail(now.version, now.version)
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


def _block(clinic_id: UUID, conversation_id: str, block: int) -> str:
    return name_of(clinic_id, "thread", conversation_id, block)


def _trail(clinic_id: UUID, conversation_id: str) -> str:
    return name_of(clinic_id, "thread", conversation_id)
