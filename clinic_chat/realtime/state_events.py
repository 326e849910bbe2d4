"""State events of the pages: their size, how many at a time, and whose turn it is."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid5

import orjson
import reflex as rx

# What the address of a page is, which Reflex keeps for each tab and each route.
MAX_PATH = 512
MAX_ROUTER_BYTES = 4 * 1024
MAX_PAYLOAD_BYTES = 16 * 1024
FIELDS = ("name", "payload", "router_data")


def bounded(event: dict[str, Any]) -> dict[str, Any] | None:
    """What is kept of an event, or None when a part of it is too long."""
    router = event.get("router_data") or {}
    path = router.get("pathname")
    if path is not None and (not isinstance(path, str) or len(path) > MAX_PATH):
        return None
    if size(router) > MAX_ROUTER_BYTES or size(event.get("payload")) > MAX_PAYLOAD_BYTES:
        return None
    return {name: event[name] for name in FIELDS if name in event}


def size(value: object) -> int:
    """How many bytes a value from a client's JSON takes as JSON."""
    try:
        return len(orjson.dumps(value))
    except TypeError:
        # Numbers over 64 bits, half characters and what is nested very deeply.
        try:
            return len(json.dumps(value))
        except RecursionError:
            return MAX_PAYLOAD_BYTES + 1


def framework_request(token: str, session_id: UUID) -> dict[str, Any]:
    """What Reflex learns of a request: only the tab's token, bound to its session.

    Reflex keeps a tab's state under a token that the browser chooses and keeps beyond a
    sign-out. Bound, it opens no state of another person, clinic or session. The headers would
    be kept for each tab, the cookie among them, and nothing here asks Reflex for them. Of a
    socket without a token Reflex logs every event whole, so there is always one.
    """
    return {"QUERY_STRING": f"token={uuid5(session_id, token)}"}


def newest_event(app: rx.App) -> "asyncio.Future[Any] | None":
    """What is done when the event that Reflex was handed last has been handled.

    Reflex keeps it in the order in which events came, and tells nobody. Of an event that
    replaced another or was refused it may be None, or the one before.
    """
    futures = app.event_processor._futures
    return futures[next(reversed(futures))] if futures else None
