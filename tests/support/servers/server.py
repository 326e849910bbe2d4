"""The product as people run it: `python -m clinic_chat serve` in a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Protocol

import httpx
from argon2 import PasswordHasher

import clinic_chat
from clinic_chat.demo import DEMO_PASSWORD
from clinic_chat.storage.sqlite.library import sqlite3
from tests.support.servers.ports import HOST, free_port

PROJECT = Path(clinic_chat.__file__).parent.parent
# A first start builds the front end.
START_SECONDS = 300
STOP_SECONDS = 20
COMMAND_SECONDS = 60
CHECK_SECONDS = 0.05
LOG_TAIL = 8_000
# With Argon2's cheapest parameters, which the hash carries.
CHEAP_DEMO_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(DEMO_PASSWORD)
SETTINGS = {
    "CLINIC_CHAT_SECRET_KEY": "only-for-tests-and-nothing-else-at-all",
    "CLINIC_CHAT_LOGIN_ATTEMPTS_PER_MINUTE": "1000",
    "CLINIC_CHAT_SENDS_PER_MINUTE": "10000",
    "CLINIC_CHAT_CONNECTS_PER_MINUTE": "10000",
    "CLINIC_CHAT_EVENTS_PER_MINUTE": "100000",
    "CLINIC_CHAT_REQUESTS_PER_MINUTE": "1000000",
}
# The same as arguments of a `ForkedServer`.
QUICK_SETTINGS: dict[str, object] = {
    name.removeprefix("CLINIC_CHAT_").lower(): value for name, value in SETTINGS.items()
}


class Reached(Protocol):
    """A server that clients can reach and get API tokens of."""

    port: int
    origin: str


class ReachedWithTokens(Reached, Protocol):
    """A server whose API can be called."""

    def token(self, clinic: str) -> str:
        """An API token of a clinic."""


class Server:
    """A server with its own port and database; the port stays when it starts again.

    The database is an SQLite file, unless `database_url` is among the settings.
    """

    def __init__(self, folder: Path, **settings: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.database = folder / "clinic_chat.db"
        self.log = folder / "server.log"
        self.port = free_port()
        self.origin = f"http://{HOST}:{self.port}"
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("CLINIC_CHAT_")}
        self._environment = {
            **inherited,
            **SETTINGS,
            "CLINIC_CHAT_DATABASE_URL": f"sqlite+aiosqlite:///{self.database}",
            **{f"CLINIC_CHAT_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._tokens: dict[str, str] = {}

    def command(self, *arguments: str, stdin: str = "") -> str:
        """Run a command of the product on this server's database; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "clinic_chat", *arguments],
            input=stdin,
            cwd=PROJECT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fill(self, template: Path | None = None) -> None:
        """Create the demo clinics, or take another server's file with them."""
        if template:
            # Not the file alone: what was written last may still be in its write-ahead log.
            with (
                closing(sqlite3.connect(template)) as source,
                closing(sqlite3.connect(self.database)) as target,
            ):
                source.backup(target)
        else:
            self.command("demo")
            with closing(sqlite3.connect(self.database)) as database, database:
                # Browsers sign in hundreds of times, and no test is about how long that takes.
                database.execute("UPDATE users SET password_hash = ?", (CHEAP_DEMO_HASH,))

    def token(self, clinic: str = "aurora") -> str:
        """An API token of a clinic, made with the command line once."""
        if clinic not in self._tokens:
            self._tokens[clinic] = self.command("create-token", "--clinic", clinic).strip()
        return self._tokens[clinic]

    def start(self) -> None:
        """Start and return when the server answers that it is ready."""
        address = ("--host", HOST, "--port", str(self.port))
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "clinic_chat", "serve", *address],
                cwd=PROJECT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        give_up = monotonic() + START_SECONDS
        while not self.ready():
            ended = self._ended_within(CHECK_SECONDS)
            assert not ended, f"the server ended at its start:\n{self.tail()}"
            assert monotonic() < give_up, f"the server is not ready:\n{self.tail()}"

    def ready(self) -> bool:
        """Whether the server answers that it can work."""
        try:
            return httpx.get(f"{self.origin}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """End the server as an operator does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server as a power cut does."""
        self._end(signal.SIGKILL)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Another connection holds the database's write lock."""
        other = sqlite3.connect(self.database, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            yield
        finally:
            other.close()

    def open_files(self) -> int:
        """How many files and sockets the server holds open."""
        assert self._process is not None
        return len(os.listdir(f"/proc/{self._process.pid}/fd"))

    def tail(self) -> str:
        """The end of what the server wrote."""
        return self.log.read_text(errors="replace")[-LOG_TAIL:] if self.log.exists() else ""

    def _ended_within(self, seconds: float) -> bool:
        assert self._process is not None
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.returncode is not None

    def _end(self, sign: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(sign)
        ended = self._ended_within(STOP_SECONDS)
        if not ended:
            self._process.kill()
            self._process.wait()
        self._process = None
        assert ended, f"the server did not end {STOP_SECONDS} s after {sign.name}:\n{self.tail()}"
