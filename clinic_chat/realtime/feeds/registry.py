"""The registry of feeds; a new one is a module of its own and a line here."""

from clinic_chat.cache.hybrid import HybridCache
from clinic_chat.realtime.events.bus import Bus
from clinic_chat.realtime.feeds import inbox, personal, thread
from clinic_chat.realtime.feeds.cached.thread_pages import ThreadPages
from clinic_chat.realtime.feeds.inbox import InboxFeed
from clinic_chat.realtime.feeds.protocol import Feed
from clinic_chat.realtime.feeds.thread import ThreadFeed
from clinic_chat.realtime.presence.activity import Activity
from clinic_chat.realtime.presence.online import Presence

NAMES = (inbox.FEED, thread.FEED, personal.FEED)


def create_feeds(
    bus: Bus, presence: Presence, activity: Activity, cache: HybridCache
) -> tuple[Feed, ...]:
    """The feeds of a process, in the order in which their patches are sent."""
    threads = ThreadFeed(activity, ThreadPages(cache, bus.watches))
    return threads, InboxFeed(bus, presence, activity, cache)
