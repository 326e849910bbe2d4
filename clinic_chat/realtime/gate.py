"""Middleware that blocks state events without a live session or permission: deny by default.

Reflex lets any client call any public method of any state. Only handlers marked `exposed` and the
few of Reflex's own that a page load needs are let through, and only for a socket whose session is
live. It runs before hydrate (docs/security.md, "Rules").
"""

from collections.abc import Callable, Iterable
from typing import Any

import reflex as rx
import structlog
from reflex.app import App
from reflex.event import Event
from reflex.state import BaseState, State, StateUpdate
from reflex_base.constants.route import RouteVar
from reflex_base.utils.format import format_event_handler

from clinic_chat.realtime.connections import Connections, set_current_connection
from clinic_chat.web.refusals import count_refusal

# The events of a page load and of navigation; `set_is_hydrated` ends their chain.
FRAMEWORK_EVENTS = (
    "reflex___state____state.hydrate",
    "reflex___state____state.hydrate_and_load",
    "reflex___state____state.set_is_hydrated",
    "reflex___state____state.reflex___state____on_load_internal_state.on_load_internal",
    "reflex___state____state.reflex___state____on_load_internal_state.set_is_hydrated",
)
_MARK = "_clinic_chat_exposed"

log = structlog.get_logger(__name__)


def exposed(handler: Callable[..., Any]) -> Any:
    """Mark a state method as an event that browsers may send."""
    setattr(handler, _MARK, True)
    return rx.event(handler)


def exposed_events(states: Iterable[type[State]]) -> frozenset[str]:
    """The full names of the events of these states that browsers may send."""
    return frozenset(
        format_event_handler(handler)
        for state in states
        for handler in state.event_handlers.values()
        if getattr(handler.fn, _MARK, False)
    )


def well_formed(data: object, allowed: frozenset[str]) -> bool:
    """Whether `data` is an event that a page may send: its name is allowed, its parts objects.

    Reflex logs an event that it cannot parse in full, with the cookie and the text typed, so such
    an event must not reach it.
    """
    match data:
        case {"name": str() as name, **rest}:
            parts = (rest.get("payload"), rest.get("router_data"))
            known = name in allowed or name in FRAMEWORK_EVENTS
            return known and all(isinstance(part, dict | None) for part in parts)
    return False


class Gate(rx.Middleware):
    """Blocks every event that is not allowed, and sets the current connection for handlers."""

    def __init__(
        self,
        connections: Connections,
        allowed: frozenset[str],
        on_dead_session: Callable[[str], Any],
        by_itself: frozenset[str] = frozenset(),
    ) -> None:
        """`by_itself` names the events that a page also sends without any action of its person."""
        self._connections = connections
        self._by_itself = by_itself.union(FRAMEWORK_EVENTS)
        self._allowed = allowed | frozenset(FRAMEWORK_EVENTS)
        self._on_dead_session = on_dead_session

    async def preprocess(self, app: App, state: BaseState, event: Event) -> StateUpdate | None:
        """None to let the event through, or an empty update to block it."""
        sid = state.router_data.get(RouteVar.SESSION_ID)
        if event.name not in self._allowed:
            count_refusal("gate.unknown_event")
            return StateUpdate()
        connection = await self._connections.live(sid)
        if connection is None:
            if sid:
                await self._on_dead_session(sid)
            return StateUpdate()
        if event.name not in self._by_itself:
            connection.note_activity()
        set_current_connection(connection)
        return None
