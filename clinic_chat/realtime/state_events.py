"""State events on their way to Reflex: their size, the request it sees, and their completion."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any
from uuid import UUID, uuid5

import orjson
import reflex as rx
from reflex_base.constants import CompileVars

from clinic_chat.metrics.sockets import STATE_EVENT_SECONDS
from clinic_chat.realtime.admission.pace import EventTurns

# Characters of a page's path, which Reflex keeps for each tab and each route.
MAX_PATH = 512
MAX_ROUTER_BYTES = 4 * 1024
MAX_PAYLOAD_BYTES = 16 * 1024
# What the front end says of its build.
MAX_SCHEMA = 64
FIELDS = ("name", "payload", "router_data")


def bounded(event: dict[str, Any]) -> dict[str, Any] | None:
    """The event reduced to `FIELDS`, or None when a part of it is too long."""
    router = event.get("router_data") or {}
    path = router.get("pathname")
    if path is not None and (not isinstance(path, str) or len(path) > MAX_PATH):
        return None
    if size(router) > MAX_ROUTER_BYTES or size(event.get("payload")) > MAX_PAYLOAD_BYTES:
        return None
    return {name: event[name] for name in FIELDS if name in event}


def size(value: object) -> int:
    """The size of a value from a client's JSON in bytes of JSON; too much if nested too deeply."""
    try:
        return len(orjson.dumps(value))
    except TypeError:
        # orjson refuses numbers over 64 bits, lone surrogates and very deep nesting.
        try:
            return len(json.dumps(value))
        except RecursionError:
            return MAX_PAYLOAD_BYTES + 1


def only_framework(auth: object, acceptable: Callable[[Any], dict[str, Any] | None]) -> Any:
    """What Reflex learns of what a tab says at its connect; its first event when `acceptable`."""
    if not isinstance(auth, dict):
        return None
    kept: dict[str, Any] = {}
    schema = auth.get(CompileVars.CONNECT_AUTH_STATE_SCHEMA)
    if isinstance(schema, str) and len(schema) <= MAX_SCHEMA:
        kept[CompileVars.CONNECT_AUTH_STATE_SCHEMA] = schema
    event = acceptable(auth.get(CompileVars.CONNECT_AUTH_EVENT))
    if event is not None:
        kept[CompileVars.CONNECT_AUTH_EVENT] = event
    return kept


def short_name(event: dict[str, Any]) -> str:
    """The handler of an event that was let in, without the states that it stands in."""
    name: str = event["name"]
    return name.rpartition(".")[2]


def framework_request(token: str, session_id: UUID) -> dict[str, Any]:
    """The environ that Reflex gets for a request: only the tab's token, bound to its session.

    Reflex keeps a tab's state under a token that the browser chooses and keeps after a sign-out.
    Bound to the session, it opens no state of another person, clinic or session. The headers are
    left out: nothing needs them, and Reflex would keep them, with the cookie, for each tab. Without
    a token Reflex would log every event of the socket in full, so there is always one.
    """
    return {"QUERY_STRING": f"token={uuid5(session_id, token)}"}


async def in_turn(turns: EventTurns, app: rx.App, begin: Callable[[], Awaitable[Any]]) -> None:
    """Begin a state event when it is its person's turn; the turn ends with the event."""
    await turns.take()
    begun = perf_counter()

    def ended(_event: object) -> None:
        STATE_EVENT_SECONDS.observe(perf_counter() - begun)
        turns.give()

    try:
        await begin()
        event = newest_event(app)
    except BaseException:
        turns.give()
        raise
    if event is None:
        turns.give()
    else:
        event.add_done_callback(ended)


def newest_event(app: rx.App) -> "asyncio.Future[Any] | None":
    """The future that is done once the event last handed to Reflex has been handled.

    Reflex keeps the futures in order of arrival but has no public access to them. For an event that
    replaced another or was refused, it may be None or the future of the event before.
    """
    futures = app.event_processor._futures
    return futures[next(reversed(futures))] if futures else None
