"""Subscriptions of tabs to feeds: enter the rooms, then read, then let the browser merge."""

from collections.abc import Iterable
from dataclasses import dataclass

from socketio import AsyncServer

from clinic_chat.domain.accounts.permissions import require
from clinic_chat.domain.errors import NotFound
from clinic_chat.realtime.connections import Connection
from clinic_chat.realtime.events.bus import Bus
from clinic_chat.realtime.feeds.protocol import Feed, Item, Start
from clinic_chat.realtime.feeds.sender import FeedSender
from clinic_chat.web.refusals import count_refusal

# Characters of a key in connect data, and of one that is repeated in a refusal.
MAX_KEY = 64


@dataclass(frozen=True)
class Wanted:
    """A feed that a tab wants to follow by `key`, or to leave for None."""

    feed: str
    key: str | None
    around: int | None = None
    """The number of the item it opens at, None for its usual start."""
    again: bool = False
    """Whether it is sent also to a tab that follows it already."""


class Subscriptions:
    """Puts tabs into the rooms of feeds, after their permission and the key have been checked."""

    def __init__(
        self, sio: AsyncServer, sender: FeedSender, bus: Bus, feeds: tuple[Feed, ...]
    ) -> None:
        self._sio = sio
        self._sender = sender
        self._bus = bus
        self._feeds = {feed.name: feed for feed in feeds}
        self.namespace = ""

    def has(self, feed: str) -> bool:
        """Whether there is a feed of this name."""
        return feed in self._feeds

    async def follow(
        self, connection: Connection, wanted: Iterable[Wanted], order: int = 0
    ) -> None:
        """Start feeds in this tab, each in place of the one of the same name that it followed.

        The tab first leaves the rooms of the old feed, and enters those of a new one once the list
        is known to exist in this clinic; otherwise the tab gets a refusal. All feeds are read in
        one database session, after all rooms have been entered. `order` numbers the tab's changes:
        one that comes after a later one changes nothing.

        Raises:
            Forbidden: the tab's person may not read a feed; the tab enters no room.
        """
        async with connection.following:
            if connection.gone or order < connection.order:
                return
            connection.order = order
            await self._follow(connection, wanted)

    async def _follow(self, connection: Connection, wanted: Iterable[Wanted]) -> None:
        entering: list[Wanted] = []
        starting: list[Wanted] = []
        missing: list[Wanted] = []
        for one in wanted:
            followed = connection.feeds.get(one.feed)
            if followed != one.key:
                await self.leave(connection, one.feed)
            if one.key is None:
                continue
            if followed == one.key:
                starting += [one] if one.again else []
                continue
            feed = self._feeds[one.feed]
            require(connection.scope, feed.permission)
            if await feed.exists(connection.scope, one.key):
                entering.append(one)
                starting.append(one)
            else:
                missing.append(one)
        for one in entering:
            await self._enter(connection, one)
        said, connection.versions = connection.versions, {}
        starts: dict[Wanted, Start] = {}
        try:
            async with connection.scope.read_snapshot() as moment:
                for one in starting:
                    held = {
                        feed: version
                        for feed, (key, version) in said.items()
                        if feed != one.feed or key == one.key
                    }
                    try:
                        starts[one] = await self._feeds[one.feed].start(
                            moment, one.key or "", held, one.around
                        )
                    except NotFound:
                        missing.append(one)
        except Exception:
            # The next attempt starts from the versions that the tab has, as if this one never was.
            connection.versions = said
            for one in entering:
                await self.leave(connection, one.feed)
            raise
        for one, start in starts.items():
            await self._send(connection, one, start)
        for one in missing:
            await self.leave(connection, one.feed)
            count_refusal("feed.not_found", feed=one.feed, user=connection.identity.user_id)
            key = (one.key or "")[:MAX_KEY]
            await self._sender.refuse(connection.sid, one.feed, key, NotFound.code)

    async def leave(self, connection: Connection, feed: str) -> None:
        """Stop following a feed, if the tab follows it."""
        key = connection.feeds.pop(feed, None)
        if key is None:
            return
        await self._feeds[feed].left(connection)
        for room in self._feeds[feed].rooms(connection, key):
            await self._sio.leave_room(connection.sid, room, self.namespace)

    async def catch_up(
        self, connection: Connection, feed: str, key: str, held: dict[str, int]
    ) -> None:
        """Send the patch or snapshot that brings a tab from the versions `held` up to date.

        Raises:
            NotFound: there is no such list any more.
        """
        async with connection.scope.read_snapshot() as moment:
            start = await self._feeds[feed].start(moment, key, held, None)
        await self._send(connection, Wanted(feed, key), start)

    async def page(self, connection: Connection, feed: str, key: str, query: Item) -> None:
        """Send a tab further items of a feed that it follows.

        Raises:
            NotFound, InvalidInput: as `Feed.page`.
        """
        page = await self._feeds[feed].page(connection.scope, key, query)
        await self._sender.send_page(connection.sid, feed, key, page.items, **page.extra)

    async def check(self, connection: Connection, nonce: object) -> None:
        """Have the bus send a tab the version that its list should have by now.

        The answer takes the way of every patch, through the bus's queue and the feed's event, and
        so proves that this way works, which pings do not (chatwoot #14703).
        """
        clinic_id = connection.identity.clinic_id

        async def answer() -> None:
            await self._sender.send_check(connection.sid, nonce, self._bus.delivered(clinic_id))

        self._bus.call(answer)

    async def _enter(self, connection: Connection, one: Wanted) -> None:
        feed, key = self._feeds[one.feed], one.key or ""
        # The tab may have closed while other rooms were entered, or the list was looked up.
        if connection.gone:
            return
        for room in feed.rooms(connection, key):
            await self._sio.enter_room(connection.sid, room, self.namespace)
        connection.feeds[one.feed] = key
        await feed.entered(connection)

    async def _send(self, connection: Connection, one: Wanted, start: Start) -> None:
        key = one.key or ""
        # Called without holding a database session, which a load shared with other tabs may need.
        # Called last, so that it includes everything that was broadcast meanwhile.
        extra = start.extra | await self._feeds[one.feed].now(connection, key)
        if connection.personal_version is None:
            connection.personal_version = start.extra.get("personalVersion")
        await self._sender.send(connection.sid, one.feed, key, start.content, extra)
