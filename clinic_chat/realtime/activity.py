"""What people are doing in conversations right now: typing in them, looking at them.

Nothing here is stored. Whoever receives `typing:start` forgets it by itself after
EXPIRE_SECONDS, so a lost stop leaves nobody typing for ever (Rocket.Chat #14612).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import UUID

from clinic_chat.realtime.callers import Caller

EXPIRE_SECONDS = 6.0
# A browser repeats `typing:start` every two seconds; anything much faster is not a person.
MINIMUM_SECONDS = 0.5

Tell = Callable[[UUID, str, dict[str, Any]], Awaitable[None]]


@dataclass
class _Typing:
    sid: str
    caller: Caller
    conversation_id: str
    told_at: float


class Activity:
    """Who types in and who looks at which conversation of which clinic."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._typing: dict[str, _Typing] = {}
        self._viewing: dict[str, dict[str, Caller]] = {}

    async def start_typing(self, caller: Caller, conversation_id: str) -> None:
        """A tab's person writes in a conversation; repetitions within half a second are dropped."""
        current = self._typing.get(caller.sid)
        if current and current.conversation_id == conversation_id:
            if monotonic() - current.told_at < MINIMUM_SECONDS:
                return
        elif current:
            await self.stop_typing(caller)
        self._typing[caller.sid] = _Typing(caller.sid, caller, conversation_id, monotonic())
        await self._tell_clinic("typing:start", caller, conversation_id)

    async def stop_typing(self, caller: Caller) -> None:
        """A tab's person does not write any more."""
        current = self._typing.pop(caller.sid, None)
        if current is not None and not self._types_elsewhere(current):
            await self._tell_clinic("typing:stop", caller, current.conversation_id)

    def typing(self, clinic_id: UUID) -> list[dict[str, Any]]:
        """Who types in the clinic, for a tab that has just come."""
        return [
            _event("typing:start", entry.caller, entry.conversation_id)
            for entry in self._typing.values()
            if entry.caller.identity.clinic_id == clinic_id
            and monotonic() - entry.told_at < EXPIRE_SECONDS
        ]

    async def look(self, caller: Caller, conversation_id: str) -> None:
        """A tab shows a conversation and its person can see it."""
        await self.look_away(caller, unless=conversation_id)
        tabs = self._viewing.setdefault(conversation_id, {})
        if caller.sid in tabs:
            return
        known = self._sees(conversation_id, caller)
        tabs[caller.sid] = caller
        if not known:
            await self._tell_clinic("viewing:start", caller, conversation_id)

    async def look_away(self, caller: Caller, *, unless: str = "") -> None:
        """A tab shows no conversation any more, or nobody can see it."""
        for conversation_id, tabs in list(self._viewing.items()):
            if conversation_id == unless or tabs.pop(caller.sid, None) is None:
                continue
            if not tabs:
                del self._viewing[conversation_id]
            if not self._sees(conversation_id, caller):
                await self._tell_clinic("viewing:stop", caller, conversation_id)

    def viewers(self, conversation_id: str) -> list[dict[str, Any]]:
        """Who looks at a conversation, each person once."""
        people = {
            caller.identity.user_id: caller
            for caller in self._viewing.get(conversation_id, {}).values()
        }
        return [_event("viewing:start", caller, conversation_id) for caller in people.values()]

    async def gone(self, caller: Caller) -> None:
        """A tab is gone or shows another conversation, and with that ends whatever it did."""
        await self.stop_typing(caller)
        await self.look_away(caller)

    def _types_elsewhere(self, gone: _Typing) -> bool:
        return any(
            entry.conversation_id == gone.conversation_id
            and entry.caller.identity.user_id == gone.caller.identity.user_id
            for entry in self._typing.values()
        )

    def _sees(self, conversation_id: str, caller: Caller) -> bool:
        return any(
            other.identity.user_id == caller.identity.user_id
            for other in self._viewing.get(conversation_id, {}).values()
        )

    async def _tell_clinic(self, name: str, caller: Caller, conversation_id: str) -> None:
        await self._tell(caller.identity.clinic_id, name, _event(name, caller, conversation_id))


def _event(name: str, caller: Caller, conversation_id: str) -> dict[str, Any]:
    return {
        "type": name,
        "conversationId": conversation_id,
        "userId": str(caller.identity.user_id),
        "userName": caller.identity.user_name,
    }
