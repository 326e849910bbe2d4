"""Caddy in front of several servers, by the example in deploy/ as it stands."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.browser.proxies.programs import CADDY, program
from tests.browser.proxies.tls_proxy import EXAMPLES, NAME, STOP_SECONDS, wait_for
from tests.support.servers.ports import HOST, free_port
from tests.support.servers.server import Reached


@dataclass(frozen=True)
class Balancer:
    """A balancer that runs; it is reached like a server."""

    port: int
    origin: str


@contextmanager
def balancing(servers: list[Reached], folder: Path) -> Iterator[Balancer]:
    """Caddy in front of these servers, without TLS.

    Raises:
        FileNotFoundError: it is not there.
    """
    port = free_port()
    origin = f"http://{NAME}:{port}"
    environment = {
        **os.environ,
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        "CLINIC_CHAT_SITE": origin,
        "CLINIC_CHAT_SERVER": " ".join(f"{HOST}:{server.port}" for server in servers),
        "CLINIC_CHAT_BALANCE": "cookie clinic_chat_server",
    }
    file = folder / "Caddyfile"
    # Nothing but its port for commands, which other tests' Caddies would use too.
    file.write_text("{\n\tadmin off\n}\n" + (EXAMPLES / "Caddyfile").read_text())
    log = folder / "balancer.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [program(CADDY), "run", "--adapter", "caddyfile", "--config", str(file)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            wait_for(port, process, log)
            yield Balancer(port, origin)
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)
