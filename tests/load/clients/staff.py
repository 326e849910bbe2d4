"""What staff do in their tabs: send, type, and say how far they have read."""

import asyncio
from collections.abc import Coroutine
from time import time
from typing import Any

from tests.load.clients.deliveries import Message
from tests.load.clients.program import Program
from tests.load.clients.tab import Audience, Tab


class Staff:
    """Acts in tabs without waiting for the answers; refusals are faults of the run."""

    def __init__(self, audience: Audience) -> None:
        self._audience = audience
        self._under_way: set[asyncio.Task[Any]] = set()
        self._sent = 0

    def send(self, tab: Tab | Program, message: Message, text: str) -> None:
        """Answer the patient of the tab's conversation."""
        self.do(self.sent(tab, message, text))

    def do(self, work: Coroutine[Any, Any, Any]) -> None:
        """Let it happen; it is kept until it is done."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def finish(self) -> None:
        """Return when everything that was begun is done."""
        await asyncio.gather(*self._under_way)

    async def sent(self, tab: Tab | Program, message: Message, text: str) -> str:
        """Answer the patient and wait until that is stored; the message's id, or ""."""
        self._sent += 1
        answer = await self.asked(
            tab,
            "message:send",
            {
                "conversationId": tab.conversation,
                "body": text,
                "clientId": f"load-{message.sent_at}-{self._sent}",
            },
        )
        if "error" in answer:
            return ""
        message.answered_at = time()
        return str(answer["message"]["id"])

    async def asked(self, tab: Tab | Program, act: str, data: dict[str, Any]) -> dict[str, Any]:
        """What the server answers to an act."""
        answer: dict[str, Any] = await tab.ask(act, data)
        if "error" in answer:
            self._audience.faults[answer["error"]["code"]] += 1
        return answer
