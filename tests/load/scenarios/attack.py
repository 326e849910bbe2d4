"""The server under attack: does a person of another clinic work on, and what stays behind?"""

import asyncio
import resource
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from uuid import uuid4

from rich.console import Console

from tests.load.clients.tab import Audience, Tab
from tests.load.measurements.figures import spread
from tests.load.measurements.memory import at_rest
from tests.load.scenarios.attackers import Strength, attack
from tests.load.servers.front_end import FrontEnd
from tests.load.servers.observed import Alive, alive
from tests.load.servers.product import Product

# What a login shell and a container start processes with.
USUAL_FILES = 1_024
# Under the default limit of 200 a minute.
SENDS_PER_SECOND = 3
ANSWER_SECONDS = 20
# The first attack of all loads code and fills caches of fixed size, which is no growth.
REHEARSAL = Strength(100, 4, 400, 20, 8_000_000, 8.0)
ACKNOWLEDGED_MS = 1_000
GROWTH = 0.10
LOG_BYTES = 1_000_000


@dataclass(frozen=True)
class Options:
    """What is done, and how long the server rests before it is looked at again."""

    strength: Strength
    rest_seconds: float


async def under_attack(folder: Path, options: Options) -> dict[str, Any]:
    """The figures of one attack, and under `lines` whether each line is held."""
    observed = folder / "observed.sock"
    front_end = FrontEnd.built()
    product = await Product.filled(
        folder, clinics=2, people=2, conversations=5, profile=None, observed=observed
    )
    cookies = await product.signed_in()
    observed.unlink()
    # The limits people have by default, and what the server logs by default.
    product.settings = {"CLINIC_CHAT_SECRET_KEY": product.settings["CLINIC_CHAT_SECRET_KEY"]}
    with _usual_files():
        await product.start()
    try:
        return await _measured(product, front_end, cookies, observed, options)
    finally:
        product.process.stop()


async def _measured(
    product: Product,
    front_end: FrontEnd,
    cookies: list[list[str]],
    observed: Path,
    options: Options,
) -> dict[str, Any]:
    audience = Audience()
    conversation = product.clinics[0].conversations[0]
    sender, receiver = (
        Tab(product.host, cookie, conversation, audience, front_end) for cookie in cookies[0]
    )
    await sender.open()
    await receiver.open()
    event = front_end.boot("/")["event"]
    with ProcessPoolExecutor(1, get_context("spawn")) as attackers:

        async def attacked(strength: Strength) -> dict[str, int]:
            return await asyncio.get_running_loop().run_in_executor(
                attackers, attack, product.host, cookies[1], event, strength
            )

        await attacked(REHEARSAL)
        # Counting takes memory that the process keeps: it is done once before the first figure.
        before = await asyncio.to_thread(alive, observed)
        resident_before = await at_rest(product.process, options.rest_seconds)
        log_before = product.log_bytes()
        calm = Person(sender, receiver)
        await calm.works(5)
        person = Person(sender, receiver)
        cpu, began = product.process.cpu(), time.monotonic()
        working = asyncio.create_task(person.works(options.strength.seconds))
        done = await attacked(options.strength)
        await working
        cpu_percent = (product.process.cpu() - cpu) / (time.monotonic() - began) * 100
    resident_after = await at_rest(product.process, options.rest_seconds)
    after = await asyncio.to_thread(alive, observed)
    figures = {
        "calm": spread(calm.acknowledged),
        "acknowledged": spread(person.acknowledged),
        "received": spread(person.received),
        "sent": person.sent,
        "not acknowledged": person.failed,
        "not received": person.sent - len(person.received),
        "cut": person.cut,
        "server CPU, % of a core": round(cpu_percent),
        "attackers": done,
        "log bytes": product.log_bytes() - log_before,
        "resident MB before, after": _megabytes(resident_before * 1024, resident_after * 1024),
        "live MB before, after": _megabytes(before.bytes, after.bytes),
        "live objects before, after": (before.objects, after.objects),
        "more of": _more(before, after),
    }
    return figures | {"lines": _lines(figures)}


class Person:
    """Sends from one tab and looks at what arrives in a colleague's."""

    def __init__(self, sender: Tab, receiver: Tab) -> None:
        self._sender, self._receiver = sender, receiver
        self.sent = self.failed = 0
        self.acknowledged: list[float] = []
        """Seconds from each send to its acknowledgement."""
        self.received: list[float] = []
        self.cut = 0

    async def works(self, seconds: float) -> None:
        """Send at a steady pace for so long; a send does not wait for the one before."""
        began = time.monotonic()
        sends = []
        for number in range(int(seconds * SENDS_PER_SECOND)):
            await asyncio.sleep(max(0.0, began + number / SENDS_PER_SECOND - time.monotonic()))
            sends.append(asyncio.create_task(self._send()))
        await asyncio.gather(*sends)
        self.cut = sum(tab.gone.is_set() for tab in (self._sender, self._receiver))

    async def _send(self) -> None:
        self.sent += 1
        audience = self._sender._audience
        began = time.time()
        message, text = audience.deliveries.new(began)
        ask = self._sender.ask(
            "message:send",
            {
                "conversationId": self._sender.conversation,
                "body": text,
                "clientId": str(uuid4()),
            },
        )
        try:
            answer = await asyncio.wait_for(ask, ANSWER_SECONDS)
        except (OSError, TimeoutError):
            answer = {"error": {}}
        if "error" in answer:
            self.failed += 1
            return
        self.acknowledged.append(time.time() - began)
        # The frame to the colleague may come just after the answer.
        give_up = time.monotonic() + ANSWER_SECONDS
        while len(message.received) < 2 and time.monotonic() < give_up:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        if len(message.received) >= 2:
            self.received.append(max(message.received) - began)


def show(figures: dict[str, Any]) -> bool:
    """Print everything and, for each line, whether it is held; whether all are."""
    console = Console(width=140)
    for name, value in figures.items():
        if name != "lines":
            console.print(f"{name}: {value}")
    for line, held in figures["lines"].items():
        console.print(f"{'pass' if held else 'FAIL'}  {line}")
    return all(figures["lines"].values())


def _lines(figures: dict[str, Any]) -> dict[str, bool]:
    slowest = figures["acknowledged"].get("p99_ms", float("inf"))
    live, objects = figures["live MB before, after"], figures["live objects before, after"]
    resident = figures["resident MB before, after"]
    return {
        f"p99 of the acknowledgement {slowest} ms < {ACKNOWLEDGED_MS}": slowest < ACKNOWLEDGED_MS,
        f"{figures['cut']} tabs cut, none may be": not figures["cut"],
        "everything acknowledged and received": not figures["not acknowledged"]
        and not figures["not received"],
        f"live bytes back within 10 % ({_percent(live)})": live[1] <= live[0] * (1 + GROWTH),
        f"live objects back within 10 % ({_percent(objects)})": objects[1]
        <= objects[0] * (1 + GROWTH),
        f"resident back within 10 % ({_percent(resident)})": resident[1]
        <= resident[0] * (1 + GROWTH),
        f"log {figures['log bytes']:,} bytes < {LOG_BYTES:,}": figures["log bytes"] < LOG_BYTES,
    }


def _percent(pair: tuple[float, float]) -> str:
    return f"{(pair[1] / pair[0] - 1) * 100:+.1f} %"


def _megabytes(before: float, after: float) -> tuple[float, float]:
    return round(before / 2**20, 1), round(after / 2**20, 1)


def _more(before: Alive, after: Alive) -> dict[str, int]:
    more = {name: n - before.types.get(name, 0) for name, n in after.types.items()}
    return dict(sorted(((k, n) for k, n in more.items() if n > 10), key=lambda one: -one[1])[:12])


@contextmanager
def _usual_files() -> Iterator[None]:
    ours, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(USUAL_FILES, most), most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (ours, most))


def weakened(strength: Strength, share: float) -> Strength:
    """The same attack with this share of everything but its length."""
    return replace(
        strength,
        silent=int(strength.silent * share),
        sockets=max(1, int(strength.sockets * share)),
        events_per_second=max(10, int(strength.events_per_second * share)),
        sign_ins=int(strength.sign_ins * share),
        packet_bytes=int(strength.packet_bytes * share),
    )
