"""Parses the feeds in a tab's connect data, `auth.live`: name → `{key, version?, around?}`."""

from typing import Any

from clinic_chat.realtime.connections import Connection
from clinic_chat.realtime.feeds import personal
from clinic_chat.realtime.feeds.registry import NAMES
from clinic_chat.realtime.feeds.subscriptions import MAX_KEY, Wanted


def feeds_at_connect(connection: Connection, auth: Any) -> list[Wanted]:
    """The feeds that the tab wants; the versions it has are stored in `connection.versions`."""
    said = auth.get("live") if isinstance(auth, dict) else None
    wanted: list[Wanted] = []
    if not isinstance(said, dict):
        return wanted
    for feed in NAMES:
        match said.get(feed):
            case {"key": str() as key, **more} if len(key) <= MAX_KEY:
                version, around = _number(more.get("version")), _number(more.get("around"))
                if version is not None:
                    connection.versions[feed] = (key, version)
                # The personal feed comes with the inbox.
                if feed != personal.FEED:
                    wanted.append(Wanted(feed, key, around))
    return wanted


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and 0 <= value < 2**53 else None
