"""Socket.IO and Engine.IO servers that write frames directly where they can.

A session's cookie is checked in the Engine.IO handshake, a program's token in the packet after it,
and next to nothing is kept of a connection before (`docs/security.md`).
"""

from contextlib import suppress
from time import monotonic
from typing import Any

import engineio
import socketio
from engineio.exceptions import EngineIOError
from reflex_base.constants import Endpoint
from socketio.packet import CONNECT, CONNECT_ERROR, DISCONNECT
from starlette.datastructures import Headers

from clinic_chat.logs import places
from clinic_chat.metrics.sockets import CONNECTS
from clinic_chat.realtime.admission.programs import is_public
from clinic_chat.realtime.admission.request_rules import Unacceptable, check, refuse
from clinic_chat.realtime.admission.visitor import VISITOR, Admission, Refused, TooMany, Visitor
from clinic_chat.realtime.transport import packets
from clinic_chat.realtime.transport.polling import PollingSocket, opening
from clinic_chat.realtime.transport.unidentified import Unidentified
from clinic_chat.realtime.transport.uvicorn.websocket_protocol import EXTENSION
from clinic_chat.realtime.transport.websocket import Peer
from clinic_chat.web.refusals import count_refusal

# The longest time from the handshake, or from leaving the namespace, to entering it.
ENTER_SECONDS = 20.0
PROCESS_END = "."
# The namespace of our own pages.
PAGES = str(Endpoint.EVENT)


class EngineServer(engineio.AsyncServer):
    """The library's Engine.IO server with admission, which serves `FrameProtocol` by itself."""

    admission: Admission
    process = ""
    """The name of this process, where several share a port."""

    def generate_id(self) -> str:
        """A new session's id; it begins with the name of the process that has the session."""
        session: str = super().generate_id()
        return f"{self.process}{PROCESS_END}{session}" if self.process else session

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unidentified = Unidentified(self)

    async def handle_request(self, scope: Any, receive: Any, send: Any) -> Any:
        """Answer a request, or serve a websocket, of the socket endpoint."""
        try:
            sid = check(scope)
            if sid in self._unidentified and await self._unidentified.poll(
                sid, scope, receive, send
            ):
                return None
            # A CORS preflight request (OPTIONS) has no cookies.
            if sid is not None and scope.get("method") != "OPTIONS":
                self._check_owner(sid, scope)
        except Unacceptable as why:
            count_refusal("socket.refused", reason=why.reason)
            return await refuse(why.status, scope, receive, send)
        return await super().handle_request(scope, receive, send)

    def is_origin_allowed(self, scope: Any) -> bool:
        """Whether a request is of no page, or of one whose origin is allowed."""
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        environ = {"HTTP_HOST": headers.get("host", ""), "asgi.scope": scope}
        return origin is None or bool(self.cors_allowed_origins(origin, environ))

    def _check_owner(self, sid: str, scope: Any) -> None:
        socket = self.sockets.get(sid)
        if not isinstance(socket, PollingSocket) or socket.closed:
            raise Unacceptable(400, "unknown_sid")
        if not self.admission.belongs(scope, socket.visitor):
            raise Unacceptable(400, "foreign_sid")

    async def _handle_connect(
        self, environ: dict[str, Any], transport: str, jsonp_index: int | None = None
    ) -> Any:
        scope = environ["asgi.scope"]
        try:
            visitor = await self.admission.admit(scope)
        except TooMany:
            await refuse(503, scope, None, environ["asgi.send"])
            return ""
        except Refused as why:
            return await self._unidentified.answer(str(why), environ, transport)
        try:
            return await self._serve(environ, transport, visitor)
        except BaseException:
            self.admission.leave(visitor)
            raise

    async def _serve(self, environ: dict[str, Any], transport: str, visitor: Visitor) -> Any:
        sid = self.generate_id()
        scope = environ["asgi.scope"]
        direct = transport == "websocket" and EXTENSION in scope.get("extensions", {})
        socket: Peer | PollingSocket
        socket = Peer(self, sid, environ, visitor) if direct else PollingSocket(self, sid, visitor)
        await self._enter(sid, socket, "websocket" if transport == "websocket" else "polling")
        try:
            if isinstance(socket, Peer):
                scope["headers"].clear()
                environ.clear()
                await socket.serve()
                return ""
            await socket.send(opening(self, sid))
            socket.schedule_ping()
            if transport == "websocket":
                return await socket.handle_get_request(environ)
        except BaseException:
            await self._drop(sid)
            raise
        finally:
            if transport == "websocket":
                self.sockets.pop(sid, None)
        socket.connected = True
        return self._ok(await socket.poll())

    async def serve_program(
        self, sid: str, environ: dict[str, Any], visitor: Visitor, first: str
    ) -> None:
        """Serve a websocket that was greeted before its program was known, until its end."""
        socket = Peer(self, sid, environ, visitor)
        await self._enter(sid, socket, "websocket")
        try:
            environ["asgi.scope"]["headers"].clear()
            environ.clear()
            await socket.serve(first)
        except BaseException:
            await self._drop(sid)
            raise
        finally:
            self.sockets.pop(sid, None)

    async def begin_program(self, sid: str, visitor: Visitor, body: bytes) -> None:
        """Begin the socket of a polling program, which was greeted before, with its first body."""
        socket = PollingSocket(self, sid, visitor)
        await self._enter(sid, socket, "polling")
        try:
            socket.schedule_ping()
            socket.connected = True
            await socket.take(body)
        except EngineIOError:
            # Its next poll finds no socket.
            await self._drop(sid)

    async def _enter(self, sid: str, socket: Peer | PollingSocket, transport: str) -> None:
        assert sid not in self.sockets  # noqa: S101 - `Unidentified` lets one in
        self.sockets[sid] = socket
        CONNECTS.add(transport)
        try:
            # From here on this dictionary stands for the request, which is freed when it ends.
            await self.handlers["connect"](sid, {VISITOR: socket.visitor})
        except BaseException:
            self.admission.leave(socket.visitor)
            await self._drop(sid)
            raise

    async def _drop(self, sid: str) -> None:
        with suppress(Exception):
            await self.handlers["disconnect"](sid, self.reason.SERVER_DISCONNECT)
        self.sockets.pop(sid, None)

    async def take_message(self, sid: str, data: str) -> None:
        """Pass on a Socket.IO packet; a failure in handling it does not end the connection.

        Raises:
            Malformed: the packet is malformed, which ends the connection.
        """
        try:
            await self.handlers["message"](sid, data)
        except packets.Malformed:
            raise
        except Exception as failure:
            where = places(failure.__traceback__)[-1]
            count_refusal("packet.failed", error=type(failure).__name__, at=where)


class SocketServer(socketio.AsyncServer):
    """The library's Socket.IO server over `EngineServer`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._outside: dict[str, float] = {}

    def _engineio_server_class(self) -> type[EngineServer]:
        return EngineServer

    def overdue(self) -> list[str]:
        """Engine.IO's ids of the connections that should have entered the namespace by now."""
        now = monotonic()
        return [sid for sid, until in self._outside.items() if until < now]

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        await super()._handle_eio_connect(eio_sid, environ)
        self._outside[eio_sid] = monotonic() + ENTER_SECONDS

    async def _handle_eio_message(self, eio_sid: str, data: str) -> None:
        """Handle a packet, which `packets.decode` has let through: connect, disconnect or event.

        Raises:
            Malformed: the packet breaks Socket.IO's format, which ends the connection.
        """
        try:
            packet = self.packet_class(encoded_packet=data)
        except ValueError:
            raise packets.Malformed from None
        if packet.packet_type == CONNECT:
            await self._handle_connect(eio_sid, packet.namespace, packet.data)
        elif packet.packet_type == DISCONNECT:
            reason = self.reason.CLIENT_DISCONNECT
            await self._handle_disconnect(eio_sid, packet.namespace, reason)
        elif not isinstance(packet.data, list) or not packet.data:
            raise packets.Malformed
        elif not isinstance(packet.data[0], str) or packet.data[0] in self.reserved_events:
            # The library would call the handlers of connects with a client's data.
            count_refusal("packet.refused")
        else:
            await self._handle_event(eio_sid, packet.namespace, packet.id, packet.data)

    async def _handle_connect(self, eio_sid: str, namespace: str, data: Any) -> None:
        if eio_sid not in self.environ:
            return
        namespace = namespace or "/"
        if namespace != PAGES and not is_public(namespace):
            message = {"message": "Invalid namespace"}
            refusal = self.packet_class(CONNECT_ERROR, data=message, namespace=namespace)
            await self._send_packet(eio_sid, refusal)
            return
        try:
            await super()._handle_connect(eio_sid, namespace, data)
        except Exception:
            sid = self.manager.sid_from_eio_sid(eio_sid, namespace)
            if sid is not None and not self.manager.is_connected(sid, namespace):
                await self.manager.disconnect(sid, namespace)
            raise
        if self.manager.sid_from_eio_sid(eio_sid, namespace) is None:
            return
        if eio_sid not in self.environ:
            # It was closed during its connect, when it could not yet be removed from the namespace.
            reason = self.reason.TRANSPORT_CLOSE
            await super()._handle_disconnect(eio_sid, namespace, reason)
            return
        # A connection in the namespace has no deadline and needs its request no more.
        self._outside.pop(eio_sid, None)
        self.environ[eio_sid].clear()

    async def disconnect(
        self, sid: str, namespace: str | None = None, ignore_queue: bool = False
    ) -> None:
        """Remove a socket from a namespace; its connection is closed unless it soon reenters."""
        eio_sid = self.manager.eio_sid_from_sid(sid, namespace or "/")
        await super().disconnect(sid, namespace, ignore_queue)
        self._left(eio_sid)

    async def _handle_disconnect(
        self, eio_sid: str, namespace: str, reason: str | None = None
    ) -> None:
        await super()._handle_disconnect(eio_sid, namespace, reason)
        self._left(eio_sid)

    def visitor(self, sid: str, namespace: str) -> Visitor | None:
        """The visitor of a namespace's socket, None when its connection is closed."""
        socket = self.eio.sockets.get(self.manager.eio_sid_from_sid(sid, namespace))
        return socket.visitor if socket is not None else None

    def _left(self, eio_sid: str | None) -> None:
        if eio_sid is None or eio_sid not in self.environ:
            return
        if not any(self.manager.sid_from_eio_sid(eio_sid, one) for one in [*self.manager.rooms]):
            self._outside.setdefault(eio_sid, monotonic() + ENTER_SECONDS)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        try:
            await super()._handle_eio_disconnect(eio_sid, reason)
        finally:
            self.environ.pop(eio_sid, None)
            self._binary_packet.pop(eio_sid, None)
            self._outside.pop(eio_sid, None)
            socket = self.eio.sockets.get(eio_sid)
            if socket is not None:
                self.eio.admission.leave(socket.visitor)
