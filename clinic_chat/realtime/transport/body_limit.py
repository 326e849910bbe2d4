"""Limits the size of the bodies that polling clients post to the socket endpoint."""

from http import HTTPStatus

from reflex_base.constants import Endpoint
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from clinic_chat.realtime.transport.socketio_server import MAX_FRAME_BYTES


class BoundedPolls:
    """ASGI middleware that refuses a polled body over MAX_FRAME_BYTES, or of unknown length.

    Engine.IO reads a whole body before it checks its length, and never answers a request whose
    body is too long.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if status := _refusal(scope):
            await Response(status_code=status)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _refusal(scope: Scope) -> HTTPStatus | None:
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    if not scope["path"].startswith(str(Endpoint.EVENT)):
        return None
    length = Headers(scope=scope).get("content-length", "")
    if not length.isdecimal():
        return HTTPStatus.LENGTH_REQUIRED
    # A number with more digits is too large without being converted.
    if len(length) > 12 or int(length) > MAX_FRAME_BYTES:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return None
