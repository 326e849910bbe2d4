"""Which cached lists each type of event touches: the one table that says so."""

from collections.abc import Iterable
from enum import StrEnum

from clinic_chat.domain.events.log import CommittedEvent, EventType

# Messages in a block: numbers 1 to 30 are block 0, 31 to 60 block 1, and so on.
BLOCK = 30


class Cached(StrEnum):
    """A cached list, by the label of its metrics."""

    NEWEST = "thread_pages"
    """A conversation's newest messages: the event itself brings the change."""
    BLOCKS = "thread_blocks"
    """Blocks of a conversation's messages that are full: the one with the message of the event."""
    INBOX = "inbox_pages"
    """The clinic's first page: its version is the number of the clinic's last event."""


TOUCHES: dict[str, frozenset[Cached]] = {
    EventType.MESSAGE_NEW: frozenset({Cached.NEWEST, Cached.INBOX}),
    EventType.MESSAGE_UPDATED: frozenset({Cached.NEWEST, Cached.BLOCKS, Cached.INBOX}),
    EventType.CONVERSATION_UPDATED: frozenset({Cached.INBOX}),
    EventType.CONVERSATION_DELETED: frozenset(Cached),
    EventType.ADMINISTERED: frozenset({Cached.INBOX}),
}


def touches(event_type: str, cached: Cached) -> bool:
    """Whether events of this type touch the list; those of an unknown type touch all."""
    return cached in TOUCHES.get(event_type, Cached)


def touched_blocks(events: Iterable[CommittedEvent]) -> Iterable[tuple[int, int | None]]:
    """The version of each event that touches blocks, with its block or None for all of them."""
    for event in events:
        if touches(event.type, Cached.BLOCKS):
            seq = event.payload.get("seq")
            yield event.subject.version, None if seq is None else block_of(seq)


def block_of(seq: int) -> int:
    """The block that the message with this number is in."""
    return (seq - 1) // BLOCK
