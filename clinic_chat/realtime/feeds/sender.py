"""Sends feed messages: patches to rooms; snapshots, pages and refusals to single tabs."""

from collections.abc import Awaitable, Callable
from typing import Any

from clinic_chat.realtime.clock import milliseconds_now
from clinic_chat.realtime.feeds.protocol import Item, Patch, Publication, Snapshot

EVENT = "feed"
# The feed name in the answer to a check, which takes the same way as every patch.
CHECK = "check"

Emit = Callable[[str, Item, str], Awaitable[None]]


class FeedSender:
    """Sends every message about feeds."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit

    async def publish(self, feed: str, what: Publication) -> None:
        """Send a patch to everyone in its room; it is encoded once."""
        await self._emit(EVENT, _patch(feed, what.key, what.patch, what.extra), what.room)

    async def send(
        self, sid: str, feed: str, key: str, content: Patch | Snapshot, extra: Item
    ) -> None:
        """Send one tab a patch, or a snapshot that replaces its list."""
        if isinstance(content, Patch):
            await self._emit(EVENT, _patch(feed, key, content, extra), sid)
            return
        snapshot = {"feed": feed, "key": key, "kind": "snapshot", "version": content.version}
        await self._emit(EVENT, {**snapshot, "items": content.items, **extra}, sid)

    async def send_page(self, sid: str, feed: str, key: str, items: Any, **extra: Any) -> None:
        """Send one tab further items that it asked for; the version of its list does not change."""
        await self._emit(
            EVENT, {"feed": feed, "key": key, "kind": "page", "items": items, **extra}, sid
        )

    async def send_check(self, sid: str, nonce: object, version: int) -> None:
        """Answer one tab's check with the version of the list and the server's time."""
        number = nonce if isinstance(nonce, int) else 0
        check = {"feed": CHECK, "nonce": number, "version": version, "now": milliseconds_now()}
        await self._emit(EVENT, check, sid)

    async def refuse(self, to: str, feed: str, key: str, code: str) -> None:
        """Tell one tab, or all in a room, that they cannot have this feed, and why."""
        await self._emit(EVENT, {"feed": feed, "key": key, "kind": "refused", "code": code}, to)


def _patch(feed: str, key: str, patch: Patch, extra: Item) -> Item:
    return {
        "feed": feed,
        "key": key,
        "kind": "patch",
        "from": patch.from_version,
        "to": patch.to_version,
        "upsert": patch.upsert,
        **({"remove": patch.remove} if patch.remove else {}),
        **extra,
    }
