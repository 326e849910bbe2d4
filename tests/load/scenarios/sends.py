"""Durable sends: how many a second go the whole way, beside a bare loop on the same disk."""

import asyncio
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clinic_chat.storage.sqlite.library import sqlite3
from tests.load.clients.crowd import arrive, dropped, leave
from tests.load.clients.staff import Staff
from tests.load.clients.tab import Audience, Tab
from tests.load.scenarios.talk import drained
from tests.load.servers.front_end import FrontEnd
from tests.load.servers.product import Product
from tests.support.servers.postgresql import DURABLE_OPTIONS, new_database, postgresql

CONVERSATIONS = 40
# One for each tab: what one person does in a minute is limited.
PEOPLE = 50
BODY = "Podemos remarcar para quinta às 15h40, com a mesma profissional, se preferir."


@dataclass(frozen=True)
class Options:
    """How many tabs receive, how many sends are under way at a time, and for how long."""

    count: int
    at_once: int
    seconds: float
    profile: Path | None = None
    postgresql: bool = False
    """Whether on a PostgreSQL of its own, which writes as durably as it does by default."""


async def sends(folder: Path, options: Options) -> dict[str, Any]:
    """Figures of the product and of the bare loop."""
    if not options.postgresql:
        return await _sends(folder, options, None)
    with postgresql(DURABLE_OPTIONS) as server:
        return await _sends(folder, options, await new_database(server, "sends"))


async def _sends(folder: Path, options: Options, url: str | None) -> dict[str, Any]:
    front_end = FrontEnd.built()
    product = await Product.filled(
        folder,
        clinics=1,
        people=PEOPLE,
        conversations=CONVERSATIONS,
        profile=options.profile,
        database_url=url,
    )
    (cookies,) = await product.signed_in()
    await product.start()
    audience = Audience()
    staff = Staff(audience)
    try:
        places = product.clinics[0].conversations
        crowd = [
            Tab(product.host, cookies[n % len(cookies)], places[0], audience, front_end)
            for n in range(options.count)
        ]
        await arrive(product.process, crowd)
        await asyncio.gather(*_senders(staff, audience, crowd, options, time.monotonic() + 2))
        await drained(audience.deliveries, options.count)
        audience.deliveries.messages.clear()
        if options.profile:
            product.process.toggle_profile()
        cpu, began = product.process.cpu(), time.monotonic()
        sent = sum(
            await asyncio.gather(
                *_senders(staff, audience, crowd, options, began + options.seconds)
            )
        )
        seconds = time.monotonic() - began
        used = product.process.cpu() - cpu
        if options.profile:
            product.process.toggle_profile()
        await drained(audience.deliveries, options.count)
        lost = dropped(crowd)
        await leave(crowd)
    finally:
        product.process.stop()
    bare = await asyncio.to_thread(bare_loop, folder / "bare.db", options.seconds)
    return {
        "product": {
            "sends_per_second": round(sent / seconds, 1),
            "bare_per_second": round(bare, 1),
            "share_of_bare": round(sent / seconds / bare, 3),
            "cpu_ms_per_message": round(used / sent * 1000, 2),
            **audience.deliveries.summary(options.count),
            "dropped": lost,
            "faults": dict(audience.faults),
        },
        "floors": {},
    }


def _senders(
    staff: Staff, audience: Audience, crowd: list[Tab], options: Options, until: float
) -> list[Any]:
    async def send(tab: Tab) -> int:
        count = 0
        while time.monotonic() < until:
            message, text = audience.deliveries.new(time.time())
            count += bool(await staff.sent(tab, message, text))
        return count

    return [send(crowd[number % len(crowd)]) for number in range(options.at_once)]


def bare_loop(file: Path, seconds: float) -> float:
    """Transactions a second of what a send writes, with nothing around it."""
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        for statement in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            "CREATE TABLE clinics (id INTEGER PRIMARY KEY, last_event_seq INTEGER)",
            "CREATE TABLE conversations (id INTEGER PRIMARY KEY, last_seq INTEGER, preview TEXT)",
            "CREATE TABLE messages (conversation INTEGER, seq INTEGER, body TEXT, client_id TEXT"
            " UNIQUE, PRIMARY KEY (conversation, seq))",
            "CREATE TABLE events (clinic INTEGER, seq INTEGER, payload TEXT,"
            " PRIMARY KEY (clinic, seq))",
            "INSERT INTO clinics VALUES (1, 0)",
            "INSERT INTO conversations VALUES (1, 0, '')",
        ):
            database.execute(statement)
        began = time.monotonic()
        number = 0
        while time.monotonic() - began < seconds:
            number += 1
            database.execute("BEGIN IMMEDIATE")
            database.execute("SELECT 1 FROM messages WHERE client_id = ?", [str(number)])
            database.execute(
                "INSERT INTO messages VALUES (1, ?, ?, ?)", [number, BODY, str(number)]
            )
            database.execute("UPDATE conversations SET last_seq = ?, preview = ?", [number, BODY])
            database.execute("INSERT INTO events VALUES (1, ?, ?)", [number, BODY])
            database.execute("UPDATE clinics SET last_event_seq = ?", [number])
            database.execute("COMMIT")
        return number / (time.monotonic() - began)
