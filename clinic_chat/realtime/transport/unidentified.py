"""Handshakes without a session: a program shows its token as it connects, all others are refused.

A token comes in Socket.IO's connect packet, which follows the handshake. So the handshake is
answered, and the client that shows none is refused as it connects to a namespace. Browsers hide
from a page the HTTP status with which a websocket was refused, so our pages learn their reason in
the same way.
"""

import asyncio
import json
from collections import OrderedDict
from dataclasses import dataclass, field
from http import HTTPStatus
from time import monotonic
from typing import Any

from engineio.packet import Packet
from reflex_base.constants import Endpoint
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse

from clinic_chat.realtime.admission.programs import (
    ProgramRefused,
    is_public,
    namespace_and_auth,
)
from clinic_chat.realtime.admission.visitor import TooMany, Visitor
from clinic_chat.realtime.transport import packets
from clinic_chat.realtime.transport.polling import SEPARATOR, opening
from clinic_chat.realtime.transport.uvicorn.websocket_protocol import EXTENSION
from clinic_chat.web.refusals import count_refusal

# A client connects to its namespace as soon as it has the open packet.
WAIT_SECONDS = 5.0
# Handshakes of polling clients that have not connected yet; the oldest are forgotten first.
MAX_WAITING = 1_000
MAX_FIRST_BYTES = 16 * 1024
CONNECT_PACKET = "40"
TOO_MANY = "too many connections"
DEFAULT_NAMESPACE = str(Endpoint.EVENT)


@dataclass(slots=True)
class _Waiting:
    """A polling client's handshake; `refusal` is the packet that ends it."""

    reason: str
    until: float
    refusal: str = ""
    taken: bool = False
    """Whether a first packet has come, which decides."""
    polled: bool = False
    """Whether a poll of it is waiting."""
    ended: bool = False
    """Whether it broke the protocol."""
    decided: asyncio.Event = field(default_factory=asyncio.Event)


class Unidentified:
    """The handshakes without a session of one Engine.IO server."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()

    def __contains__(self, sid: object) -> bool:
        """Whether a polling client with this id has not connected to a namespace yet."""
        return sid in self._waiting

    async def answer(self, reason: str, environ: dict[str, Any], transport: str) -> Any:
        """Answer a handshake; a websocket is served until its end.

        `reason` is why it has no session, which is told to whom shows no token either.
        """
        sid = self._server.generate_id()
        greeting: Packet = opening(self._server, sid)
        if transport != "websocket":
            if len(self._waiting) >= MAX_WAITING:
                self._waiting.popitem(last=False)
            self._waiting[sid] = _Waiting(reason, monotonic() + WAIT_SECONDS)
            # Twice the time, so that a poll under way finds its own end.
            loop = asyncio.get_running_loop()
            loop.call_later(2 * WAIT_SECONDS, self._waiting.pop, sid, None)
            return self._server._ok([greeting])
        send, receive = environ["asgi.send"], environ["asgi.receive"]
        scope = environ["asgi.scope"]
        subprotocol = next(iter(scope["subprotocols"]), None)
        await send({"type": "websocket.accept", "subprotocol": subprotocol})
        await send({"type": "websocket.send", "text": greeting.encode()})
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                said = await receive()
        except TimeoutError:
            said = {"type": "websocket.receive"}
        if said["type"] != "websocket.receive":
            count_refusal("socket.refused", reason=reason)
            return ""
        first = said.get("text") or ""
        if len(first) > MAX_FIRST_BYTES:
            first = ""
        # Only our own websockets can go on here; other servers' are the development server's.
        visitor = await self._admit(scope, first, reason, can=EXTENSION in scope["extensions"])
        if isinstance(visitor, Visitor):
            await self._server.serve_program(sid, environ, visitor, first)
            return ""
        await send({"type": "websocket.send", "text": visitor})
        await send({"type": "websocket.close"})
        return ""

    async def poll(self, sid: Any, scope: Any, receive: Any, send: Any) -> bool:
        """Answer a polling client's request; False if it is for the socket that it has by now."""
        waiting = self._waiting[sid]
        if scope["method"] not in ("GET", "POST"):
            return False
        if not self._server.is_origin_allowed(scope):
            await _say("", scope, receive, send, HTTPStatus.BAD_REQUEST)
            return True
        if scope["method"] == "POST":
            await self._take_first(sid, waiting, scope, receive, send)
            return True
        if waiting.polled:
            # Engine.IO's protocol: a second poll at the same time ends the connection.
            self._waiting.pop(sid, None)
            waiting.ended = True
            waiting.decided.set()
            await _say("", scope, receive, send, HTTPStatus.BAD_REQUEST)
            return True
        waiting.polled = True
        try:
            async with asyncio.timeout(max(0.0, waiting.until - monotonic())):
                await waiting.decided.wait()
        except TimeoutError:
            if waiting.taken:
                await waiting.decided.wait()
            else:
                waiting.ended = waiting.taken = True
                count_refusal("socket.refused", reason=waiting.reason)
                waiting.refusal = refusal_packet("", waiting.reason)
        self._waiting.pop(sid, None)
        if waiting.ended and not waiting.refusal:
            await _say(packets.CLOSE, scope, receive, send)
            return True
        if not waiting.refusal:
            return False
        await _say(waiting.refusal, scope, receive, send)
        return True

    async def _take_first(
        self, sid: str, waiting: _Waiting, scope: Any, receive: Any, send: Any
    ) -> None:
        body = b""
        try:
            async for part in Request(scope, receive).stream():
                body += part
                if len(body) > MAX_FIRST_BYTES:
                    break
        except ClientDisconnect:
            return
        if waiting.taken or waiting.ended:
            await _say("", scope, receive, send, HTTPStatus.BAD_REQUEST)
            return
        # From here on it is decided by this packet: no other one is admitted meanwhile.
        waiting.taken = True
        text = body.decode(errors="replace") if len(body) <= MAX_FIRST_BYTES else ""
        if not text.startswith(CONNECT_PACKET):
            self._waiting.pop(sid, None)
            waiting.ended = True
            waiting.decided.set()
            await _say("", scope, receive, send, HTTPStatus.BAD_REQUEST)
            return
        try:
            visitor = await self._admit(scope, text.partition(SEPARATOR)[0], waiting.reason)
            if isinstance(visitor, Visitor):
                await self._server.begin_program(sid, visitor, body)
            else:
                waiting.refusal = visitor
        except BaseException:
            waiting.ended = True
            raise
        finally:
            waiting.decided.set()
        await _say("ok", scope, receive, send)

    async def _admit(
        self, scope: Any, first: str, reason: str, *, can: bool = True
    ) -> Visitor | str:
        """The visitor whom a connect packet identifies, or the packet that refuses it."""
        namespace, auth = namespace_and_auth(first)
        if namespace not in ("", DEFAULT_NAMESPACE) and not is_public(namespace):
            count_refusal("socket.refused", reason="namespace")
            return refusal_packet(namespace, "Invalid namespace")
        if not is_public(namespace) or not can:
            count_refusal("socket.refused", reason=reason)
            return refusal_packet(namespace, reason)
        try:
            visitor: Visitor = await self._server.admission.admit_program(scope, namespace, auth)
        except ProgramRefused as refused:
            count_refusal("socket.refused", reason=refused.code)
            return refusal_packet(namespace, str(refused), refused.data)
        except TooMany as refused:
            return refusal_packet(namespace, TOO_MANY, {"code": str(refused), "message": TOO_MANY})
        return visitor


def refusal_packet(namespace: str, message: str, data: dict[str, str] | None = None) -> str:
    """A CONNECT_ERROR packet of Socket.IO in an Engine.IO message."""
    content = {"message": message, **({"data": data} if data else {})}
    text = json.dumps(content, separators=(",", ":"))
    return f"44{namespace or DEFAULT_NAMESPACE},{text}"


async def _say(text: str, scope: Any, receive: Any, send: Any, status: int = HTTPStatus.OK) -> None:
    headers = {"Cache-Control": "no-store"}
    # As the library says it in the answers that it gives; `poll` has checked the origin.
    if status == HTTPStatus.OK and (origin := Headers(scope=scope).get("origin")):
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Allow-Credentials"] = "true"
    await PlainTextResponse(text, status, headers=headers)(scope, receive, send)
