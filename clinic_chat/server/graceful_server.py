"""Uvicorn with this application's limits and protocols, which ends without losing anything."""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
import uvicorn
from starlette.types import ASGIApp

from clinic_chat.realtime.transport.uvicorn.connection_limits import (
    ConnectionLimits,
    raise_file_limit,
)
from clinic_chat.realtime.transport.uvicorn.http_protocol import http_protocol
from clinic_chat.realtime.transport.uvicorn.websocket_protocol import websocket_protocol
from clinic_chat.server.listening import url_of
from clinic_chat.settings import get_settings
from clinic_chat.shutdown import announce_shutdown

APPLICATION = "clinic_chat.server.asgi:create_app"
# Together under ten seconds, after which a container's supervisor kills.
ANNOUNCE_SECONDS = 5
SHUTDOWN_SECONDS = 4
# Above Engine.IO's own limit, MAX_FRAME_BYTES, which closes a connection by its rules.
MAX_WEBSOCKET_BYTES = 512 * 1024

log = structlog.get_logger(__name__)


def web_server_config(
    app: str | Callable[[], ASGIApp], limits: ConnectionLimits, **options: Any
) -> uvicorn.Config:
    """Uvicorn's configuration, with connections counted by `limits`; `options` override it."""
    return uvicorn.Config(
        app,
        **{
            "factory": True,
            "http": http_protocol(limits),
            "ws": websocket_protocol(limits),
            "ws_max_size": MAX_WEBSOCKET_BYTES,
            "ws_per_message_deflate": False,
            # Engine.IO pings; a second layer of pings would only cost.
            "ws_ping_interval": None,
            "timeout_graceful_shutdown": SHUTDOWN_SECONDS,
            "server_header": False,
            "access_log": False,
            "log_config": None,
            **options,
        },
    )


class GracefulServer(uvicorn.Server):
    """Uvicorn with this application's limits, which tells clients before it closes connections.

    `app` is a factory of the application, or the factory's import path.
    """

    def __init__(self, app: str | Callable[[], ASGIApp], host: str, port: int) -> None:
        settings = get_settings()
        limits = ConnectionLimits(
            settings.max_connections,
            settings.connections_per_address,
            settings.trusted_proxies,
            raise_file_limit(),
        )
        super().__init__(
            web_server_config(
                app, limits, host=host, port=port, forwarded_allow_ips=settings.trusted_proxies
            )
        )

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal; exit with status 0 after SIGTERM."""
        # Uvicorn raises the signal again after its shutdown, which would kill this process.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        super().run(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen when everything is ready, and say where; end when somebody else does already."""
        try:
            await super().startup(sockets)
        except OSError as error:
            log.error("server.cannot_listen", reason=error.strerror)
            await self.lifespan.shutdown()
            sys.exit(1)
        addresses = [url_of(one) for one in sockets or [] if one.family != socket.AF_UNIX]
        log.info("server.listening", addresses=addresses)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, call the shutdown listeners, finish requests in flight, and close."""
        for server in self.servers:
            server.close()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(ANNOUNCE_SECONDS):
                    await announce_shutdown()
        finally:
            await super().shutdown(sockets)
