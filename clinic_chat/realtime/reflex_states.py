"""Keeps Reflex's state of each tab while it is connected, and a while longer when it is lost."""

import asyncio
from time import monotonic
from typing import Any
from uuid import UUID

import reflex as rx

# Reflex forgets the state of a tab that it has not heard of for so long. A closed tab's should
# go soon; an open one may be silent for hours.
STATE_SECONDS = 20
REFRESH_SECONDS = 5.0
# Whoever comes back from a lift or a meeting finds the search and the filters as they were.
LOST_SECONDS = 15 * 60.0
# Of one session; the ones lost longest ago are forgotten first.
MOST_LOST = 30

# A clinic and a sign-in session in it.
Session = tuple[UUID, UUID]


class ReflexStates:
    """Keeps the states of connected and recently lost tabs from being forgotten."""

    def __init__(self, app: rx.App) -> None:
        self._app = app
        self._namespace: Any = app.event_namespace
        # By session, the tabs' tokens in the order in which they were lost.
        self._lost: dict[Session, dict[str, float]] = {}

    def lost(self, sid: str, session: Session) -> None:
        """A tab's connection ended, and nothing said that the tab was closed."""
        token = self._namespace.sid_to_token.get(sid)
        if token is None:
            return
        tabs = self._lost.setdefault(session, {})
        tabs.pop(token, None)
        tabs[token] = monotonic() + LOST_SECONDS
        if len(tabs) > MOST_LOST:
            del tabs[next(iter(tabs))]

    async def run(self) -> None:
        """Refresh what is to be kept, until cancelled."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            await self.refresh()

    async def refresh(self) -> None:
        """Have Reflex count each kept state's time from now on."""
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
