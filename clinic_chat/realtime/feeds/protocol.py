"""The protocol of live feeds: lists that many tabs follow, sent to a room as one patch per change.

A feed is named by the kind of its items (`conversations`, `messages`) and a key (the conversation
of the messages). Its versions have no gaps, so a browser at version 7 applies the patch 7 → 8,
ignores 6 → 7, and catches up on 8 → 9. The browser's part is assets/live/feeds/feed.js.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from clinic_chat.domain.accounts.permissions import Permission
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.events.log import CommittedEvent
from clinic_chat.domain.queries.changes import Changes
from clinic_chat.realtime.connections import Connection

Item = dict[str, Any]


@dataclass(frozen=True)
class Patch:
    """The items that changed between two versions of a feed, and the ids of those deleted."""

    from_version: int
    to_version: int
    upsert: list[Item]
    remove: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Snapshot:
    """A feed's items at a version, or newer."""

    version: int
    items: Any
    """A list of items, or one that is already encoded as an `orjson.Fragment`."""


@dataclass(frozen=True)
class Start:
    """The patch or snapshot that a tab starts with, and data of the same moment sent with it."""

    content: Patch | Snapshot
    extra: Item


@dataclass(frozen=True)
class Page:
    """Further items that a tab asked for, as of `Snapshot`, and data sent with them."""

    items: Any
    extra: Item


@dataclass(frozen=True)
class Publication:
    """A patch for all tabs in a room, and data sent with it."""

    room: str
    key: str
    patch: Patch
    extra: Item = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """Tells all tabs in a room that there is no such list any more."""

    room: str
    key: str
    code: str


class Feed(Protocol):
    """The interface of a feed to `subscriptions.py` and `publisher.py`."""

    name: str
    permission: Permission
    """The permission without which a tab enters none of the rooms."""

    def rooms(self, connection: Connection, key: str) -> tuple[str, ...]:
        """The rooms that its patches are sent to."""

    async def exists(self, scope: ClinicScope, key: str) -> bool:
        """Whether there is such a list in the clinic."""

    async def entered(self, connection: Connection) -> None:
        """Handle a tab that has entered the rooms; nothing has been read for it yet."""

    async def left(self, connection: Connection) -> None:
        """Handle a tab that no longer follows the feed."""

    async def start(
        self, scope: ClinicScope, key: str, held: Mapping[str, int], around: int | None
    ) -> Start:
        """The patch or snapshot that brings a tab from the versions `held`, by feed, up to date.

        `around` is the number of the item that the tab opens at, None for the usual start.

        Raises:
            NotFound: there is no such list any more.
        """

    async def page(self, scope: ClinicScope, key: str, query: Item) -> Page:
        """The further items that a tab's query asks for.

        Raises:
            NotFound: there is no such list any more.
            InvalidInput: the query is not one of this feed.
        """

    async def now(self, connection: Connection, key: str) -> Item:
        """Data of the moment that is stored nowhere, such as presence; it is read last."""

    def publications(
        self, clinic_id: UUID, events: list[CommittedEvent], changes: Changes
    ) -> Iterable[Publication | Refusal]:
        """The patches for these events, each with its room."""


def items(views: Iterable[Any]) -> list[Item]:
    """Views, whose fields are all plain values, as dictionaries for the wire."""
    return [dict(vars(view)) for view in views]
