"""What people are doing in conversations right now: typing in them, looking at them.

Nothing here is stored. Whoever receives `typing:start` forgets it by itself after
EXPIRE_SECONDS, so a lost stop leaves nobody typing for ever (Rocket.Chat #14612).
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
    caller: Connection
    conversation_id: str
    told_at: float


class Activity:
    """Who types in and who looks at which conversation of which clinic."""

    def __init__(self, tell_typing: Tell, tell_viewing: Tell) -> None:
        self._tell_typing = tell_typing
        self._tell_viewing = tell_viewing
        # By socket.
        self._typing: dict[str, _Typing] = {}
        # By clinic and conversation, and person, because hundreds of tabs may show the same one.
        self._viewing: dict[tuple[UUID, str], dict[UUID, dict[str, Connection]]] = {}
        # By socket.
        self._looks_at: dict[str, str] = {}

    async def start_typing(self, caller: Connection, conversation_id: str) -> None:
        """A tab's person writes in a conversation; repetitions within half a second are dropped."""
        if caller.gone:
            return
        current = self._typing.get(caller.sid)
        if current and current.conversation_id == conversation_id:
            if monotonic() - current.told_at < MINIMUM_SECONDS:
                return
        elif current:
            await self.stop_typing(caller)
        self._typing[caller.sid] = _Typing(caller.sid, caller, conversation_id, monotonic())
        await _tell(self._tell_typing, "typing:start", caller, conversation_id)

    async def stop_typing(self, caller: Connection) -> None:
        """A tab's person does not write any more."""
        current = self._typing.pop(caller.sid, None)
        if current is not None and not self._types_elsewhere(current):
            await _tell(self._tell_typing, "typing:stop", caller, current.conversation_id)

    def typing(self, clinic_id: UUID) -> list[dict[str, Any]]:
        """Who types in the clinic, for a tab that has just come."""
        return [
            _event("typing:start", entry.caller, entry.conversation_id)
            for entry in self._typing.values()
            if entry.caller.identity.clinic_id == clinic_id
            and monotonic() - entry.told_at < EXPIRE_SECONDS
        ]

    async def look(self, caller: Connection, conversation_id: str) -> None:
        """A tab shows a conversation and its person can see it."""
        if caller.gone or self._looks_at.get(caller.sid) == conversation_id:
            return
        # All of it before anything is told: the tab may be gone when the telling is done.
        left = self._leave(caller)
        self._looks_at[caller.sid] = conversation_id
        place = (caller.identity.clinic_id, conversation_id)
        people = self._viewing.setdefault(place, {})
        tabs = people.setdefault(caller.identity.user_id, {})
        tabs[caller.sid] = caller
        first = len(tabs) == 1
        if left:
            await _tell(self._tell_viewing, "viewing:stop", caller, left)
        if first:
            await _tell(self._tell_viewing, "viewing:start", caller, conversation_id)

    async def look_away(self, caller: Connection) -> None:
        """A tab shows no conversation any more, or nobody can see it."""
        if left := self._leave(caller):
            await _tell(self._tell_viewing, "viewing:stop", caller, left)

    def _leave(self, caller: Connection) -> str:
        """The conversation that this person looks at in no tab any more, or ""."""
        conversation_id = self._looks_at.pop(caller.sid, "")
        if not conversation_id:
            return ""
        place = (caller.identity.clinic_id, conversation_id)
        people = self._viewing[place]
        tabs = people[caller.identity.user_id]
        del tabs[caller.sid]
        if tabs:
            return ""
        del people[caller.identity.user_id]
        if not people:
            del self._viewing[place]
        return conversation_id

    def viewers(self, clinic_id: UUID, conversation_id: str) -> list[dict[str, Any]]:
        """Who looks at a clinic's conversation, each person once."""
        return [
            _event("viewing:start", next(iter(tabs.values())), conversation_id)
            for tabs in self._viewing.get((clinic_id, conversation_id), {}).values()
        ]

    async def gone(self, caller: Connection) -> None:
        """A tab is gone or shows another conversation, and with that ends whatever it did."""
        await self.stop_typing(caller)
        await self.look_away(caller)

    def _types_elsewhere(self, gone: _Typing) -> bool:
        return any(
            entry.conversation_id == gone.conversation_id
            and entry.caller.identity.clinic_id == gone.caller.identity.clinic_id
            and entry.caller.identity.user_id == gone.caller.identity.user_id
            for entry in self._typing.values()
        )


async def _tell(tell: Tell, name: str, caller: Connection, conversation_id: str) -> None:
    await tell(caller.identity.clinic_id, name, _event(name, caller, conversation_id))


def _event(name: str, caller: Connection, conversation_id: str) -> dict[str, Any]:
    return {
        "type": name,
        "conversationId": conversation_id,
        "userId": str(caller.identity.user_id),
        "userName": caller.identity.user_name,
    }
