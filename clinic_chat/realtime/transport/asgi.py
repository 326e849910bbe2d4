"""Routes websockets from the web server straight to the socket server."""

from collections.abc import Callable

from reflex_base.constants import Endpoint
from socketio import AsyncServer
from starlette.types import ASGIApp, Receive, Scope, Send


class SocketEntrance:
    """ASGI middleware that passes websockets to the socket server and everything else to `app`.

    Each ASGI layer that a websocket passes waits until it ends and takes half a kilobyte for as
    long, and the dozen layers of the application do nothing for it. `prepare` sets the context
    variables that handlers find in the connection's task.
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
