"""The clinic's conversations as a feed: version = the clinic's event number."""

from functools import partial
from typing import Any

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import ConversationView, conversations_by_id
from clinic_chat.domain.events.log import READ_LIMIT, CommittedEvent, SubjectKind, events_after
from clinic_chat.domain.queries.inbox import FirstPage, InboxOverview, overview
from clinic_chat.realtime.feeds.page_cache import PageCache
from clinic_chat.realtime.feeds.protocol import Item, Patch, Snapshot, items

FEED = "conversations"
KEY = "inbox"


class Lists:
    """The lists that were sent last, for those who open the same ones."""

    def __init__(self) -> None:
        self._pages: PageCache[FirstPage] = PageCache()
        self._mine: PageCache[InboxOverview] = PageCache()

    async def snapshot(self, scope: ClinicScope) -> Snapshot:
        """The newest page of conversations with this person's read markers and counts."""
        clinic, person = scope.clinic_id, (scope.clinic_id, scope.user_id)
        # Looked for when the versions are known: by then others may have read the same.
        start = await overview(
            scope,
            known=partial(self._pages.find, clinic),
            mine=partial(self._mine.find, person),
        )
        self._mine.put(person, start)
        first = start.first
        return Snapshot(
            first.version,
            self._pages.encoded(clinic, first, first.rows),
            {
                "cursor": first.cursor,
                "markers": start.markers,
                "personalVersion": start.personal_version,
                "counts": counts(start),
            },
        )


def patch(events: list[CommittedEvent], rows: list[ConversationView]) -> Patch:
    """The conversations these events touched, as they are now."""
    return Patch(events[0].seq - 1, events[-1].seq, items(rows))


async def since(scope: ClinicScope, version: int, until: int) -> Patch | None:
    """What a tab at `version` lacks up to `until`, or None when a patch cannot help.

    It cannot when the tab is too far behind, or ahead of the log, as after a restored backup.
    """
    if version > until:
        return None
    events = [event for event in await events_after(scope, version) if event.seq <= until]
    if len(events) >= READ_LIMIT:
        return None
    if not events:
        return Patch(version, version, [])
    touched = {e.subject.id for e in events if e.subject.kind == SubjectKind.CONVERSATION}
    return patch(events, await conversations_by_id(scope, touched))


def counts(start: InboxOverview) -> Item:
    """A person's counts with the versions they belong to."""
    return {
        "version": start.first.version,
        "personalVersion": start.personal_version,
        "cells": items(start.counts),
    }


def moves(events: list[CommittedEvent]) -> list[dict[str, Any]]:
    """From where to where each conversation moved, for counts that differ per person."""
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
