"""Live feeds: lists that many tabs watch, sent once per change to a room as a small patch.

A feed is named by what it lists (`conversations`, `messages`, `markers`) and a key (which
conversation's messages). Its version is a number without holes, so a browser that has
version 7 applies the patch 7 → 8, ignores 6 → 7, and asks for what is missing on 8 → 9.
The browser's half is assets/live/feeds/feed.js.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from clinic_chat.realtime.clock import milliseconds_now

EVENT = "feed"
# Of the answer to the question how far the list is, which goes the way of every patch.
CHECK = "check"

Item = dict[str, Any]
Emit = Callable[[str, Item, str], Awaitable[None]]


@dataclass(frozen=True)
class Patch:
    """What changed between two versions of a feed."""

    from_version: int
    to_version: int
    upsert: list[Item]


@dataclass(frozen=True)
class Snapshot:
    """A feed's items at a version, or at least as new."""

    version: int
    items: Any
    """A list, or one that is encoded already."""
    extra: Item


class Feeds:
    """Sends patches to rooms and snapshots, pages and refusals to single sockets."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit

    async def publish(self, room: str, feed: str, key: str, patch: Patch, **extra: Any) -> None:
        """Send a patch to everyone in the room; it is encoded once."""
        await self._emit(EVENT, _patch(feed, key, patch, extra), room)

    async def send_patch(self, sid: str, feed: str, key: str, patch: Patch, **extra: Any) -> None:
        """Send one tab what it missed."""
        await self._emit(EVENT, _patch(feed, key, patch, extra), sid)

    async def send_snapshot(self, sid: str, feed: str, key: str, snapshot: Snapshot) -> None:
        """Send one tab the feed as it is; what the tab had is replaced."""
        await self._emit(
            EVENT,
            {
                "feed": feed,
                "key": key,
                "kind": "snapshot",
                "version": snapshot.version,
                "items": snapshot.items,
                **snapshot.extra,
            },
            sid,
        )

    async def send_page(
        self, sid: str, feed: str, key: str, items: list[Item], **extra: Any
    ) -> None:
        """Send one tab further items that it asked for; its version does not change."""
        await self._emit(
            EVENT, {"feed": feed, "key": key, "kind": "page", "items": items, **extra}, sid
        )

    async def send_check(self, sid: str, nonce: object, version: int) -> None:
        """Answer one tab's question how far the list is, and what time it is here."""
        number = nonce if isinstance(nonce, int) else 0
        check = {"feed": CHECK, "nonce": number, "version": version, "now": milliseconds_now()}
        await self._emit(EVENT, check, sid)

    async def refuse(self, sid: str, feed: str, key: str, code: str) -> None:
        """Tell one tab that it cannot have this feed, and why."""
        await self._emit(EVENT, {"feed": feed, "key": key, "kind": "refused", "code": code}, sid)


def _patch(feed: str, key: str, patch: Patch, extra: Item) -> Item:
    return {
        "feed": feed,
        "key": key,
        "kind": "patch",
        "from": patch.from_version,
        "to": patch.to_version,
        "upsert": patch.upsert,
        **extra,
    }


def items(views: Iterable[Any]) -> list[Item]:
    """Views, whose fields are all plain values, as dictionaries for the wire."""
    return [dict(vars(view)) for view in views]
