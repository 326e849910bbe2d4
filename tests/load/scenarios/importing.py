"""A clinic's past is imported while its staff work: what a send and its receipts take meanwhile."""

import asyncio
import csv
import itertools
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.load.clients.crowd import arrive, leave
from tests.load.clients.deliveries import Deliveries
from tests.load.clients.staff import Staff
from tests.load.clients.tab import Audience, Tab
from tests.load.measurements.figures import spread
from tests.load.scenarios.talk import drained
from tests.load.servers.front_end import FrontEnd
from tests.load.servers.process import server_cores
from tests.load.servers.product import Product

CONVERSATIONS = 40
PEOPLE = 20
TURNS = 10
RATE = 5.0
WARM_UP_SECONDS = 5


@dataclass(frozen=True)
class Options:
    """How many tabs look, how long they work undisturbed, and how many messages are imported."""

    count: int
    calm_seconds: float
    messages: int


async def importing(folder: Path, options: Options) -> dict[str, Any]:
    """Figures of the calm and of the import."""
    front_end = FrontEnd.built()
    product = await Product.filled(
        folder, clinics=1, people=PEOPLE, conversations=CONVERSATIONS, profile=None
    )
    (cookies,) = await product.signed_in()
    await product.start()
    audience = Audience()
    staff = Staff(audience)
    try:
        conversation = product.clinics[0].conversations[0]
        crowd = [
            Tab(product.host, cookies[n % PEOPLE], conversation, audience, front_end)
            for n in range(options.count)
        ]
        await arrive(product.process, crowd)
        calm = asyncio.Event()

        async def for_(seconds: float) -> None:
            await asyncio.sleep(seconds)
            calm.set()

        await _work(staff, audience, crowd, calm, for_(WARM_UP_SECONDS))
        calm.clear()
        before = await _work(staff, audience, crowd, calm, for_(options.calm_seconds))
        ended = asyncio.Event()
        dialogues = folder / "past.csv"
        write(dialogues, options.messages)
        rates: list[float] = []

        async def import_all() -> None:
            try:
                rates.extend(await _import(product, dialogues))
            finally:
                ended.set()

        during = await _work(staff, audience, crowd, ended, import_all())
        await leave(crowd)
    finally:
        product.process.stop()
    return {
        "before": before,
        "during": during,
        "messages_a_second": rates,
        "faults": dict(audience.faults),
    }


def write(file: Path, messages: int) -> None:
    """A CSV file with dialogues of `TURNS` turns."""
    said = "\n".join(
        f"{'Doctor' if turn % 2 else 'Patient'}: Bom dia, é a mensagem {turn} desta conversa."
        for turn in range(TURNS)
    )
    with file.open("w", newline="") as output:
        rows = csv.writer(output)
        rows.writerow(["ID", "section_header", "dialogue"])
        rows.writerows([number, "CC", said] for number in range(messages // TURNS))


async def _import(product: Product, file: Path) -> list[float]:
    """Messages a second in the first and in the last fifth of the import."""
    command = [sys.executable, "-c", _IMPORT, str(file), product.clinics[0].slug]
    process = await asyncio.create_subprocess_exec(
        *command,
        env=product.environment(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=_on_all_cores,
    )
    assert process.stdout
    marks: list[tuple[float, int]] = []
    async for line in process.stdout:
        match line.split():
            case [b"done", done, total]:
                marks.append((time.monotonic(), int(done)))
                all_rows = int(total)
    if await process.wait():
        raise SystemExit("the import failed")
    fifth = all_rows // 5

    def rate(first: int, last: int) -> float:
        part = [mark for mark in marks if first <= mark[1] <= last]
        return round((part[-1][1] - part[0][1]) * TURNS / (part[-1][0] - part[0][0]), 1)

    return [rate(0, fifth), rate(all_rows - fifth, all_rows)]


# The command's own work, with its progress in lines that can be read.
_IMPORT = """
import sys
from pathlib import Path
from clinic_chat.cli.running import with_database
from clinic_chat.domain.clinics.actors import SYSTEM
from clinic_chat.domain.clinics.clinic import find_clinic
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.imports.importer import import_dialogues

async def work(database):
    clinic = await find_clinic(database, sys.argv[2])
    def show(done, total):
        print("done", done, total, flush=True)
    await import_dialogues(ClinicScope(database, clinic.id, SYSTEM), Path(sys.argv[1]), show)

with_database(work)
"""


def _on_all_cores() -> None:
    os.sched_setaffinity(0, server_cores() | os.sched_getaffinity(0))


async def _work(
    staff: Staff, audience: Audience, crowd: list[Tab], ended: asyncio.Event, until: Any
) -> dict[str, Any]:
    """Send at a steady rate until `until` has set `ended`; the latencies."""
    audience.deliveries = deliveries = Deliveries()
    ending = asyncio.create_task(until)
    turns = itertools.cycle(crowd)
    start = time.monotonic()
    for number in itertools.count():
        await asyncio.sleep(max(0.0, start + number / RATE - time.monotonic()))
        if ended.is_set():
            break
        staff.send(next(turns), *deliveries.new(time.time()))
    await ending
    await drained(deliveries, len(crowd))
    messages = list(deliveries.messages.values())
    return {
        **deliveries.summary(len(crowd)),
        "seconds": round(time.monotonic() - start, 1),
        "send": spread(m.answered_at - m.sent_at for m in messages if m.answered_at),
    }


def show(figures: dict[str, Any]) -> None:
    """Print both halves beside each other."""
    table = Table(title="importing")
    for column in ("", "calm", "import", "ratio"):
        table.add_column(column, justify="left" if not column else "right")
    before, during = figures["before"], figures["during"]
    for name in ("send", "send_to_receipt"):
        for part in ("p50_ms", "p99_ms", "max_ms"):
            calm, busy = before[name][part], during[name][part]
            table.add_row(f"{name} {part}", f"{calm}", f"{busy}", f"{busy / calm:.2f}")
    for name in ("messages", "missed", "doubled", "seconds"):
        table.add_row(name, str(before[name]), str(during[name]), "")
    first, last = figures["messages_a_second"]
    table.add_row("imported messages a second, first and last fifth", f"{first}", f"{last}", "")
    console = Console()
    if not console.is_terminal:
        console.width = 120
    console.print(table)
    console.print(f"faults: {figures['faults']}")
