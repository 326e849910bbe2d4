"""Which tab follows which feed: subscribe first, then read, then let the browser merge."""

from collections.abc import Iterable
from dataclasses import dataclass

from socketio import AsyncServer

from clinic_chat.domain.accounts.permissions import require
from clinic_chat.domain.errors import NotFound
from clinic_chat.realtime.bus import Bus
from clinic_chat.realtime.connections import Connection
from clinic_chat.realtime.feeds.protocol import Feed, Item, Start
from clinic_chat.realtime.feeds.sender import FeedSender
from clinic_chat.refusals import count_refusal

# Of what a tab asked for and cannot have, which is repeated to it.
MAX_KEY = 64


@dataclass(frozen=True)
class Wanted:
    """A feed that a tab is to follow by this key, or not at all for None."""

    feed: str
    key: str | None
    around: int | None = None
    """The number of the item it opens at, None for its usual start."""
    again: bool = False
    """Whether it is sent also to a tab that follows it already."""


class Subscriptions:
    """Puts tabs into rooms after the feed has said that they may see what is in them."""

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
        """Start feeds in this tab, each in the place of what it followed of the same name.

        The tab is told when there is no such list in this clinic. What all start with is read in
        one session, after the tab is in all rooms; it enters a room once what is told there is
        known to be this clinic's, and is in none of that feed meanwhile. `order` counts the
        tab's changes: one that comes after a later one changes nothing.

        Raises:
            Forbidden: whoever acts may not read it; the tab enters no room.
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
            # The next try starts with what the tab holds, as if this one had not been.
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
        """Send what a tab lacks that holds these versions: a patch when it can, else a snapshot.

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
        """Have the bus tell a tab which version its list should have by now.

        It goes the way of every patch: through the bus's queue and the feed's event. An answer
        proves that this way works, which pings do not (chatwoot #14703).
        """
        clinic_id = connection.identity.clinic_id

        async def answer() -> None:
            await self._sender.send_check(connection.sid, nonce, self._bus.delivered(clinic_id))

        self._bus.call(answer)

    async def _enter(self, connection: Connection, one: Wanted) -> None:
        feed, key = self._feeds[one.feed], one.key or ""
        # The tab may have closed while others' rooms were entered, or its list was looked for.
        if connection.gone:
            return
        for room in feed.rooms(connection, key):
            await self._sio.enter_room(connection.sid, room, self.namespace)
        connection.feeds[one.feed] = key
        await feed.entered(connection)

    async def _send(self, connection: Connection, one: Wanted, start: Start) -> None:
        key = one.key or ""
        # Not while a session is held, which those who wait for this answer may need. Nothing that
        # is told meanwhile is missing from what is asked for now.
        extra = start.extra | await self._feeds[one.feed].now(connection, key)
        await self._sender.send(connection.sid, one.feed, key, start.content, extra)
