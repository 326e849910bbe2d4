"""Coalesces presence broadcasts when many people come or go at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import structlog

# After an outage hundreds of tabs reconnect at once, and each broadcast goes to all of them; the
# delay of a presence indicator does not matter.
COALESCE_SECONDS = 0.2

log = structlog.get_logger(__name__)

Tell = Callable[[UUID, str, dict[str, Any]], Awaitable[None]]


class Coalescer:
    """Sends the first broadcast at once and those of the next 0.2 s together, in order.

    Only for idempotent events, because a snapshot may already contain them.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._waiting: list[tuple[UUID, str, dict[str, Any]]] | None = None
        self._telling: asyncio.Task[None] | None = None

    async def tell(self, clinic_id: UUID, event: str, data: dict[str, Any]) -> None:
        """Send an event to a clinic, now or with the next batch."""
        if self._waiting is not None:
            self._waiting.append((clinic_id, event, data))
            return
        self._waiting = []
        self._open()
        await self._tell(clinic_id, event, data)

    def flush(self) -> bool:
        """Send the waiting events in a task; return whether there were any."""
        waiting, self._waiting = self._waiting, None
        if not waiting:
            return False
        self._waiting = []
        self._telling = asyncio.create_task(self._tell_all(waiting))
        return True

    def _open(self) -> None:
        asyncio.get_running_loop().call_later(COALESCE_SECONDS, self.flush)

    async def _tell_all(self, waiting: list[tuple[UUID, str, dict[str, Any]]]) -> None:
        for telling in waiting:
            try:
                await self._tell(*telling)
            except Exception as failure:
                log.error("coalescing.failed", exc_info=failure)
        self._open()
