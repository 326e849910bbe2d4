"""Live feeds: lists that many tabs watch, sent once per change to a room as a small patch.

A feed is named by what it lists (`conversations`, `messages`) and a key (which conversation's
messages). Its version is a number without holes, so a browser that has version 7 applies the
patch 7 → 8, ignores 6 → 7, and asks for what is missing on 8 → 9. The browser's half is
assets/live/feeds/feed.js.
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


@dataclass(frozen=True)
class Start:
    """What a tab lacks of a feed, and what is sent with it, of the same moment."""

    content: Patch | Snapshot
    extra: Item


@dataclass(frozen=True)
class Page:
    """Further items that a tab asked for, and what is sent with them."""

    items: list[Item]
    extra: Item


@dataclass(frozen=True)
class Publication:
    """A patch for everybody in a room."""

    room: str
    key: str
    patch: Patch
    extra: Item = field(default_factory=dict)


class Feed(Protocol):
    """What a feed says of itself; `subscriptions.py` and `publisher.py` do the rest."""

    name: str
    permission: Permission
    """Without it a tab is put into none of the rooms."""

    def rooms(self, connection: Connection, key: str) -> tuple[str, ...]:
        """Where its patches are told."""

    async def exists(self, scope: ClinicScope, key: str) -> bool:
        """Whether there is such a list in the clinic."""

    async def entered(self, connection: Connection) -> None:
        """A tab is in the rooms; nothing has been read for it yet."""

    async def left(self, connection: Connection) -> None:
        """A tab follows it no more."""

    async def start(
        self, scope: ClinicScope, key: str, held: Mapping[str, int], around: int | None
    ) -> Start:
        """What a tab lacks that holds these versions, by feed; `around` is where it opens.

        Raises:
            NotFound: there is no such list any more.
        """

    async def page(self, scope: ClinicScope, key: str, query: Item) -> Page:
        """Further items, as a tab asks for them.

        Raises:
            NotFound: there is no such list any more.
            InvalidInput: the query is not one of this feed.
        """

    async def now(self, connection: Connection, key: str) -> Item:
        """What is true of the moment and stored nowhere; it is asked for last."""

    def publications(
        self, clinic_id: UUID, events: list[CommittedEvent], changes: Changes
    ) -> Iterable[Publication]:
        """What these events changed of it."""


def items(views: Iterable[Any]) -> list[Item]:
    """Views, whose fields are all plain values, as dictionaries for the wire."""
    return [dict(vars(view)) for view in views]
