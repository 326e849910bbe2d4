"""A production server for strangers, which says what is alive in it."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from tests.load.servers.observed import Alive, alive
from tests.load.servers.product import Product


@dataclass
class Target:
    """The server, who is signed in to it, and what it has written."""

    host: str
    cookie: dict[str, str]
    bearer: dict[str, str]
    conversation: str
    observed: Path
    log: Path
    read_to: int = 0

    def alive(self) -> Alive:
        """What it holds now."""
        return alive(self.observed)

    def complaints(self) -> list[str]:
        """What it has logged of its own errors since the last call."""
        written = self.log.read_bytes()[self.read_to :]
        self.read_to += len(written)
        return [line for line in written.decode(errors="replace").splitlines() if _is_fault(line)]


def _is_fault(line: str) -> bool:
    try:
        record = json.loads(line)
    except ValueError:
        # Only a library or the interpreter writes something else.
        return bool(line.strip())
    if record.get("logger") in LIBRARIES:
        # The libraries of the sockets say so of packets that are none.
        return "exception" in record
    return record.get("level") in ("error", "critical") and record.get("event") not in EXPECTED


# A browser reports its own faults with these, and a handler was called with what it does not take.
LIBRARIES = ("clinic_chat.sockets", "engineio.quiet", "socketio.quiet")
EXPECTED = ("browser.failed", "handler.failed")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("fuzz")
    observed = folder / "observed.sock"

    async def start() -> tuple[Product, str]:
        product = await Product.filled(
            folder, clinics=1, people=1, conversations=2, profile=None, observed=observed
        )
        await product.start()
        return product, (await product.sign_in())[0][0]

    product, cookie = asyncio.run(start())
    clinic = product.clinics[0]
    yield Target(
        product.host,
        {"Cookie": f"{COOKIE_NAME}={cookie}"},
        {"Authorization": f"Bearer {clinic.token}"},
        clinic.conversations[0],
        observed,
        folder / "server.log",
    )
    product.process.stop()
