"""Leases: the people at a place (online, or at a conversation), in all processes.

A process tells the others of each change, and all of its people every REPEAT_SECONDS, so that a
message that was lost or a process that starts later does no harm. The people of a process that has
told nothing for LEASE_SECONDS are gone.
"""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, NamedTuple
from uuid import UUID

from clinic_chat.process_channel import ProcessChannel

REPEAT_SECONDS = 4.0
# A killed process's people go offline within 16 s: three repetitions are missed.
LEASE_SECONDS = 12.0
# The tabs of a process that ends reconnect to another one after 1, 2, 4 and 8 s.
ENDED_SECONDS = 15.0
ONLINE_PLACE = ""
CHANGE, ALL, ASK, END = "lease", "leases", "leases:ask", "leases:end"


class Place(NamedTuple):
    """A place of a clinic: "" is being online, else a conversation's id."""

    clinic_id: UUID
    name: str


Changed = Callable[[Place, UUID, str, bool], Awaitable[None]]
"""Takes a place, a person's id and name, and whether they have come or gone."""


class _People:
    """The people of a process by place, with their names."""

    def __init__(self) -> None:
        self.at: dict[Place, dict[UUID, str]] = {}

    def has(self, place: Place, user_id: UUID) -> bool:
        return user_id in self.at.get(place, {})

    def add(self, place: Place, user_id: UUID, name: str) -> None:
        self.at.setdefault(place, {})[user_id] = name

    def remove(self, place: Place, user_id: UUID) -> str | None:
        people = self.at.get(place, {})
        name = people.pop(user_id, None)
        if not people:
            self.at.pop(place, None)
        return name

    def all(self) -> list[tuple[Place, UUID, str]]:
        return [
            (place, user_id, name)
            for place, people in self.at.items()
            for user_id, name in people.items()
        ]


class _Elsewhere(_People):
    """The people of another process, and when they are gone if it tells nothing more."""

    def __init__(self) -> None:
        super().__init__()
        self.gone_at = 0.0
        self.is_ending = False


class Leases:
    """The people of this process, told to the others, and theirs."""

    def __init__(self, channel: ProcessChannel) -> None:
        self._channel = channel
        self._here = _People()
        self._elsewhere: dict[str, _Elsewhere] = {}
        self._listeners: list[Changed] = []
        channel.on(CHANGE, self._heard_change)
        channel.on(ALL, self._heard_all)
        channel.on(ASK, self._heard_ask)
        channel.on(END, self._heard_end)
        channel.on_reconnect(self._reconnected)

    def on_change(self, listener: Changed) -> None:
        """Call `listener` when a person who is at a place by no other process comes or goes."""
        self._listeners.append(listener)

    def take(self, place: Place, user_id: UUID, name: str) -> bool:
        """Note that a person is at a place in this process; whether they are by no other one."""
        self._here.add(place, user_id, name)
        self._tell(place, user_id, name, True)
        return not self._is_elsewhere(place, user_id)

    def release(self, place: Place, user_id: UUID) -> bool:
        """Note that a person left a place in this process; whether they are by no other one."""
        name = self._here.remove(place, user_id)
        if name is not None:
            self._tell(place, user_id, name, False)
        return not self._is_elsewhere(place, user_id)

    def at(self, place: Place) -> dict[UUID, str]:
        """The names of the people at a place by other processes, by person."""
        found: dict[UUID, str] = {}
        for process in self._elsewhere.values():
            found |= process.at.get(place, {})
        return found

    def end(self) -> None:
        """Tell the others that this process ends, and that its people will come to them."""
        self._channel.tell(END, {})

    async def run(self) -> None:
        """Repeat what is so here, and end what others repeat no more, until cancelled."""
        while self._channel.is_shared:
            self._tell_all()
            await asyncio.sleep(REPEAT_SECONDS)
            # Without the channel nobody's repetition is heard.
            if self._channel.connected:
                await self._expire()

    async def _expire(self) -> None:
        for process, its in list(self._elsewhere.items()):
            if its.gone_at <= monotonic():
                del self._elsewhere[process]
                for place, user_id, name in its.all():
                    await self._left(place, user_id, name)

    def _tell(self, place: Place, user_id: UUID, name: str, present: bool) -> None:
        person = [str(place.clinic_id), place.name, str(user_id), name]
        self._channel.tell(CHANGE, {"person": person, "present": present})

    def _tell_all(self) -> None:
        people = [
            [str(place.clinic_id), place.name, str(user_id), name]
            for place, user_id, name in self._here.all()
        ]
        self._channel.tell(ALL, {"people": people})

    async def _reconnected(self) -> None:
        # What the others told meanwhile was not heard: they have the whole time once more.
        for process in self._elsewhere.values():
            process.gone_at = monotonic() + LEASE_SECONDS
        self._channel.tell(ASK, {})
        self._tell_all()

    async def _heard_ask(self, _process: str, _message: dict[str, Any]) -> None:
        self._tell_all()

    async def _heard_change(self, process: str, message: dict[str, Any]) -> None:
        its = self._renewed(process)
        place, user_id, name = _person(message["person"])
        if message["present"]:
            await self._come(its, place, user_id, name)
        elif not its.is_ending and its.remove(place, user_id) is not None:
            await self._left(place, user_id, name)

    async def _heard_all(self, process: str, message: dict[str, Any]) -> None:
        its = self._renewed(process)
        people = [_person(told) for told in message["people"]]
        there = {(place, user_id) for place, user_id, _ in people}
        for place, user_id, name in its.all():
            if (place, user_id) not in there and not its.is_ending:
                its.remove(place, user_id)
                await self._left(place, user_id, name)
        for place, user_id, name in people:
            await self._come(its, place, user_id, name)

    async def _heard_end(self, process: str, _message: dict[str, Any]) -> None:
        its = self._renewed(process)
        # It closes its tabs now, and their people come to other processes.
        its.is_ending = True
        its.gone_at = monotonic() + ENDED_SECONDS

    def _renewed(self, process: str) -> _Elsewhere:
        its = self._elsewhere.setdefault(process, _Elsewhere())
        if not its.is_ending:
            its.gone_at = monotonic() + LEASE_SECONDS
        return its

    async def _come(self, its: _Elsewhere, place: Place, user_id: UUID, name: str) -> None:
        is_new = not (self._here.has(place, user_id) or self._is_elsewhere(place, user_id))
        its.add(place, user_id, name)
        if is_new:
            await self._changed(place, user_id, name, True)

    async def _left(self, place: Place, user_id: UUID, name: str) -> None:
        if not (self._here.has(place, user_id) or self._is_elsewhere(place, user_id)):
            await self._changed(place, user_id, name, False)

    async def _changed(self, place: Place, user_id: UUID, name: str, present: bool) -> None:
        for listener in self._listeners:
            await listener(place, user_id, name, present)

    def _is_elsewhere(self, place: Place, user_id: UUID) -> bool:
        return any(process.has(place, user_id) for process in self._elsewhere.values())


def _person(told: list[str]) -> tuple[Place, UUID, str]:
    clinic_id, place, user_id, name = told
    return Place(UUID(clinic_id), place), UUID(user_id), name
