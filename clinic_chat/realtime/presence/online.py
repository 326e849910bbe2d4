"""Presence: a person is online while any of their sockets in the clinic is connected.

Deltas are sent, not lists (presence is the largest cost of systems that send lists). A tab that
closes and one that reloads look the same at first, so a person goes offline only after
GRACE_SECONDS.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from clinic_chat.realtime.presence.acting import ActingIdentity
from clinic_chat.realtime.presence.leases import ONLINE_PLACE, Leases, Place

GRACE_SECONDS = 3.0
ONLINE = "user:online"
OFFLINE = "user:offline"

Tell = Callable[[UUID, str, dict[str, Any]], Awaitable[None]]


class Presence:
    """Tracks sockets by clinic and person, and tells the clinic who goes online or offline.

    A person with a socket in another process as well comes and goes with the first and the last.
    """

    def __init__(self, tell: Tell, leases: Leases) -> None:
        self._tell = tell
        self._leases = leases
        leases.on_change(self._elsewhere)
        self._sockets: dict[UUID, dict[str, set[str]]] = {}
        self._leaving: dict[tuple[UUID, UUID], asyncio.Task[None]] = {}

    def online(self, clinic_id: UUID) -> list[str]:
        """The ids of the people who are online in a clinic."""
        here = list(self._sockets.get(clinic_id, {}))
        elsewhere = self._leases.at(Place(clinic_id, ONLINE_PLACE))
        return here + [user for user_id in elsewhere if (user := str(user_id)) not in here]

    async def arrive(self, identity: ActingIdentity, sid: str) -> None:
        """Add a tab's socket; with its first one a person comes online."""
        people = self._sockets.setdefault(identity.clinic_id, {})
        leaving = self._leaving.pop((identity.clinic_id, identity.user_id), None)
        if leaving is not None:
            leaving.cancel()
        user_id = str(identity.user_id)
        first = user_id not in people
        people.setdefault(user_id, set()).add(sid)
        place = Place(identity.clinic_id, ONLINE_PLACE)
        if first and self._leases.take(place, identity.user_id, identity.user_name):
            await self._tell(identity.clinic_id, ONLINE, _person(identity))

    def leave(self, identity: ActingIdentity, sid: str) -> None:
        """Remove a tab's socket; after the last one a person goes offline in GRACE_SECONDS."""
        tabs = self._sockets.get(identity.clinic_id, {}).get(str(identity.user_id))
        if tabs is None:
            return
        tabs.discard(sid)
        key = (identity.clinic_id, identity.user_id)
        if not tabs and key not in self._leaving:
            self._leaving[key] = asyncio.create_task(self._go(identity))

    async def _go(self, identity: ActingIdentity) -> None:
        await asyncio.sleep(GRACE_SECONDS)
        self._leaving.pop((identity.clinic_id, identity.user_id), None)
        people = self._sockets.get(identity.clinic_id, {})
        people.pop(str(identity.user_id), None)
        if not people:
            self._sockets.pop(identity.clinic_id, None)
        if self._leases.release(Place(identity.clinic_id, ONLINE_PLACE), identity.user_id):
            await self._tell(identity.clinic_id, OFFLINE, _person(identity))

    async def _elsewhere(self, place: Place, user_id: UUID, name: str, present: bool) -> None:
        if place.name == ONLINE_PLACE:
            event = ONLINE if present else OFFLINE
            await self._tell(place.clinic_id, event, {"userId": str(user_id), "userName": name})


def _person(identity: ActingIdentity) -> dict[str, Any]:
    return {"userId": str(identity.user_id), "userName": identity.user_name}
