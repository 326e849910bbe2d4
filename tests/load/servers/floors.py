"""The floors: what the same machine needs when there is nothing but the fan-out."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from clinic_chat.realtime.transport.socketio_server import PING_SECONDS, PONG_SECONDS
from clinic_chat.settings import PROJECT_ROOT
from tests.load.clients.crowd import arrive, dropped, leave
from tests.load.clients.deliveries import Message
from tests.load.clients.listener import Listener, Room
from tests.load.measurements.memory import at_rest, growth
from tests.load.scenarios.talk import Pace, measured
from tests.load.servers.process import Process
from tests.support.servers.ports import HOST, free_port

SOCKET_IO = "socket.io@4.8.1"
CACHE = Path.home() / ".cache" / "clinic-chat-load"
HERE = Path(__file__).parent
START_SECONDS = 20
INSTALL_SECONDS = 180


def python_floor(port: int, folder: Path) -> Process:
    """A bare python-socketio server on uvicorn."""
    command = [sys.executable, "-m", "tests.load.servers.bare_server", str(port)]
    return Process(command, PROJECT_ROOT, dict(os.environ), folder / "python-floor.log")


def node_floor(port: int, folder: Path) -> Process | None:
    """Node's Socket.IO, installed by npm on its first use; None without Node and npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    modules = CACHE / "node_modules"
    if not (modules / "socket.io").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [npm, "install", "--silent", "--no-audit", "--prefix", str(CACHE), SOCKET_IO],
            check=True,
            timeout=INSTALL_SECONDS,
        )
    numbers = (port, PING_SECONDS * 1000, PONG_SECONDS * 1000)
    command = [node, str(HERE / "node_server.cjs"), *map(str, numbers)]
    environment = {**os.environ, "NODE_PATH": str(modules)}
    return Process(command, PROJECT_ROOT, environment, folder / "node-floor.log")


FLOORS = {"python-socketio": python_floor, "node socket.io": node_floor}


async def measure_floor(
    name: str,
    folder: Path,
    *,
    count: int,
    size: int,
    pace: Pace,
    arrival_seconds: float,
    rest_seconds: float,
) -> dict[str, Any] | None:
    """One room emit of `size` bytes to `count` clients; None when the floor cannot be had."""
    port = free_port()
    process = FLOORS[name](port, folder)
    if process is None:
        return None
    try:
        await _listening(port, process)
        room = Room(size)
        host = f"{HOST}:{port}"
        visitor = [Listener(host, room)]
        await arrive(process, visitor)
        await leave(visitor)
        before = await at_rest(process, rest_seconds)
        crowd = [Listener(host, room) for _ in range(count)]
        arrivals = await arrive(process, crowd, arrival_seconds)
        memory = growth(before, await at_rest(process, rest_seconds), count)
        turn = iter(range(sys.maxsize))

        def say(_message: Message, text: str) -> None:
            crowd[next(turn) % count].tell("say", room.content(text))

        figures = await measured(process, room, say, count, pace)
        lost = dropped(crowd)
        await leave(crowd)
    finally:
        process.stop()
    return {"time_to_live": arrivals, "memory": memory, **figures, "dropped": lost}


async def _listening(port: int, process: Process) -> None:
    give_up = time.monotonic() + START_SECONDS
    while True:
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            if process.ended() or time.monotonic() > give_up:
                raise SystemExit(f"the floor did not start:\n{process.tail()}") from None
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
