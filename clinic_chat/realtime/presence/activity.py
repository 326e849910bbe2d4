"""Typing and viewing indicators: the people who type in or look at a conversation right now.

Nothing here is stored. A browser drops a `typing:start` by itself after EXPIRE_SECONDS, so a lost
`typing:stop` leaves nobody typing for ever (Rocket.Chat #14612).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import UUID

from clinic_chat.realtime.connections import Connection

EXPIRE_SECONDS = 6.0
# A browser repeats `typing:start` every two seconds; anything much faster is not a person.
MINIMUM_SECONDS = 0.5

Tell = Callable[[UUID, str, dict[str, Any]], Awaitable[None]]


@dataclass
class _Typing:
    sid: str
    connection: Connection
    conversation_id: str
    told_at: float


class Activity:
    """Tracks typing and viewing by clinic and conversation, and tells the clinic of changes."""

    def __init__(self, tell_typing: Tell, tell_viewing: Tell) -> None:
        self._tell_typing = tell_typing
        self._tell_viewing = tell_viewing
        # By socket.
        self._typing: dict[str, _Typing] = {}
        # (clinic, conversation) → person → socket: hundreds of tabs may show the same conversation.
        self._viewing: dict[tuple[UUID, str], dict[UUID, dict[str, Connection]]] = {}
        # By socket.
        self._looks_at: dict[str, str] = {}

    async def start_typing(self, connection: Connection, conversation_id: str) -> None:
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
        await _tell(self._tell_typing, "typing:start", connection, conversation_id)

    async def stop_typing(self, connection: Connection) -> None:
        """Record that a tab's person has stopped typing."""
        current = self._typing.pop(connection.sid, None)
        if current is not None and not self._types_elsewhere(current):
            await _tell(self._tell_typing, "typing:stop", connection, current.conversation_id)

    def typing(self, clinic_id: UUID) -> list[dict[str, Any]]:
        """The `typing:start` events in force in a clinic, for a tab that has just connected."""
        return [
            _event("typing:start", entry.connection, entry.conversation_id)
            for entry in self._typing.values()
            if entry.connection.identity.clinic_id == clinic_id
            and monotonic() - entry.told_at < EXPIRE_SECONDS
        ]

    async def look(self, connection: Connection, conversation_id: str) -> None:
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
        if first:
            await _tell(self._tell_viewing, "viewing:start", connection, conversation_id)

    async def look_away(self, connection: Connection) -> None:
        """Record that a tab shows no conversation any more, or that nobody can see it."""
        if left := self._leave(connection):
            await _tell(self._tell_viewing, "viewing:stop", connection, left)

    def _leave(self, connection: Connection) -> str:
        """Remove a tab's viewing; return the conversation's id if no other tab has it, or ""."""
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
        return conversation_id

    def viewers(self, clinic_id: UUID, conversation_id: str) -> list[dict[str, Any]]:
        """The `viewing:start` events of a clinic's conversation, one for each person."""
        return [
            _event("viewing:start", next(iter(tabs.values())), conversation_id)
            for tabs in self._viewing.get((clinic_id, conversation_id), {}).values()
        ]

    async def gone(self, connection: Connection) -> None:
        """End the typing and viewing of a tab that is gone or shows another conversation."""
        await self.stop_typing(connection)
        await self.look_away(connection)

    def _types_elsewhere(self, gone: _Typing) -> bool:
        return any(
            entry.conversation_id == gone.conversation_id
            and entry.connection.identity.clinic_id == gone.connection.identity.clinic_id
            and entry.connection.identity.user_id == gone.connection.identity.user_id
            for entry in self._typing.values()
        )


async def _tell(tell: Tell, name: str, connection: Connection, conversation_id: str) -> None:
    await tell(connection.identity.clinic_id, name, _event(name, connection, conversation_id))


def _event(name: str, connection: Connection, conversation_id: str) -> dict[str, Any]:
    return {
        "type": name,
        "conversationId": conversation_id,
        "userId": str(connection.identity.user_id),
        "userName": connection.identity.user_name,
    }
