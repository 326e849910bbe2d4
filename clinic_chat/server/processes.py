"""Several server processes on one port, looked after by Uvicorn's supervisor.

A process that dies is replaced. SIGHUP replaces all, one after the other, each when the new one
serves.
"""

import os
import shutil
import socket
import tempfile
from pathlib import Path

from uvicorn import Config
from uvicorn.supervisors import multiprocess

from clinic_chat.logs import configure_logging
from clinic_chat.server.graceful_server import APPLICATION, GracefulServer
from clinic_chat.server.polling_relay import open_relay
from clinic_chat.settings import get_settings

# A process that answers its supervisor no more is killed; a new one has so long to start.
HEALTH_SECONDS = 30


class ServerProcess(multiprocess.Process):
    """One process, with our server in the place of the library's."""

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal."""
        settings = get_settings()
        configure_logging(settings.log_level)
        self._server = GracefulServer(APPLICATION, self.config.host, self.config.port)
        assert settings.processes_dir is not None  # noqa: S101 - the parent has set it
        super().target([*(sockets or []), open_relay(settings.processes_dir)])


def run_processes(count: int, host: str, port: int, listeners: list[socket.socket]) -> None:
    """Serve with `count` processes until a signal."""
    folder = Path(tempfile.mkdtemp(prefix="clinic-chat-"))
    os.environ["CLINIC_CHAT_PROCESSES_DIR"] = str(folder)
    # Its supervisor names the class of its processes, and offers no other place for ours.
    multiprocess.Process = ServerProcess  # type: ignore[misc]
    config = Config(
        APPLICATION,
        factory=True,
        host=host,
        port=port,
        workers=count,
        log_config=None,
        timeout_worker_healthcheck=HEALTH_SECONDS,
    )
    try:
        multiprocess.Multiprocess(config, listeners).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
