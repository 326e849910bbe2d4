"""The inbox feed: the clinic's conversations; its version is the clinic's event number."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from clinic_chat.cache.hybrid import HybridCache
from clinic_chat.cache.single_flight import SingleFlightCache
from clinic_chat.domain.accounts.permissions import Permission
from clinic_chat.domain.accounts.users import colleagues
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.views import StaffConversation, conversations_by_id
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.events.log import (
    READ_LIMIT,
    CommittedEvent,
    EventType,
    SubjectKind,
    events_after,
)
from clinic_chat.domain.messages.read_markers import read_markers
from clinic_chat.domain.queries.changes import Changes
from clinic_chat.domain.queries.filters import parse_filter
from clinic_chat.domain.queries.inbox import InboxOverview, list_conversations, overview
from clinic_chat.realtime import rooms
from clinic_chat.realtime.connections import Connection
from clinic_chat.realtime.events.bus import Bus
from clinic_chat.realtime.feeds import personal
from clinic_chat.realtime.feeds.cached.inbox_pages import InboxPages
from clinic_chat.realtime.feeds.protocol import (
    Item,
    Page,
    Patch,
    Publication,
    Snapshot,
    Start,
    items,
)
from clinic_chat.realtime.presence.activity import Activity
from clinic_chat.realtime.presence.online import Presence

FEED = "conversations"
KEY = "inbox"
# The cache of the staff may be this old, because no event announces a new colleague anyway.
STAFF_SECONDS = 5.0


class InboxFeed:
    """The list of conversations that every tab of a clinic follows."""

    name = FEED
    permission = Permission.READ_CONVERSATIONS

    def __init__(
        self, bus: Bus, presence: Presence, activity: Activity, cache: HybridCache
    ) -> None:
        self._bus = bus
        self._presence = presence
        self._activity = activity
        self._pages = InboxPages(cache)
        self._staff: SingleFlightCache[list[Item]] = SingleFlightCache("staff", STAFF_SECONDS)

    def rooms(self, connection: Connection, _key: str) -> tuple[str, ...]:
        """The clinic's room, and the person's own for markers, drafts and settings."""
        identity = connection.identity
        return (
            rooms.clinic(identity.clinic_id),
            rooms.person(identity.clinic_id, identity.user_id),
        )

    async def exists(self, _scope: ClinicScope, key: str) -> bool:
        """Whether `key` is that of the one inbox of each clinic."""
        return key == KEY

    async def entered(self, connection: Connection) -> None:
        """Have the bus deliver the clinic's events, and count the tab's person as online."""
        await self._bus.watch(connection.identity.clinic_id)
        if connection.gone:
            return
        await self._presence.arrive(connection.identity, connection.sid)

    async def left(self, _connection: Connection) -> None:
        """Nothing: no tab leaves the inbox while it is connected."""

    async def start(
        self, scope: ClinicScope, _key: str, held: Mapping[str, int], _around: int | None
    ) -> Start:
        """A patch with the markers that moved if it brings the tab up to date, else a snapshot."""
        if FEED in held:
            mine = await overview(scope, rows=False, since=held.get(personal.FEED))
            patch = await since(scope, held[FEED], mine.first.version)
            if patch is not None:
                ids = [UUID(row["id"]) for row in patch.upsert]
                markers = mine.markers | await read_markers(scope, ids)
                return Start(patch, _extra(mine, markers))
        mine, rows = await self._pages.overview(scope)
        extra = _extra(mine, mine.markers) | {"cursor": mine.first.cursor}
        return Start(Snapshot(mine.first.version, rows), extra)

    async def page(self, scope: ClinicScope, _key: str, query: Item) -> Page:
        """The conversations of a view (`search`, `who`, `status`, `unread`), from `cursor` on.

        `number` is sent back, so that the tab can tell the answers to its requests apart.

        Raises:
            InvalidInput: a rule of `parse_filter`, `cursor_invalid` or `number_invalid`.
        """
        wanted = parse_filter(
            query.get("search"), query.get("who"), query.get("status"), query.get("unread")
        )
        cursor, number = query.get("cursor", ""), query.get("number", 0)
        if not isinstance(cursor, str):
            raise InvalidInput("name the cursor of the page before", code="cursor_invalid")
        if not isinstance(number, int) or not 0 <= number < 2**53:
            raise InvalidInput("number the question", code="number_invalid")
        page = await list_conversations(scope, wanted, cursor=cursor)
        extra = {
            "markers": page.markers,
            "personalVersion": page.personal_version,
            "view": wanted.as_dict(),
            "cursor": page.cursor,
            "more": cursor != "",
            "number": number,
        }
        return Page(items(page.rows), extra)

    async def now(self, connection: Connection, _key: str) -> Item:
        """The staff, the ids of those online, and the typing events."""
        clinic_id = connection.identity.clinic_id
        return {
            "staff": await self._staff.get(clinic_id, partial(_colleagues, connection.scope)),
            "online": self._presence.online(clinic_id),
            "typing": self._activity.typing(clinic_id),
        }

    def publications(
        self, clinic_id: UUID, events: list[CommittedEvent], changes: Changes
    ) -> Iterable[Publication]:
        """One patch for the clinic, with the moves that change its counts."""
        patch = _patch(events, changes.conversations)
        yield Publication(rooms.clinic(clinic_id), KEY, patch, {"moves": moves(events)})


async def since(scope: ClinicScope, version: int, until: int) -> Patch | None:
    """The patch from `version` to `until`, or None when the tab needs a snapshot.

    It needs one when it is too far behind, when what it lacks was deleted, or when it is ahead of
    the log, as after a restored backup.
    """
    if version == until:
        return Patch(version, version, [])
    events = [event for event in await events_after(scope, version) if event.seq <= until]
    if version > until or len(events) >= READ_LIMIT:
        return None
    if not events or events[0].seq != version + 1:
        return None
    touched = {e.subject.id for e in events if e.subject.kind == SubjectKind.CONVERSATION}
    return _patch(events, await conversations_by_id(scope, touched))


def counts(mine: InboxOverview) -> Item:
    """A person's counts, with the versions at which they were read."""
    return {
        "version": mine.first.version,
        "personalVersion": mine.personal_version,
        "cells": items(mine.counts),
    }


def moves(events: list[CommittedEvent]) -> list[dict[str, Any]]:
    """The old and new state of each conversation that moved; counts of it differ per person."""
    found: dict[str, dict[str, Any]] = {}
    for event in events:
        if event.subject.kind != SubjectKind.CONVERSATION:
            continue
        key = str(event.subject.id)
        move = found.setdefault(
            key, {"id": key, "was": event.payload.get("was"), "inbound": 0, "state": None}
        )
        move["state"] = event.payload.get("state")
        move["inbound"] += event.payload.get("direction") == "inbound"
    return [move for move in found.values() if move["was"] != move["state"]]


def _patch(events: list[CommittedEvent], rows: list[StaffConversation]) -> Patch:
    deleted = {e.subject.id for e in events if e.type == EventType.CONVERSATION_DELETED}
    return Patch(
        events[0].seq - 1, events[-1].seq, items(rows), sorted(str(one) for one in deleted)
    )


def _extra(mine: InboxOverview, markers: dict[str, int]) -> Item:
    return {"markers": markers, "personalVersion": mine.personal_version, "counts": counts(mine)}


async def _colleagues(scope: ClinicScope) -> list[Item]:
    async with scope.read() as session:
        return items(await colleagues(session, scope.clinic_id))
