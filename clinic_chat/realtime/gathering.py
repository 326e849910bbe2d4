"""Tells of people's comings and goings in few writes when many come at once."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from uuid import UUID

# Nobody waits for a dot beside a name, and after an outage hundreds of tabs come back at once:
# each telling goes to all of them.
GATHER_SECONDS = 0.2

Tell = Callable[[UUID, str, dict[str, Any]], Awaitable[None]]


class Gathering:
    """Passes on the first telling at once, and those of the next 0.2 s together after it.

    `call` runs what it is given in its turn. The order stays. For what may come late beside a
    snapshot that has it already: saying twice that somebody is there changes nothing.
    """

    def __init__(self, tell: Tell, call: Callable[[Callable[[], Awaitable[None]]], None]) -> None:
        self._tell = tell
        self._call = call
        self._waiting: list[tuple[UUID, str, dict[str, Any]]] | None = None

    async def tell(self, clinic_id: UUID, event: str, data: dict[str, Any]) -> None:
        """Tell a clinic, now or soon."""
        if self._waiting is not None:
            self._waiting.append((clinic_id, event, data))
            return
        self._wait()
        self._call(partial(self._tell, clinic_id, event, data))

    def _wait(self) -> None:
        self._waiting = []
        asyncio.get_running_loop().call_later(GATHER_SECONDS, self._pass_on)

    def _pass_on(self) -> None:
        waiting, self._waiting = self._waiting, None
        if not waiting:
            return
        self._wait()
        for telling in waiting:
            self._call(partial(self._tell, *telling))
