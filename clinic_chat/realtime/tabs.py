"""What Reflex keeps of tabs: while they are there, and a while longer of those that were lost."""

import asyncio
from time import monotonic
from typing import Any

import reflex as rx

# Reflex forgets the state of a tab that it has not heard of for so long. A closed tab's should
# go soon; an open one may be silent for hours.
STATE_SECONDS = 20
REFRESH_SECONDS = 5.0
# Whoever comes back from a lift or a meeting finds the search and the filters as they were.
LOST_SECONDS = 15 * 60.0


class TabStates:
    """Keeps the states of connected and recently lost tabs from being forgotten."""

    def __init__(self, app: rx.App) -> None:
        self._app = app
        self._namespace: Any = app.event_namespace
        self._lost: dict[str, float] = {}

    def lost(self, sid: str) -> None:
        """A tab's connection ended, and nothing said that the tab was closed."""
        token = self._namespace.sid_to_token.get(sid)
        if token is not None:
            self._lost[token] = monotonic() + LOST_SECONDS

    async def run(self) -> None:
        """Refresh what is to be kept, until cancelled."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            await self.refresh()

    async def refresh(self) -> None:
        """Have Reflex count each kept state's time from now on."""
        now = monotonic()
        self._lost = {token: until for token, until in self._lost.items() if until > now}
        root: Any = self._app._state
        for token in {*self._namespace.sid_to_token.values(), *self._lost}:
            await self._app.state_manager.get_state(rx.BaseStateToken(ident=token, cls=root))
