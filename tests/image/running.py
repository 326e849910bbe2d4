"""Runs the image as a container engine would: read-only, as process 1, without any rights."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx

from clinic_chat.demo import DEMO_PASSWORD
from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from tests.image.contents import ACCOUNT
from tests.support.people import ANA
from tests.support.servers.ports import HOST, free_port
from tests.support.socket_client import Wire, follows

START_SECONDS = 60
STOP_SECONDS = 10.0
LOOK_SECONDS = 0.01
EARLY_SECONDS = 0.5
SOCKETS = 100
REQUESTS_AT_ONCE = 8
ORPHANS = 5
# $1: the root folder, $2: the volume; the rest is the program. The network is this machine's.
CONTAINER = """
set -e
root="$1" volume="$2"; shift 2
mount --make-rprivate /
mount --bind "$root" "$root"
mount --bind "$volume" "$root/data"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t tmpfs -o nosuid,nodev,noexec,mode=1777,size=64m tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mount -o remount,ro,bind "$root"
exec chroot "$root" /bin/sh -c 'cd /app && exec "$@"' sh "$@"
"""
WITHOUT_RIGHTS = [
    *("setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--clear-groups"),
    *("--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "--"),
]


class Container:
    """The image's server in namespaces of its own, on a port that is free here."""

    def __init__(self, root: Path, config: dict[str, Any], volume: Path) -> None:
        self.port = free_port()
        self.origin = f"http://{HOST}:{self.port}"
        *arguments, _port = config["Cmd"]
        self._environment = dict(entry.split("=", 1) for entry in config["Env"])
        self._root = root
        self._process = subprocess.Popen(
            [
                *("unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child"),
                *("sh", "-c", CONTAINER, "sh", str(root), str(volume)),
                *WITHOUT_RIGHTS,
                *(*config["Entrypoint"], *arguments, str(self.port)),
            ],
            env=self._environment,
            stdin=subprocess.DEVNULL,
        )

    def ended(self) -> bool:
        """Whether the server is over."""
        return self._process.poll() is not None

    def ready(self) -> bool:
        """Whether the server answers that it can work."""
        try:
            return httpx.get(f"{self.origin}/readyz", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def process_one(self) -> int:
        """The id, on this machine, of process 1 in the container."""
        (child,) = _children(self._process.pid)
        return child

    def processes(self) -> list[int]:
        """The ids, on this machine, of everything in the container."""
        found = [self.process_one()]
        for process in found:
            found += _children(process)
        return found

    def execute(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run something in the running container, as its account."""
        return subprocess.run(
            [
                *("nsenter", f"--target={self.process_one()}", "--mount", "--pid", "--ipc"),
                *("chroot", str(self._root), "/bin/sh", "-c", 'cd /app && exec "$@"', "sh"),
                *WITHOUT_RIGHTS,
                *command,
            ],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def stop(self, *, early: bool = False) -> float:
        """End it as an engine does; the seconds that it took. Early it may end by the signal."""
        began = monotonic()
        os.kill(self.process_one(), signal.SIGTERM)
        code = self._process.wait(START_SECONDS)
        assert code == 0 or (early and code == 128 + signal.SIGTERM), code
        return monotonic() - began

    def kill(self) -> None:
        """End it whatever it does."""
        self._process.kill()
        self._process.wait()


def check(root: Path, config: dict[str, Any], volume: Path) -> dict[str, Any]:
    """Run the image on an empty volume and again; what was measured."""
    os.chown(volume, ACCOUNT, ACCOUNT)
    figures: dict[str, Any] = {}
    with _serving(root, config, volume) as (server, seconds):
        figures["seconds to ready, empty volume"] = round(seconds, 2)
        _check_rights(server)
        _check_orphans(server)
        demo = server.execute("python", "-m", "clinic_chat", "demo")
        assert demo.returncode == 0, demo.stderr
        figures["seconds to stop, idle"] = round(server.stop(), 2)
    kept = {path.name: oct(path.stat().st_mode & 0o777) for path in volume.iterdir()}
    assert kept[".clinic_chat_key"] == kept["clinic_chat.db"] == "0o600", kept
    with _serving(root, config, volume) as (server, seconds):
        figures["seconds to ready, filled volume"] = round(seconds, 2)
        _check_pages(server.origin)
        health = server.execute("python", "-m", "clinic_chat", "health", f"--port={server.port}")
        assert health.returncode == 0, health.stderr
        figures["seconds to stop, under load"] = round(asyncio.run(_stopped_under_load(server)), 2)
    starting = Container(root, config, volume)
    sleep(EARLY_SECONDS)
    figures["seconds to stop, while it starts"] = round(starting.stop(early=True), 2)
    for name in ("idle", "under load", "while it starts"):
        assert figures[f"seconds to stop, {name}"] < STOP_SECONDS
    return figures


@contextmanager
def _serving(root: Path, config: dict[str, Any], volume: Path) -> Iterator[tuple[Container, float]]:
    began = monotonic()
    server = Container(root, config, volume)
    try:
        while not server.ready():
            assert not server.ended(), "the server ended at its start"
            assert monotonic() - began < START_SECONDS, "the server is not ready"
            sleep(LOOK_SECONDS)
        yield server, monotonic() - began
    finally:
        if not server.ended():
            server.kill()


def _check_rights(server: Container) -> None:
    for process in server.processes():
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        status = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
        assert status["Uid"] == [str(ACCOUNT)] * 4
        assert status["Gid"] == [str(ACCOUNT)] * 4
        assert status["NoNewPrivs"] == ["1"]
        assert {int(status[f"Cap{which}"][0], 16) for which in ("Prm", "Eff", "Bnd", "Amb")} == {0}
    for place in ("/app/x", "/app/.web/x", "/x", "/home/x"):
        assert server.execute("touch", place).returncode != 0, place
    for place in ("/data/x", "/tmp/x"):
        assert server.execute("sh", "-c", f"echo > {place} && rm {place}").returncode == 0, place


def _check_orphans(server: Container) -> None:
    """Processes whose parents are gone are taken leave of."""
    before = len(server.processes())
    for _ in range(ORPHANS):
        server.execute("sh", "-c", "sleep 0.1 &")
    sleep(1)
    assert len(server.processes()) == before


def _check_pages(origin: str) -> None:
    with httpx.Client(base_url=origin) as client:
        page = client.get("/login")
        assert page.status_code == 200
        assert 'name="password"' in page.text
        scripts = [part.split('"')[0] for part in page.text.split('src="')[1:]]
        for script in (script for script in scripts if script.startswith("/")):
            assert client.get(script).status_code == 200, script


async def _signed_in(client: httpx.AsyncClient) -> str:
    form = {"email": ANA, "password": DEMO_PASSWORD}
    answer = await client.post("/auth/login", data=form)
    assert answer.status_code == 303, answer.text
    return answer.cookies[COOKIE_NAME]


async def _stopped_under_load(server: Container) -> float:
    """Seconds to stop while many look at the inbox and many load pages."""
    async with httpx.AsyncClient(base_url=server.origin, timeout=30) as client:
        cookie = await _signed_in(client)
        wires = [await Wire.join(server, cookie, follows()) for _ in range(SOCKETS)]
        loads = [asyncio.create_task(_load(client)) for _ in range(REQUESTS_AT_ONCE)]
        await asyncio.sleep(1)
        try:
            return await asyncio.to_thread(server.stop)
        finally:
            for load in loads:
                load.cancel()
            await asyncio.gather(*loads, return_exceptions=True)
            for wire in wires:
                await wire.close()


async def _load(client: httpx.AsyncClient) -> None:
    with suppress(httpx.TransportError):
        while True:
            await client.get("/")


def _children(process: int) -> list[int]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(child) for child in text.split()]
