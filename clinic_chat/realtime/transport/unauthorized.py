"""Refuses handshakes without a live session so that the page learns the reason; keeps nothing.

A browser hides from a page the HTTP status with which a websocket was refused. So the handshake is
answered and the connect to the namespace refused, which pages get as `connect_error`.
"""

import asyncio
import json
from typing import Any

from engineio.packet import Packet
from reflex_base.constants import Endpoint
from starlette.responses import PlainTextResponse

from clinic_chat.realtime.admission.visitor import UNAUTHORIZED, UNAVAILABLE
from clinic_chat.realtime.transport.polling import opening
from clinic_chat.web.refusals import count_refusal

# The page connects to the namespace as soon as it has the open packet.
WAIT_SECONDS = 5.0


class Strangers:
    """Refuses handshakes; the Engine.IO id given to a polling client is the message itself."""

    sids = frozenset({UNAUTHORIZED, UNAVAILABLE})

    def __init__(self, server: Any) -> None:
        self._server = server

    async def answer(self, message: str, environ: dict[str, Any], transport: str) -> Any:
        """Answer a handshake; a websocket is served until its end."""
        count_refusal("socket.refused", reason=message)
        greeting: Packet = opening(self._server, message)
        if transport != "websocket":
            return self._server._ok([greeting])
        send, receive = environ["asgi.send"], environ["asgi.receive"]
        subprotocol = next(iter(environ["asgi.scope"]["subprotocols"]), None)
        await send({"type": "websocket.accept", "subprotocol": subprotocol})
        await send({"type": "websocket.send", "text": greeting.encode()})
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                said = await receive()
        except TimeoutError:
            said = {"type": "websocket.receive"}
        if said["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": _refusal(message)})
            await send({"type": "websocket.close"})
        return ""

    async def poll(self, sid: str, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request of a polling client with one of the ids."""
        text = _refusal(sid) if scope["method"] == "GET" else "ok"
        answer = PlainTextResponse(text, headers={"Cache-Control": "no-store"})
        await answer(scope, receive, send)


def _refusal(message: str) -> str:
    """A CONNECT_ERROR packet of Socket.IO in an Engine.IO message."""
    return f"44{Endpoint.EVENT},{json.dumps({'message': message})}"
