"""Which tab follows which feed: subscribe first, then read, then let the browser merge."""

from contextlib import suppress
from functools import partial
from uuid import UUID

from socketio import AsyncServer

from clinic_chat.cache.single_flight import SingleFlightCache
from clinic_chat.domain.accounts.users import colleagues
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import conversation_exists
from clinic_chat.domain.errors import NotFound
from clinic_chat.domain.messages.read_markers import read_markers
from clinic_chat.domain.queries.inbox import overview
from clinic_chat.domain.queries.message_pages import MessagePage
from clinic_chat.domain.queries.thread import open_conversation
from clinic_chat.realtime import rooms
from clinic_chat.realtime.bus import Bus
from clinic_chat.realtime.connections import Connection
from clinic_chat.realtime.feeds import inbox as inbox_feed
from clinic_chat.realtime.feeds import personal as personal_feed
from clinic_chat.realtime.feeds import thread as thread_feed
from clinic_chat.realtime.feeds.page_cache import PageCache
from clinic_chat.realtime.feeds.protocol import Feeds, Item, Patch, Snapshot, items
from clinic_chat.realtime.presence.activity import Activity
from clinic_chat.realtime.presence.online import Presence
from clinic_chat.refusals import count_refusal

# A new colleague shows with the next list that is sent; nobody is told of one anyway.
STAFF_SECONDS = 5.0
# Of what a tab asked for and cannot have, which is repeated to it.
MAX_KEY = 64

# What a tab lacks of a feed, and what is sent beside it.
News = tuple[Patch | Snapshot, Item]


class Subscriptions:
    """Puts tabs into rooms after the use case has said that they may see what is in them."""

    def __init__(
        self, sio: AsyncServer, feeds: Feeds, bus: Bus, presence: Presence, activity: Activity
    ) -> None:
        self._sio = sio
        self._feeds = feeds
        self._bus = bus
        self._presence = presence
        self._activity = activity
        self._lists = inbox_feed.Lists()
        self._staff: SingleFlightCache[list[Item]] = SingleFlightCache(STAFF_SECONDS)
        self._threads: PageCache[MessagePage] = PageCache()
        self.namespace = ""

    async def follow(
        self, caller: Connection, conversation_id: object | None = None, around: int | None = None
    ) -> None:
        """Start the clinic's list in this tab, and a conversation in the place of the one before.

        With `around` it opens at that message instead of the newest. The tab is told when there
        is no such conversation in this clinic. What both start with is read in one session,
        after the tab is in all rooms; it enters the conversation's once that is known to be this
        clinic's, and is in none meanwhile.
        """
        key = str(conversation_id)
        wanted = conversation_id is not None
        moves = not wanted or caller.feeds.get(thread_feed.FEED) != key
        if moves:
            await self.leave_conversation(caller)
        known = wanted and (not moves or await self._is_known(caller.scope, key))
        starts = inbox_feed.FEED not in caller.feeds
        if starts:
            await self._enter_inbox(caller)
        if known and moves:
            await self._enter(caller, rooms.conversation(caller.scope.clinic_id, key))
            caller.feeds[thread_feed.FEED] = key
        said = dict(caller.versions)
        held = _held(caller, inbox_feed.FEED, inbox_feed.KEY)
        held_mine = _held(caller, personal_feed.FEED, personal_feed.KEY)
        held_messages = _held(caller, thread_feed.FEED, key)
        inbox = thread = None
        try:
            async with caller.scope.read_snapshot() as moment:
                if starts:
                    inbox = await self._read_inbox(moment, held, held_mine)
                if known:
                    with suppress(NotFound):
                        thread = await self._read_thread(moment, key, held_messages, around)
        except Exception:
            # The next try starts with what the tab holds, as if this one had not been.
            caller.versions = said
            if starts:
                caller.feeds.pop(inbox_feed.FEED, None)
            raise
        if inbox is not None:
            await self._send_inbox(caller, inbox)
        if thread is not None:
            await self._send_thread(caller, thread)
        elif wanted:
            await self.leave_conversation(caller)
            count_refusal("conversation.not_found", user=caller.identity.user_id)
            await self._feeds.refuse(caller.sid, thread_feed.FEED, key[:MAX_KEY], NotFound.code)

    async def leave_conversation(self, caller: Connection) -> None:
        """Stop following the open conversation, if there is one, and being active in it."""
        key = caller.feeds.pop(thread_feed.FEED, None)
        if key is not None:
            await self._activity.gone(caller)
            room = rooms.conversation(caller.scope.clinic_id, key)
            await self._sio.leave_room(caller.sid, room, self.namespace)

    async def bring_up_inbox(
        self, caller: Connection, version: int | None, personal_version: int | None = None
    ) -> None:
        """Send what the tab lacks of the list: a patch when it can, else a snapshot.

        With `personal_version` a patch also has this person's markers that moved since.
        """
        async with caller.scope.read_snapshot() as moment:
            news = await self._read_inbox(moment, version, personal_version)
        await self._send_inbox(caller, news)

    async def bring_up_conversation(
        self, caller: Connection, conversation_id: object, version: int | None
    ) -> None:
        """Send what the tab lacks of the open conversation.

        Raises:
            NotFound: unknown, malformed or another clinic's.
        """
        async with caller.scope.read_snapshot() as moment:
            news = await self._read_thread(moment, conversation_id, version)
        await self._send_thread(caller, news)

    async def _read_inbox(
        self, scope: ClinicScope, version: int | None, personal_version: int | None
    ) -> News:
        if version is not None:
            start = await overview(scope, rows=False, since=personal_version)
            patch = await inbox_feed.since(scope, version, start.first.version)
            if patch is not None:
                ids = [UUID(row["id"]) for row in patch.upsert]
                return patch, {
                    "markers": start.markers | await read_markers(scope, ids),
                    "personalVersion": start.personal_version,
                    "counts": inbox_feed.counts(start),
                }
        snapshot = await self._lists.snapshot(scope)
        return snapshot, snapshot.extra

    async def _read_thread(
        self,
        scope: ClinicScope,
        conversation_id: object,
        version: int | None,
        around: int | None = None,
    ) -> News:
        if version is not None:
            patch = await thread_feed.since(scope, conversation_id, version)
            if patch is not None:
                return patch, thread_feed.shown_with(
                    await open_conversation(scope, conversation_id)
                )
        snapshot = await thread_feed.snapshot(scope, conversation_id, self._threads, around)
        return snapshot, snapshot.extra

    async def _is_known(self, scope: ClinicScope, key: str) -> bool:
        """Whether a conversation is this clinic's; one that was just opened is not looked up."""
        if self._threads.find((scope.clinic_id, key)) is not None:
            return True
        return await conversation_exists(scope, key)

    async def _send_inbox(self, caller: Connection, news: News) -> None:
        clinic_id = caller.identity.clinic_id
        # Not while a session is held, which those who wait for this answer may need.
        staff = await self._staff.get(clinic_id, partial(_colleagues, caller.scope))
        # What is true of the moment and stored nowhere is asked for last, so that nothing that
        # is told meanwhile is missing from it.
        extra = {
            "staff": staff,
            "online": self._presence.online(clinic_id),
            "typing": self._activity.typing(clinic_id),
        }
        await self._send(caller, inbox_feed.FEED, inbox_feed.KEY, news, extra)

    async def _send_thread(self, caller: Connection, news: News) -> None:
        key = news[1]["row"]["id"]
        extra = {"viewers": self._activity.viewers(caller.identity.clinic_id, key)}
        await self._send(caller, thread_feed.FEED, key, news, extra)

    async def _send(self, caller: Connection, feed: str, key: str, news: News, now: Item) -> None:
        what, extra = news
        extra |= now
        if isinstance(what, Patch):
            await self._feeds.send_patch(caller.sid, feed, key, what, **extra)
        else:
            await self._feeds.send_snapshot(caller.sid, feed, key, what)

    async def check(self, caller: Connection, nonce: object) -> None:
        """Have the bus tell a tab which version its list should have by now.

        It goes the way of every patch: through the bus's queue and the feed's event. An answer
        proves that this way works, which pings do not (chatwoot #14703).
        """
        clinic_id = caller.identity.clinic_id

        async def answer() -> None:
            await self._feeds.send_check(caller.sid, nonce, self._bus.delivered(clinic_id))

        self._bus.call(answer)

    async def _enter_inbox(self, caller: Connection) -> None:
        identity = caller.identity
        await self._bus.watch(identity.clinic_id)
        await self._enter(caller, rooms.clinic(identity.clinic_id))
        await self._enter(caller, rooms.person(identity.clinic_id, identity.user_id))
        caller.feeds[inbox_feed.FEED] = inbox_feed.KEY
        await self._presence.arrive(identity, caller.sid)

    async def _enter(self, caller: Connection, room: str) -> None:
        await self._sio.enter_room(caller.sid, room, self.namespace)


def _held(caller: Connection, feed: str, key: str) -> int | None:
    held_key, version = caller.versions.pop(feed, ("", -1))
    return version if held_key == key else None


async def _colleagues(scope: ClinicScope) -> list[Item]:
    async with scope.read() as session:
        return items(await colleagues(session, scope.clinic_id))
