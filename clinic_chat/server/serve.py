"""The production server: the built front end and the back end in one process on one port."""

import asyncio
import fcntl
import hashlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from sqlalchemy import make_url
from starlette.types import ASGIApp

from clinic_chat.backups.upgrade import upgrade
from clinic_chat.logs import configure_logging
from clinic_chat.realtime.transport.uvicorn.connection_limits import (
    ConnectionLimits,
    raise_file_limit,
)
from clinic_chat.realtime.transport.uvicorn.http_protocol import http_protocol
from clinic_chat.realtime.transport.uvicorn.websocket_protocol import websocket_protocol
from clinic_chat.settings import PROJECT_ROOT, get_settings
from clinic_chat.shutdown import announce_shutdown
from clinic_chat.storage.sqlite.library import has_reset_bug, sqlite3

WEB = PROJECT_ROOT / ".web"
BUILT = WEB / "build" / "client"
FINGERPRINT = WEB / "build" / "fingerprint"
SOURCES = (
    "clinic_chat/ui",
    "clinic_chat/clinic_chat.py",
    "assets",
    # The package.json beside it is rewritten by every build.
    "reflex.lock/bun.lock",
    "rxconfig.py",
    "requirements.txt",
    # The screens' vars have the shapes of the domain's views.
    "clinic_chat/domain",
    # The browser gets constants of it (ui/build/constants.py).
    "clinic_chat/realtime",
)
# Together under ten seconds, after which a container's supervisor kills.
ANNOUNCE_SECONDS = 5
SHUTDOWN_SECONDS = 4
MAX_FRAME_BYTES = 512 * 1024

log = structlog.get_logger(__name__)


def serve(host: str, port: int) -> None:
    """Migrate, build the front end when it is missing or older than the code, and serve."""
    settings = get_settings()
    configure_logging(settings.log_level)
    _tell_sqlite(settings.database_url)
    asyncio.run(upgrade(settings))
    build_if_needed()
    os.chdir(PROJECT_ROOT)
    GracefulServer("clinic_chat.server.asgi:create_app", host, port).run()


def web_server_config(
    app: str | Callable[[], ASGIApp], limits: ConnectionLimits, **options: Any
) -> uvicorn.Config:
    """How Uvicorn takes connections, counted by `limits`; `options` are its own."""
    return uvicorn.Config(
        app,
        **{
            "factory": True,
            "http": http_protocol(limits),
            "ws": websocket_protocol(limits),
            "ws_max_size": MAX_FRAME_BYTES,
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


def _tell_sqlite(database_url: str) -> None:
    if make_url(database_url).get_backend_name() != "sqlite":
        return
    log.info("sqlite.library", version=sqlite3.sqlite_version)
    if has_reset_bug():
        log.warning(
            "sqlite.old_library",
            advice="stop the server before a command changes the database, or install pysqlite3",
        )


class GracefulServer(uvicorn.Server):
    """Uvicorn as this application needs it; `app` makes the application, or names what does.

    It tells the clients before it closes their connections, so that they know why.
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
        """Serve until told to stop; to have ended as asked is a success."""
        # Uvicorn ends well and then raises the signal again, which would kill this process.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        super().run(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, say listener, finish what is under way, and close."""
        for server in self.servers:
            server.close()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(ANNOUNCE_SECONDS):
                    await announce_shutdown()
        finally:
            await super().shutdown(sockets)


def build_if_needed() -> None:
    """Build the front end unless the last build was made from exactly these sources."""
    # Of servers that start together on one checkout, one builds and the others wait for it.
    with (PROJECT_ROOT / "rxconfig.py").open() as checkout:
        fcntl.flock(checkout, fcntl.LOCK_EX)
        current = fingerprint()
        if not FINGERPRINT.exists() or FINGERPRINT.read_text() != current:
            _build()
            FINGERPRINT.write_text(current)


def _build() -> None:
    log.info("frontend.building")
    build = subprocess.run(
        [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"],
        cwd=PROJECT_ROOT,
        check=False,
        stdin=subprocess.DEVNULL,
        # Progress bars and advice for people who build by hand; what went wrong is worth showing.
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if build.returncode != 0:
        sys.stderr.buffer.write(build.stdout)
        raise SystemExit("The front end could not be built; the reason is above.")


def fingerprint() -> str:
    """A hash of everything the front end is made of."""
    digest = hashlib.sha256()
    for source in SOURCES:
        for path in sorted(_files(PROJECT_ROOT / source)):
            digest.update(str(path.relative_to(PROJECT_ROOT)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return [
        file
        for file in path.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".pyc"
    ]
