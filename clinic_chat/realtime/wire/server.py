"""Socket.IO and Engine.IO servers that use direct connections where they can."""

from typing import Any

import engineio
import socketio

from clinic_chat.realtime.wire.peer import Peer
from clinic_chat.realtime.wire.protocol import EXTENSION


class EngineServer(engineio.AsyncServer):
    """The library's Engine.IO; only websockets of `FrameProtocol` are served here."""

    async def _handle_connect(
        self, environ: dict[str, Any], transport: str, jsonp_index: int | None = None
    ) -> Any:
        extensions = environ["asgi.scope"].get("extensions", {})
        if transport != "websocket" or EXTENSION not in extensions:
            return await super()._handle_connect(environ, transport, jsonp_index)
        peer = Peer(self, self.generate_id(), environ)
        self.sockets[peer.sid] = peer
        try:
            await self._trigger_event("connect", peer.sid, environ, run_async=False)
            await peer.serve()
        finally:
            self.sockets.pop(peer.sid, None)
        return ""


class SocketServer(socketio.AsyncServer):
    """The library's Socket.IO over `EngineServer`."""

    def _engineio_server_class(self) -> type[EngineServer]:
        return EngineServer

    async def _handle_connect(self, eio_sid: str, namespace: str, data: Any) -> None:
        await super()._handle_connect(eio_sid, namespace, data)
        # Whoever is in is not asked again; the headers are a third of what an idle tab costs.
        if isinstance(self.eio.sockets.get(eio_sid), Peer):
            environ = self.environ.get(eio_sid, {})
            environ.get("asgi.scope", {}).get("headers", []).clear()
            environ.clear()
