"""Typing and viewing indicators: the people who type in or look at a conversation right now.

Nothing here is stored. A browser drops a `typing:start` by itself after EXPIRE_SECONDS, so a lost
`typing:stop` leaves nobody typing for ever (Rocket.Chat #14612).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import UUID

from clinic_chat.process_channel import ProcessChannel
from clinic_chat.realtime.presence.acting import ActingSocket
from clinic_chat.realtime.presence.leases import ONLINE_PLACE, Leases, Place

EXPIRE_SECONDS = 6.0
# A browser repeats `typing:start` every two seconds; anything much faster is not a person.
MINIMUM_SECONDS = 0.5
TYPING = "typing"

Tell = Callable[[UUID, str, dict[str, Any]], Awaitable[None]]


@dataclass
class _Typing:
    sid: str
    connection: ActingSocket
    conversation_id: str
    told_at: float


class Activity:
    """Tracks typing and viewing by clinic and conversation, and tells the clinic of changes."""

    def __init__(
        self, tell_typing: Tell, tell_viewing: Tell, leases: Leases, channel: ProcessChannel
    ) -> None:
        self._tell_clinic_typing = tell_typing
        self._tell_viewing = tell_viewing
        self._leases = leases
        self._channel = channel
        # By socket.
        self._typing: dict[str, _Typing] = {}
        # By clinic, conversation and person: the event, and when another process told it.
        self._typing_elsewhere: dict[tuple[UUID, str, str], tuple[dict[str, Any], float]] = {}
        # (clinic, conversation) → person → socket: hundreds of tabs may show the same conversation.
        self._viewing: dict[tuple[UUID, str], dict[UUID, dict[str, ActingSocket]]] = {}
        # By socket.
        self._looks_at: dict[str, str] = {}
        leases.on_change(self._viewing_elsewhere)
        channel.on(TYPING, self._heard_typing)

    async def start_typing(self, connection: ActingSocket, conversation_id: str) -> None:
        """Record that a tab's person types; repetitions within MINIMUM_SECONDS are dropped."""
        if connection.gone:
            return
        current = self._typing.get(connection.sid)
        if current and current.conversation_id == conversation_id:
            if monotonic() - current.told_at < MINIMUM_SECONDS:
                return
        elif current:
            await self.stop_typing(connection)
        self._typing[connection.sid] = _Typing(
            connection.sid, connection, conversation_id, monotonic()
        )
        await self._tell_typing("typing:start", connection, conversation_id)

    async def stop_typing(self, connection: ActingSocket) -> None:
        """Record that a tab's person has stopped typing."""
        current = self._typing.pop(connection.sid, None)
        if current is not None and not self._types_elsewhere(current):
            await self._tell_typing("typing:stop", connection, current.conversation_id)

    def typing(self, clinic_id: UUID) -> list[dict[str, Any]]:
        """The `typing:start` events in force in a clinic, for a tab that has just connected."""
        since = monotonic() - EXPIRE_SECONDS
        elsewhere = self._typing_elsewhere = {
            key: (event, told_at)
            for key, (event, told_at) in self._typing_elsewhere.items()
            if told_at > since
        }
        return [
            _event("typing:start", entry.connection, entry.conversation_id)
            for entry in self._typing.values()
            if entry.connection.identity.clinic_id == clinic_id and entry.told_at > since
        ] + [
            event for (its_clinic, _, _), (event, _) in elsewhere.items() if its_clinic == clinic_id
        ]

    async def look(self, connection: ActingSocket, conversation_id: str) -> None:
        """Record that a tab shows a conversation and its person can see it."""
        if connection.gone or self._looks_at.get(connection.sid) == conversation_id:
            return
        # All changes come before the first await: the tab may be gone after it.
        left = self._leave(connection)
        self._looks_at[connection.sid] = conversation_id
        place = (connection.identity.clinic_id, conversation_id)
        people = self._viewing.setdefault(place, {})
        tabs = people.setdefault(connection.identity.user_id, {})
        tabs[connection.sid] = connection
        first = len(tabs) == 1
        if left:
            await _tell(self._tell_viewing, "viewing:stop", connection, left)
        identity = connection.identity
        if first and self._leases.take(Place(*place), identity.user_id, identity.user_name):
            await _tell(self._tell_viewing, "viewing:start", connection, conversation_id)

    async def look_away(self, connection: ActingSocket) -> None:
        """Record that a tab shows no conversation any more, or that nobody can see it."""
        if left := self._leave(connection):
            await _tell(self._tell_viewing, "viewing:stop", connection, left)

    def _leave(self, connection: ActingSocket) -> str:
        """Remove a tab's viewing; return the conversation's id if no other tab has it, or "".

        Tabs of other processes count too.
        """
        conversation_id = self._looks_at.pop(connection.sid, "")
        if not conversation_id:
            return ""
        place = (connection.identity.clinic_id, conversation_id)
        people = self._viewing[place]
        tabs = people[connection.identity.user_id]
        del tabs[connection.sid]
        if tabs:
            return ""
        del people[connection.identity.user_id]
        if not people:
            del self._viewing[place]
        is_last = self._leases.release(Place(*place), connection.identity.user_id)
        return conversation_id if is_last else ""

    def viewers(self, clinic_id: UUID, conversation_id: str) -> list[dict[str, Any]]:
        """The `viewing:start` events of a clinic's conversation, one for each person."""
        here = self._viewing.get((clinic_id, conversation_id), {})
        elsewhere = self._leases.at(Place(clinic_id, conversation_id))
        return [
            _event("viewing:start", next(iter(tabs.values())), conversation_id)
            for tabs in here.values()
        ] + [
            _said("viewing:start", conversation_id, user_id, name)
            for user_id, name in elsewhere.items()
            if user_id not in here
        ]

    async def gone(self, connection: ActingSocket) -> None:
        """End the typing and viewing of a tab that is gone or shows another conversation."""
        await self.stop_typing(connection)
        await self.look_away(connection)

    async def _tell_typing(self, name: str, connection: ActingSocket, conversation_id: str) -> None:
        event = _event(name, connection, conversation_id)
        clinic_id = connection.identity.clinic_id
        self._channel.tell(TYPING, {"clinic": str(clinic_id), "event": event})
        await self._tell_clinic_typing(clinic_id, name, event)

    async def _heard_typing(self, _process: str, message: dict[str, Any]) -> None:
        clinic_id, event = UUID(message["clinic"]), message["event"]
        key = (clinic_id, event["conversationId"], event["userId"])
        if event["type"] == "typing:start":
            self._typing_elsewhere[key] = (event, monotonic())
        else:
            self._typing_elsewhere.pop(key, None)
        await self._tell_clinic_typing(clinic_id, event["type"], event)

    async def _viewing_elsewhere(
        self, place: Place, user_id: UUID, name: str, present: bool
    ) -> None:
        if place.name != ONLINE_PLACE:
            event = "viewing:start" if present else "viewing:stop"
            said = _said(event, place.name, user_id, name)
            await self._tell_viewing(place.clinic_id, event, said)

    def _types_elsewhere(self, gone: _Typing) -> bool:
        return any(
            entry.conversation_id == gone.conversation_id
            and entry.connection.identity.clinic_id == gone.connection.identity.clinic_id
            and entry.connection.identity.user_id == gone.connection.identity.user_id
            for entry in self._typing.values()
        )


async def _tell(tell: Tell, name: str, connection: ActingSocket, conversation_id: str) -> None:
    await tell(connection.identity.clinic_id, name, _event(name, connection, conversation_id))


def _event(name: str, connection: ActingSocket, conversation_id: str) -> dict[str, Any]:
    identity = connection.identity
    return _said(name, conversation_id, identity.user_id, identity.user_name)


def _said(name: str, conversation_id: str, user_id: UUID, user_name: str) -> dict[str, Any]:
    return {
        "type": name,
        "conversationId": conversation_id,
        "userId": str(user_id),
        "userName": user_name,
    }
