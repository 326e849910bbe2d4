"""A server that starts within a moment, for tests that end it again and again.

The application is imported once, in a process of its own that forks for each start. Without
its front end nothing has to be built. The listening socket outlives every server: who connects
while there is none is served by the next.
"""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Self

from starlette.types import ASGIApp

import clinic_chat

PROJECT = Path(clinic_chat.__file__).parent.parent
HOST = "127.0.0.1"


class ForkedServer:
    """Servers on one database and port, one after the other.

    `database` is an SQLite file or the URL of another database.
    """

    def __init__(
        self, database: Path | str, log: Path, *, front_end: bool = False, **settings: object
    ) -> None:
        self._url = f"sqlite+aiosqlite:///{database}" if isinstance(database, Path) else database
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self.origin = f"http://{HOST}:{self.port}"
        self._pid: int | None = None
        self._log = log
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("CLINIC_CHAT_")},
            **{f"CLINIC_CHAT_{name.upper()}": str(value) for name, value in settings.items()},
            "CLINIC_CHAT_DATABASE_URL": self._url,
            "CLINIC_CHAT_SECRET_KEY": "only-for-tests-and-nothing-else-at-all",
        }
        descriptor = str(self._listener.fileno())
        with log.open("ab") as output:
            self._parent = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.support.servers.forked_server", descriptor),
                    "pages" if front_end else "no-pages",
                ],
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                pass_fds=[self._listener.fileno()],
                text=True,
            )

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return Path(self._url.removeprefix("sqlite+aiosqlite:///"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pid is not None:
            self.kill()
        self._parent.communicate()
        self._listener.close()

    @property
    def is_running(self) -> bool:
        """Whether a server was started and not ended."""
        return self._pid is not None

    def start(self) -> None:
        """Start the next server."""
        assert self._parent.stdin
        assert self._parent.stdout
        assert self._pid is None
        self._parent.stdin.write("start\n")
        self._parent.stdin.flush()
        started = self._parent.stdout.readline()
        assert started, self._log.read_text()
        self._pid = int(started)

    def kill(self) -> None:
        """End the server as a power cut does, and return when it is gone."""
        assert self._end(signal.SIGKILL) == -signal.SIGKILL

    def stop(self) -> int:
        """End the server as an operator does; its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, sign: signal.Signals) -> int:
        assert self._pid is not None
        assert self._parent.stdout
        os.kill(self._pid, sign)
        self._pid = None
        return int(self._parent.stdout.readline())


def main() -> None:
    """Fork for each line that is read; write the id of the process, then its exit code."""
    from clinic_chat.server.graceful_server import GracefulServer

    application = _with_pages() if sys.argv[2] == "pages" else _without_pages()
    listener = socket.socket(fileno=int(sys.argv[1]))
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            sys.stdin.close()
            port = listener.getsockname()[1]
            GracefulServer(lambda: application, HOST, port).run([listener.dup()])
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _with_pages() -> ASGIApp:
    from clinic_chat.server.asgi import create_app
    from clinic_chat.server.serve import build_if_needed

    build_if_needed()
    return create_app()


def _without_pages() -> ASGIApp:
    from reflex_base.environment import environment

    environment.REFLEX_SKIP_COMPILE.set(True)

    from clinic_chat.clinic_chat import app

    return app()


if __name__ == "__main__":
    main()
