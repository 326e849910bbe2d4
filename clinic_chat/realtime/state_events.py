"""State events on their way to Reflex: their size, the request it sees, and their completion."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid5

import orjson
import reflex as rx

# Characters of a page's path, which Reflex keeps for each tab and each route.
MAX_PATH = 512
MAX_ROUTER_BYTES = 4 * 1024
MAX_PAYLOAD_BYTES = 16 * 1024
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


def framework_request(token: str, session_id: UUID) -> dict[str, Any]:
    """The environ that Reflex gets for a request: only the tab's token, bound to its session.

    Reflex keeps a tab's state under a token that the browser chooses and keeps after a sign-out.
    Bound to the session, it opens no state of another person, clinic or session. The headers are
    left out: nothing needs them, and Reflex would keep them, with the cookie, for each tab. Without
    a token Reflex would log every event of the socket in full, so there is always one.
    """
    return {"QUERY_STRING": f"token={uuid5(session_id, token)}"}


def newest_event(app: rx.App) -> "asyncio.Future[Any] | None":
    """The future that is done once the event last handed to Reflex has been handled.

    Reflex keeps the futures in order of arrival but has no public access to them. For an event that
    replaced another or was refused, it may be None or the future of the event before.
    """
    futures = app.event_processor._futures
    return futures[next(reversed(futures))] if futures else None
