"""The short way from the web server to the sockets."""

from collections.abc import Callable

from reflex_base.constants import Endpoint
from socketio import AsyncServer
from starlette.types import ASGIApp, Receive, Scope, Send


class SocketEntrance:
    """ASGI middleware that takes websockets to the socket server and all else to `app`.

    Each layer of an application that a websocket goes through waits until it ends, and keeps
    half a kilobyte for as long; a dozen layers for HTTP have nothing to do for it. `prepare` sets
    what handlers find in the context of the connection's task.
    """

    def __init__(self, app: ASGIApp, sio: AsyncServer, prepare: Callable[[], object]) -> None:
        self._app = app
        self._sockets = sio
        self._prepare = prepare

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and scope["path"].rstrip("/") == str(Endpoint.EVENT):
            self._prepare()
            await self._sockets.handle_request(scope, receive, send)
        else:
            await self._app(scope, receive, send)
