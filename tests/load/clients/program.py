"""A program in a clinic's namespace that has joined one conversation."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from tests.load.clients.connection import Connection, Refused
from tests.load.clients.tab import PATH, Audience


class Program(Connection):
    """One program; what it hears is noted as of a tab."""

    def __init__(
        self, host: str, clinic: str, token: str, conversation: str, audience: Audience
    ) -> None:
        super().__init__(host, PATH.format(token=uuid4()), f"/clinic/{clinic}")
        self.conversation = conversation
        self._token = token
        self._audience = audience

    async def open(self) -> None:
        """Connect, and join the conversation.

        Raises:
            Refused: it may not.
        """
        await super().open()
        answer = await self.ask("conversation:join", {"conversationId": self.conversation})
        if not answer["ok"]:
            raise Refused(answer["error"]["code"])

    def auth(self) -> Any:
        """The token."""
        return {"token": self._token}

    def heard(self, event: bytes, at: float) -> None:
        heard = self._audience.decode(event)
        if heard.name != "message:new":
            return
        message = self._audience.deliveries.find(heard.data["message"]["body"])
        if message is not None:
            message.stored_at = datetime.fromisoformat(heard.data["message"]["at"]).timestamp()
            message.received.append(at)
