"""Relay: passes what this process commits to the buses of the others, and theirs to this one's.

A message that is lost leaves a hole in the clinic's numbers, or is found when the bus looks. For a
person's own changes, which are in no log, `PersonalCatchUp` looks instead.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from clinic_chat.domain.events.log import (
    CommittedEvent,
    EventType,
    PersonalChange,
    Subject,
    SubjectKind,
)
from clinic_chat.process_channel import ProcessChannel
from clinic_chat.realtime.events.bus import Bus

EVENTS = "events"


class EventRelay:
    """Register `committed` with `Database.on_commit`."""

    def __init__(self, channel: ProcessChannel, bus: Bus) -> None:
        self._channel = channel
        self._bus = bus
        channel.on(EVENTS, self._heard)
        channel.on_reconnect(bus.look)

    async def committed(self, items: list[CommittedEvent | PersonalChange]) -> None:
        """Tell the other processes what a transaction announced, in its order."""
        if self._channel.is_shared:
            self._channel.tell(EVENTS, {"items": [_told(item) for item in items]})

    async def _heard(self, _process: str, message: dict[str, Any]) -> None:
        self._bus.heard(list(_heard(message["items"])))


def _told(item: CommittedEvent | PersonalChange) -> list[Any]:
    if isinstance(item, PersonalChange):
        return ["personal", str(item.clinic_id), str(item.user_id), item.version, item.change]
    subject = item.subject
    return [
        *("event", str(item.clinic_id), item.seq, item.type),
        *(subject.kind, str(subject.id), subject.version),
        *(item.payload, item.at.isoformat()),
    ]


def _heard(told: Iterable[list[Any]]) -> Iterable[CommittedEvent | PersonalChange]:
    for kind, clinic_id, *rest in told:
        if kind == "personal":
            user_id, version, change = rest
            yield PersonalChange(UUID(clinic_id), UUID(user_id), version, change)
        else:
            seq, event_type, subject_kind, subject_id, version, payload, at = rest
            yield CommittedEvent(
                UUID(clinic_id),
                seq,
                EventType(event_type),
                Subject(SubjectKind(subject_kind), UUID(subject_id), version),
                payload,
                datetime.fromisoformat(at),
            )
