"""A colleague's open tab without a browser: quick, and it does exactly what it is told."""

from functools import partial
from typing import Any, Self

from tests.support.servers.server import Reached
from tests.support.socket_client import Wire, follows

_SNAPSHOT = '"kind":"snapshot"'


def _is_snapshot(feed: str, frame: str) -> bool:
    return _SNAPSHOT in frame and feed in frame


class Colleague:
    """Someone of the clinic with a conversation open and the list beside it."""

    def __init__(self, wire: Wire, conversation_id: str) -> None:
        self.wire = wire
        self._here = {"conversationId": conversation_id}

    @classmethod
    async def sits_down(cls, server: Reached, cookie: str, conversation_id: str) -> Self:
        """Open the list and the conversation, and wait until both are there."""
        wire = await Wire.join(server, cookie, follows(conversation_id))
        for feed in ("conversations", "messages"):
            await wire.wait_for(partial(_is_snapshot, feed))
        return cls(wire, conversation_id)

    async def does(self, event: str, **data: object) -> dict[str, Any]:
        """Send an event about the conversation; the server's answer."""
        answer: dict[str, object] = await self.wire.ask(event, {**self._here, **data})
        return answer

    async def types(self) -> None:
        """Press a key."""
        assert await self.does("typing:start") == {"ok": True}

    async def stops(self) -> None:
        """Type no more."""
        assert await self.does("typing:stop") == {"ok": True}

    async def leaves(self) -> None:
        """Close the tab."""
        await self.wire.close()

    def heard(self, event: str) -> int:
        """How often the server told this."""
        return sum(f'["{event}",' in frame for frame in self.wire.frames)

    async def hears(self, event: str, times: int = 1) -> None:
        """Return when the server has told this so often."""
        await self.wire.wait_for(lambda _frame: self.heard(event) >= times)
