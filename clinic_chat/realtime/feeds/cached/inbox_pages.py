"""Cached first pages of inboxes, and each person's counts and markers beside them.

Both are right for one version of the clinic's log, which every event moves on. They are in memory
alone: another process would find in Redis what an event has made old.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from uuid import UUID

import orjson

from clinic_chat.cache.hybrid import HybridCache, name_of
from clinic_chat.cache.loads import SharedLoads
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.queries.inbox import FirstPage, InboxOverview, overview
from clinic_chat.metrics.cache import HIT, MISS, REQUESTS
from clinic_chat.realtime.feeds.cached.touches import Cached
from clinic_chat.realtime.feeds.protocol import items

OVERVIEWS = "inbox_overviews"
# Thirty markers and the counts of each kind.
OVERVIEW_BYTES = 8 * 1024
# The rows as objects take about three times what they do as JSON.
OBJECTS_FACTOR = 4


@dataclass(frozen=True, slots=True)
class _Page:
    first: FirstPage
    rows: orjson.Fragment
    size: int


@dataclass(frozen=True, slots=True)
class _Mine:
    whole: InboxOverview
    """Without the rows, which the clinic's page has."""
    size: int = OVERVIEW_BYTES


class InboxPages:
    """The last first page of each clinic and overview of each person, while they are current."""

    def __init__(self, cache: HybridCache) -> None:
        self._cache = cache
        self._loads = SharedLoads(Cached.INBOX)

    async def overview(self, scope: ClinicScope) -> tuple[InboxOverview, orjson.Fragment]:
        """A person's overview, and its rows as JSON."""
        whole = await overview(scope, kept=self)
        page = self._page(scope.clinic_id, whole.first.version)
        return whole, page.rows if page else _encoded(whole.first)

    def mine(self, scope: ClinicScope, version: int, personal: int) -> InboxOverview | None:
        """The person's overview at these versions, if it is kept with the clinic's page."""
        kept: _Mine | None = self._cache.kept(_of_person(scope))
        page = self._page(scope.clinic_id, version)
        if kept is None or page is None:
            REQUESTS.add(OVERVIEWS, MISS)
            return None
        if (kept.whole.first.version, kept.whole.personal_version) != (version, personal):
            REQUESTS.add(OVERVIEWS, MISS)
            return None
        REQUESTS.add(OVERVIEWS, HIT)
        REQUESTS.add(Cached.INBOX, HIT)
        return replace(kept.whole, first=page.first)

    def keep_mine(self, scope: ClinicScope, whole: InboxOverview) -> None:
        """Keep a person's overview in place of the one before."""
        bare = replace(whole, first=replace(whole.first, rows=[]))
        self._cache.keep(_of_person(scope), _Mine(bare))

    async def first(
        self, scope: ClinicScope, version: int, load: Callable[[], Awaitable[FirstPage]]
    ) -> FirstPage:
        """The clinic's page at a version; those who lack it at the same time load it once."""
        while True:
            if page := self._page(scope.clinic_id, version):
                REQUESTS.add(Cached.INBOX, HIT)
                return page.first
            async with self._loads.turn((scope.clinic_id, version)) as is_mine:
                if is_mine:
                    REQUESTS.add(Cached.INBOX, MISS)
                    return self._keep(scope.clinic_id, await load())

    def _page(self, clinic_id: UUID, version: int) -> _Page | None:
        page: _Page | None = self._cache.kept(_of_clinic(clinic_id))
        return page if page is not None and page.first.version == version else None

    def _keep(self, clinic_id: UUID, first: FirstPage) -> FirstPage:
        rows = _encoded(first)
        size = len(orjson.dumps(rows)) * OBJECTS_FACTOR
        self._cache.keep(_of_clinic(clinic_id), _Page(first, rows, size))
        return first


def _encoded(first: FirstPage) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps(items(first.rows)))


def _of_clinic(clinic_id: UUID) -> str:
    return name_of(clinic_id, "inbox")


def _of_person(scope: ClinicScope) -> str:
    return name_of(scope.clinic_id, "inbox", scope.user_id)
