"""Is a conversation of 5,000 messages opened as fast as one of 50?

`python -m tests.load.queries.thread_opening` measures the server's time for what opening shows
(the newest page, the conversation's row, this person's marker and draft), in turns, on a SQLite
file.
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from uuid import UUID

import orjson

from clinic_chat.cache.hybrid import MEGABYTE, HybridCache
from clinic_chat.cache.memory import MemoryLevel
from clinic_chat.domain.accounts.users import create_user
from clinic_chat.domain.clinics.actors import SYSTEM, Role, StaffActor
from clinic_chat.domain.clinics.clinic import create_clinic
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import load_conversation
from clinic_chat.domain.messages.appending import append_message
from clinic_chat.domain.messages.message import Direction
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.process_channel import ProcessChannel
from clinic_chat.realtime.feeds.cached.thread_pages import ThreadPages
from clinic_chat.realtime.feeds.protocol import Snapshot
from clinic_chat.realtime.feeds.thread import ThreadFeed
from clinic_chat.realtime.presence.activity import Activity
from clinic_chat.realtime.presence.leases import Leases
from clinic_chat.storage.database import Database
from clinic_chat.storage.migrate import migrate

SHORT, LONG = 50, 5_000
ROUNDS = 200
WARM_UP = 20
ALLOWED_RATIO = 1.5
BODY = "Bom dia, preciso remarcar a consulta de quinta-feira para a semana que vem."


async def conversation_of(scope: ClinicScope, phone: str, messages: int) -> str:
    """A new conversation with so many messages; its id."""
    first = await receive_message(
        scope, name="Paciente", phone=phone, body=BODY, external_id=f"{phone}:1"
    )
    async with scope.write() as session:
        conversation = await load_conversation(session, first.message.conversation_id)
        for number in range(2, messages + 1):
            append_message(
                session,
                conversation,
                direction=Direction.INBOUND,
                author_name="Paciente",
                body=BODY,
                origin="api",
                client_id=f"{phone}:{number}",
            )
    return first.message.conversation_id


def _nobody_is_active() -> Activity:
    async def tell(*_: object) -> None:
        """Nobody listens."""

    channel = ProcessChannel(None, b"")
    return Activity(tell, tell, Leases(channel), channel)


async def seconds_to_open(scope: ClinicScope, conversation_id: str) -> float:
    """How long the server takes to read what opening shows."""
    cache = HybridCache(MemoryLevel(MEGABYTE))
    feed = ThreadFeed(_nobody_is_active(), ThreadPages(cache, lambda _: False))
    began = perf_counter()
    async with scope.read_snapshot() as moment:
        opened = await feed.start(moment, conversation_id, {}, None)
    seconds = perf_counter() - began
    assert isinstance(opened.content, Snapshot)
    assert len(orjson.loads(orjson.dumps(opened.content.items))) == 30
    return seconds


async def measure(folder: Path) -> dict[int, list[float]]:
    """The times by the number of messages."""
    url = f"sqlite+aiosqlite:///{folder / 'clinic_chat.db'}"
    await migrate(url)
    database = Database(url)
    clinic = await create_clinic(database, "benchmark", "Benchmark")
    ana = await create_user(database, clinic.id, "ana@example.com", "Ana", "correct horse battery")
    scope = ClinicScope(database, clinic.id, StaffActor(UUID(str(ana.id)), Role.RECEPTIONIST))
    channel = ClinicScope(database, clinic.id, SYSTEM)
    ids = {
        size: await conversation_of(channel, f"+5521900000{size:04}", size)
        for size in (SHORT, LONG)
    }
    times: dict[int, list[float]] = {SHORT: [], LONG: []}
    # In turns, so that whatever else the machine does slows both.
    for _ in range(WARM_UP + ROUNDS):
        for size, conversation_id in ids.items():
            times[size].append(await seconds_to_open(scope, conversation_id))
    await database.close()
    return {size: measured[WARM_UP:] for size, measured in times.items()}


def main() -> int:
    """0 when the long conversation opens about as fast as the short one."""
    with tempfile.TemporaryDirectory() as folder:
        times = asyncio.run(measure(Path(folder)))
    short, long = median(times[SHORT]), median(times[LONG])
    ratio = long / short
    sys.stdout.write(
        f"{SHORT} messages: median {1000 * short:.2f} ms; {LONG} messages: median "
        f"{1000 * long:.2f} ms; ratio {ratio:.2f} (at most {ALLOWED_RATIO} is allowed)\n"
    )
    return 0 if ratio <= ALLOWED_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
