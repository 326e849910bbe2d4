"""Do lists, counts and searches of 200,000 conversations take no longer than of 20,000?

`python -m tests.load.queries.volume` measures the server's time for each on a file of SQLite and
on a PostgreSQL of its own, both sizes in turns, with a million messages in each.
"""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any
from uuid import UUID, uuid4

import typer

from clinic_chat.domain.clinics.actors import SYSTEM
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.messages.read_markers import mark_read
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.messages.sending import Sends
from clinic_chat.domain.queries.filters import AssigneeFilter, Filter
from clinic_chat.domain.queries.inbox import list_conversations, overview
from clinic_chat.domain.queries.message_pages import messages_page
from clinic_chat.storage.database import Database
from clinic_chat.storage.migrate import migrate
from tests.load.measurements.figures import spread
from tests.load.servers.volume import LargeClinic, fill_volume
from tests.load.servers.volume_rows import BODY, LAST_AT, RARE_NAME, SPACING, Volume
from tests.support.servers.postgresql import new_database, postgresql

SIZES = (Volume(20_000, 50), Volume(200_000, 5))
# As a server of one's own is, apart from its memory.
DURABLE = "-c listen_addresses='' -c shared_buffers=256MB -c max_connections=100"
Times = dict[str, list[float]]


@dataclass
class Measured:
    """A clinic, and how long each thing took in it, in seconds."""

    name: str
    size: Volume
    clinic: LargeClinic
    cursor: str
    """Of the list's second page."""
    times: Times = field(default_factory=dict)
    number: int = 0

    @property
    def staff(self) -> ClinicScope:
        return self.clinic.scope

    @property
    def middle(self) -> str:
        """The cursor of a page in the middle of the list."""
        at = LAST_AT - SPACING * (self.size.conversations // 2)
        return f"{at.isoformat()}_{self.clinic.conversations[0]}"

    @property
    def some_phone(self) -> str:
        """Another phone number each time."""
        self.number += 7_919
        return self.clinic.phones[self.number % len(self.clinic.phones)]

    def next_conversation(self) -> UUID:
        """Another conversation each time, from everywhere in the list."""
        self.number += 7_919
        return self.clinic.conversations[self.number % len(self.clinic.conversations)]


async def _receive(of: Measured) -> None:
    channel = ClinicScope(of.staff.database, of.staff.clinic_id, SYSTEM)
    key = str(uuid4())
    await receive_message(channel, name="", phone=of.some_phone, body=BODY, external_id=key)


async def _receive_new(of: Measured) -> None:
    of.number += 1
    channel = ClinicScope(of.staff.database, of.staff.clinic_id, SYSTEM)
    name, phone = f"Maria Nova {of.number % 50} Silva", f"+55719{of.number % 100_000_000:08}"
    await receive_message(channel, name=name, phone=phone, body=BODY, external_id=str(uuid4()))


async def _send(of: Measured) -> None:
    sends = Sends(of.staff.database)
    await sends.send(of.staff, str(of.next_conversation()), BODY, str(uuid4()))


def _listing(**filters: Any) -> Callable[[Measured], Awaitable[Any]]:
    return lambda of: list_conversations(of.staff, Filter(**filters))


MINE = AssigneeFilter.MINE
STEPS: dict[str, Callable[[Measured], Awaitable[Any]]] = {
    "inbox, first page and counts": lambda of: overview(of.staff),
    "inbox, next page": lambda of: list_conversations(of.staff, cursor=of.cursor),
    "inbox, page in the middle": lambda of: list_conversations(of.staff, cursor=of.middle),
    "counts": lambda of: overview(of.staff, rows=False),
    "mine and pending": _listing(who=MINE, status="pending"),
    "unread": _listing(unread=True),
    "rare search": _listing(search=RARE_NAME),
    "search for nobody": _listing(search="Nobody Xyz"),
    "search by phone": lambda of: list_conversations(of.staff, Filter(search=of.some_phone)),
    "search by its last digits": lambda of: list_conversations(
        of.staff, Filter(search=of.some_phone[-5:])
    ),
    "common search": _listing(search="maria"),
    "search by first and last name": _listing(search="zoe zanetti"),
    "thread page": lambda of: messages_page(of.staff, str(of.next_conversation())),
    "inbound": _receive,
    "inbound of a new patient": _receive_new,
    "send": _send,
    "read": lambda of: mark_read(of.staff, str(of.next_conversation()), 10_000),
}


async def measure(measured: list[Measured], rounds: int) -> None:
    """Take each step in each clinic in turn, so that whatever else runs slows all of them."""
    for number in range(rounds + 2):
        for of in measured:
            if number == 2:
                of.times.clear()
            for name, step in STEPS.items():
                began = perf_counter()
                await step(of)
                of.times.setdefault(name, []).append(perf_counter() - began)


def show(measured: list[Measured]) -> None:
    """Print p50 and p99 in ms by database and size, and the ratio of the sizes' medians."""
    for place in range(0, len(measured), len(SIZES)):
        small, large = measured[place : place + 2]
        sys.stdout.write(f"\n{small.name}, p50 / p99 in ms\n")
        for name in small.times:
            one, other = spread(small.times[name]), spread(large.times[name])
            sys.stdout.write(
                f"  {name:32} {one['p50_ms']:8} / {one['p99_ms']:8}"
                f" {other['p50_ms']:8} / {other['p99_ms']:8}"
                f"  {other['p50_ms'] / one['p50_ms']:.2f}\n"
            )


async def _filled(url: str, size: Volume, name: str) -> Measured:
    await migrate(url)
    database = Database(url)
    began = perf_counter()
    clinic = await fill_volume(database, size)
    sys.stdout.write(
        f"{name}: {size.conversations:,} conversations of {size.messages_each} messages in"
        f" {perf_counter() - began:.0f} s\n"
    )
    sys.stdout.flush()
    cursor = (await list_conversations(clinic.scope)).cursor
    return Measured(name, size, clinic, cursor)


async def _run(folder: Path, postgres_url: str, rounds: int, share: float) -> None:
    sizes = [Volume(max(100, int(one.conversations * share)), one.messages_each) for one in SIZES]
    measured = []
    for number, size in enumerate(sizes):
        url = f"sqlite+aiosqlite:///{folder / f'{number}.db'}"
        measured.append(await _filled(url, size, "SQLite"))
    for number, size in enumerate(sizes):
        url = await new_database(postgres_url, f"volume_{number}")
        measured.append(await _filled(url, size, "PostgreSQL"))
    await measure(measured, rounds)
    show(measured)
    for of in measured:
        await of.staff.database.close()


def main(
    rounds: Annotated[int, typer.Option(min=1, help="Of every step.")] = 100,
    share: Annotated[float, typer.Option(min=0.001, max=1, help="Of the full size.")] = 1.0,
) -> None:
    """Measure each step in each clinic, in turns."""
    with (
        tempfile.TemporaryDirectory(prefix="clinic-chat-load-") as folder,
        postgresql(DURABLE) as url,
    ):
        asyncio.run(_run(Path(folder), url, rounds, share))


if __name__ == "__main__":
    typer.run(main)
