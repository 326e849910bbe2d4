"""Rules for HTTP requests to the socket endpoint, checked before the library sees them."""

from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from starlette.responses import Response

MAX_QUERY_BYTES = 1_024
MAX_FIELDS = 10
RETRY_SECONDS = "5"


class Unacceptable(Exception):
    """A request that is refused with an HTTP status; the reason is a fixed word for the log."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def check(scope: Any) -> str | None:
    """The Engine.IO id in the request's query, or None for a handshake.

    Raises:
        Unacceptable: the query is too long or malformed, or asks for JSONP or an upgrade.
    """
    query: bytes = scope.get("query_string", b"")
    if len(query) > MAX_QUERY_BYTES:
        raise Unacceptable(HTTPStatus.REQUEST_URI_TOO_LONG, "query_too_long")
    try:
        fields = parse_qs(query.decode("ascii"), max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Unacceptable(HTTPStatus.BAD_REQUEST, "query") from None
    # A script of any other page could read a JSONP answer.
    if "j" in fields:
        raise Unacceptable(HTTPStatus.BAD_REQUEST, "jsonp")
    transport = fields.get("transport")
    if transport not in (["polling"], ["websocket"]):
        raise Unacceptable(HTTPStatus.BAD_REQUEST, "transport")
    if "sid" not in fields:
        return None
    if scope["type"] != "http" or transport != ["polling"]:
        raise Unacceptable(HTTPStatus.BAD_REQUEST, "upgrade")
    return fields["sid"][0]


def tab_token(scope: Any) -> str:
    """The token that the tab chose for itself, from the request's query, or ""."""
    query: bytes = scope.get("query_string", b"")
    return parse_qs(query.decode("ascii", errors="replace")).get("token", [""])[0]


async def refuse(status: int, scope: Any, receive: Any, send: Any) -> None:
    """Answer a request, or a websocket's handshake, with nothing but a status."""
    headers = {"Cache-Control": "no-store"}
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        headers["Retry-After"] = RETRY_SECONDS
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get(
        "extensions", {}
    ):
        await send({"type": "websocket.close"})
        return
    await Response(status_code=status, headers=headers)(scope, receive, send)
