"""Commands about feeds: `feed:open`, `feed:catch-up`, `feed:page`, `feed:check`, `counts:get`."""

from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.queries.inbox import overview
from clinic_chat.metrics.sockets import BROWSER_CHECK_SECONDS, BROWSER_STALE_SECONDS
from clinic_chat.realtime.commands.command import Command, CommandContext, Data
from clinic_chat.realtime.connections import Connection
from clinic_chat.realtime.feeds import inbox as inbox_feed
from clinic_chat.realtime.feeds import personal as personal_feed
from clinic_chat.realtime.feeds.subscriptions import Wanted

# A tab waits for no answer so long; a screen is no more out of date than a day's leave makes it.
CHECK_MAXIMUM_MS = 60_000
STALE_MAXIMUM_MS = 24 * 60 * 60 * 1000


async def start(context: CommandContext, connection: Connection, data: Data) -> Data:
    """Follow a feed in place of the one of the same name; with a null `key` only stop following.

    `around` is the number of the item that it opens at, `order` numbers the tab's changes of the
    feeds that it follows. A list that does not exist is answered by a feed message `refused`.
    """
    match data:
        case {"feed": str() as feed, "key": str() | None as key} if context.subscriptions.has(feed):
            around = _number(data.get("around"))
            order = _number(data.get("order"))
            wanted = Wanted(feed, key, around, again=True)
            order = connection.order if order is None else order
            await context.subscriptions.follow(connection, [wanted], order)
            return {}
    raise InvalidInput("name a feed and its key", code="feed_invalid")


async def catch_up(context: CommandContext, connection: Connection, data: Data) -> Data:
    """Send the patch or snapshot that brings a feed that the tab follows up to date."""
    match data:
        case {"feed": str() as feed, "key": str() as key}:
            held = {feed: _number(data.get("version"))}
            held[personal_feed.FEED] = _number(data.get("personal"))
        case _:
            raise InvalidInput("name the feed and its key", code="feed_invalid")
    _require_followed(connection, feed, key)
    known = {name: version for name, version in held.items() if version is not None}
    await context.subscriptions.catch_up(connection, feed, key, known)
    return {}


async def page(context: CommandContext, connection: Connection, data: Data) -> Data:
    """Send further items of a feed that the tab follows."""
    match data:
        case {"feed": str() as feed, "key": str() as key, "query": dict() as query}:
            pass
        case _:
            raise InvalidInput("name the feed, its key and a query", code="feed_invalid")
    _require_followed(connection, feed, key)
    await context.subscriptions.page(connection, feed, key, query)
    return {}


async def check(context: CommandContext, connection: Connection, data: Data) -> Data:
    """Send, the same way as every patch, the version that the list should have by now.

    `tookMs` and `staleMs` are what the tab measured since the check before this one.
    """
    took = _milliseconds(data.get("tookMs"), CHECK_MAXIMUM_MS)
    stale = _milliseconds(data.get("staleMs"), STALE_MAXIMUM_MS)
    if took is not None:
        BROWSER_CHECK_SECONDS.observe(took / 1000)
    if stale is not None:
        BROWSER_STALE_SECONDS.observe(stale / 1000)
    await context.subscriptions.check(connection, data.get("nonce"))
    return {}


async def counts(_context: CommandContext, connection: Connection, _data: Data) -> Data:
    """The number of conversations of each kind, for this person."""
    return {"counts": inbox_feed.counts(await overview(connection.scope, rows=False))}


def _require_followed(connection: Connection, feed: str, key: str) -> None:
    if connection.feeds.get(feed) != key:
        raise InvalidInput("this tab does not follow that feed", code="feed_invalid")


def _number(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | None):
        raise InvalidInput("this is no whole number", code="number_invalid")
    return value


def _milliseconds(value: object, most: int) -> int | None:
    number = _number(value)
    if number is not None and not 0 <= number <= most:
        raise InvalidInput(f"this is from 0 to {most}", code="number_invalid")
    return number


COMMANDS = (
    Command("feed:open", start, by_a_person=True),
    Command("feed:catch-up", catch_up),
    Command("feed:page", page, by_a_person=True),
    Command("feed:check", check),
    Command("counts:get", counts),
)
