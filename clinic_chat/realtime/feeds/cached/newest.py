"""The newest messages of a conversation as the cache has them, and how events change them."""

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from clinic_chat.cache.entry import Entry
from clinic_chat.domain.messages.views import StaffMessage
from clinic_chat.domain.queries.message_pages import PAGE_SIZE


@dataclass(frozen=True)
class Change:
    """What events brought: the messages that they touched between two versions."""

    before: int
    version: int
    messages: list[StaffMessage]


def encoded(messages: Iterable[StaffMessage]) -> tuple[bytes, ...]:
    """Each message as JSON for the wire."""
    return tuple(orjson.dumps(vars(message)) for message in messages)


def advanced(entry: Entry, change: Change) -> Entry:
    """The entry after a change; as it was when a change between them is missing."""
    if not change.before <= entry.version < change.version:
        return entry
    shown = list(entry.items)
    for message in change.messages:
        place = message.seq - entry.first
        if place > len(shown):
            return entry
        if place >= 0:
            shown[place : place + 1] = encoded([message])
    over = max(0, len(shown) - PAGE_SIZE)
    return Entry(change.version, entry.first + over, tuple(shown[over:]))
