"""Keeps Reflex's state of each tab while it is connected and for a while after its loss."""

import asyncio
from time import monotonic
from typing import Any
from uuid import UUID

import reflex as rx

# Reflex drops the state of a tab that has sent nothing for so long. A closed tab's state should
# go soon; an open tab may be silent for hours.
STATE_SECONDS = 20
REFRESH_SECONDS = 5.0
# A tab that reconnects within this time, as after a meeting, has its search and filters unchanged.
LOST_SECONDS = 15 * 60.0
# Lost tabs kept for one session; those lost longest ago are dropped first.
MOST_LOST = 30

# The ids of a clinic and of a sign-in session in it.
Session = tuple[UUID, UUID]


class ReflexStates:
    """Keeps Reflex from dropping the states of connected and recently lost tabs."""

    def __init__(self, app: rx.App) -> None:
        self._app = app
        self._namespace: Any = app.event_namespace
        # By session: token → time until which its state is kept, in the order of loss.
        self._lost: dict[Session, dict[str, float]] = {}

    def lost(self, sid: str, session: Session) -> None:
        """Keep the state of a tab whose connection ended without a sign that the tab was closed."""
        token = self._namespace.sid_to_token.get(sid)
        if token is None:
            return
        tabs = self._lost.setdefault(session, {})
        tabs.pop(token, None)
        tabs[token] = monotonic() + LOST_SECONDS
        if len(tabs) > MOST_LOST:
            del tabs[next(iter(tabs))]

    async def run(self) -> None:
        """Refresh the kept states every REFRESH_SECONDS, until cancelled."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            await self.refresh()

    async def refresh(self) -> None:
        """Restart the time after which Reflex drops each kept state."""
        now = monotonic()
        kept = set(self._namespace.sid_to_token.values())
        for session, tabs in list(self._lost.items()):
            self._lost[session] = {token: until for token, until in tabs.items() if until > now}
            kept |= self._lost[session].keys()
            if not self._lost[session]:
                del self._lost[session]
        root: Any = self._app._state
        for token in kept:
            await self._app.state_manager.get_state(rx.BaseStateToken(ident=token, cls=root))
