"""Events are queued once each, whatever becomes of processes; what is deleted is forgotten."""

import asyncio
import signal
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import func, select, update

from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import Conversation
from clinic_chat.domain.events.log import EventType, events_after
from clinic_chat.domain.events.readers import LogReader
from clinic_chat.domain.public_api.events import public_events
from clinic_chat.domain.retention.conversations import delete_over_term
from clinic_chat.domain.retention.webhook_deliveries import (
    DELIVERED_KEPT,
    OTHERS_KEPT,
    clinics_with_webhooks,
    delete_deliveries,
)
from clinic_chat.domain.webhooks.deliveries import list_deliveries
from clinic_chat.domain.webhooks.delivery import WebhookDelivery
from clinic_chat.domain.webhooks.queue import CLAIM, queued_in_all
from clinic_chat.domain.webhooks.reader import TOLD
from clinic_chat.domain.webhooks.settings import change_webhook, delete_webhook, read_webhook
from clinic_chat.domain.webhooks.webhook import EVENT_TYPES
from clinic_chat.storage.database import Database
from clinic_chat.workers import log_worker
from tests.conftest import TEST_KEY, Clinics
from tests.integration.webhooks.receiver import (
    CA_FILE,
    Receiver,
    Sending,
    allowing,
    subscribed,
    write,
)
from tests.support.provider.certificates import ADDRESS

pytestmark = pytest.mark.usefixtures("any_database")

START_SECONDS = 30.0
KILLS = 6
MESSAGES = 120
# Of a killed process a few conversations wait for the end of its claim.
PATIENTS = 40
# Queues and sends without a pause, and says when it has begun.
WORKERS = """
import asyncio, sys
from clinic_chat.settings import Settings
from clinic_chat.storage.database import Database
from clinic_chat.workers import log_worker
from clinic_chat.workers.readers import READERS
from clinic_chat.workers.webhook_worker import WebhookWorker

async def main():
    log_worker.BATCH = 3
    settings = Settings()
    database = Database(settings.database_url)
    log = log_worker.LogWorker(database, READERS)
    worker = WebhookWorker(database, settings)
    print("begun", flush=True)
    while True:
        for reader in READERS:
            await log.catch_up(reader)
        await worker.look()
        await asyncio.sleep(0.01)

asyncio.run(main())
"""


async def queued(scope: ClinicScope) -> list[tuple[int, int, str]]:
    async with scope.read() as session:
        rows = await session.execute(
            select(
                WebhookDelivery.event_seq, WebhookDelivery.ordinal, WebhookDelivery.type
            ).order_by(WebhookDelivery.event_seq, WebhookDelivery.ordinal)
        )
        return [(seq, ordinal, kind) for seq, ordinal, kind in rows]


async def test_what_is_queued_is_what_programs_get_of_the_log(clinics: Clinics) -> None:
    sending = Sending(clinics.database)
    await subscribed(clinics.ana, "https://receiver.example")
    for number in range(3):
        await write(clinics.aurora, number % 2, number)
    await sending.queue()
    await sending.queue()

    told = await public_events(clinics.aurora, await events_after(clinics.aurora, 0))
    assert [(seq, kind) for seq, _, kind in await queued(clinics.aurora)] == [
        (event.seq, event.type) for event in told
    ]
    assert {kind for kinds in TOLD.values() for kind in kinds} == set(EVENT_TYPES)
    assert set(TOLD) == set(EventType) - {EventType.ADMINISTERED}


async def test_processes_that_are_killed_again_and_again_skip_no_event(
    any_database: Database, clinics: Clinics, tmp_path: Path
) -> None:
    environment = {
        "CLINIC_CHAT_DATABASE_URL": any_database.url,
        "CLINIC_CHAT_SECRET_KEY": TEST_KEY,
        "CLINIC_CHAT_OUTBOUND_PRIVATE_HOSTS": ADDRESS,
        "CLINIC_CHAT_OUTBOUND_CA_FILE": str(CA_FILE),
        "CLINIC_CHAT_DATA_DIR": str(tmp_path),
    }
    with Receiver() as receiver:
        await subscribed(clinics.ana, receiver.url)
        writing = asyncio.create_task(_write_all(clinics.aurora))
        for _ in range(KILLS):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", WORKERS),
                cwd=Path(__file__).parents[3],
                env=environment,
                stdout=asyncio.subprocess.PIPE,
            )
            assert process.stdout is not None
            assert await process.stdout.readline() == b"begun\n"
            arrived = len(receiver.server.asked)
            async with asyncio.timeout(START_SECONDS):
                # What the ones before had claimed waits for their claims to end, so at the end of
                # the writing there may be nothing to send.
                while len(receiver.server.asked) <= arrived + 2 and not writing.done():  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            process.send_signal(signal.SIGKILL)
            await process.wait()
        await writing
        sending = Sending(any_database)
        # What the killed ones held is free when it is over.
        later = datetime.now(UTC) + max(CLAIM, log_worker.LEASE) + timedelta(seconds=1)
        with time_machine.travel(later, tick=True):
            await sending.send_all()
        await sending.worker.stop()

    rows = await queued(clinics.aurora)
    assert max(Counter(rows).values()) == 1
    assert {seq for seq, _, _ in rows} == {event.seq for event in receiver.taken}
    assert len({event.id for event in receiver.taken}) == len(rows) == 2 * MESSAGES
    for conversation in {event.conversation for event in receiver.taken}:
        found = receiver.of(conversation)
        # An event may come twice, but none before one that is earlier.
        assert found == sorted(found)
    async with clinics.aurora.read() as session:
        counted = await session.scalar(select(func.count()).select_from(WebhookDelivery))
    assert counted == 2 * MESSAGES
    assert await queued_in_all(any_database) == (0, None)


async def _write_all(scope: ClinicScope) -> None:
    for number in range(MESSAGES):
        await write(scope, number % PATIENTS, number)
        await asyncio.sleep(0.02)


async def test_of_a_deleted_conversation_only_that_is_told(clinics: Clinics) -> None:
    sending = Sending(clinics.database)
    with Receiver(lambda _: 500) as receiver:
        webhook, _ = await subscribed(clinics.ana, receiver.url)
        gone = await write(clinics.aurora, 1, 1)
        await sending.send_all()
        async with clinics.aurora.read() as session:
            bodies = list(await session.scalars(select(WebhookDelivery.body)))
        assert any(body and "Oi 1" in body for body in bodies)
        await _delete_all(clinics)
        other = await write(clinics.aurora, 2, 2)
        receiver.answer = lambda _: 200
        await sending.send_all()
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=1), tick=True):
            await sending.send_all()
        await sending.worker.stop()

    assert [(e.type, e.conversation) for e in receiver.taken if e.conversation == gone] == [
        ("conversation:deleted", gone)
    ]
    assert len(receiver.of(other)) == 2
    shown = await read_webhook(clinics.ana, webhook)
    assert shown.pending == 0


async def _delete_all(clinics: Clinics) -> None:
    """Have the clinic's term be over for what there is."""
    async with clinics.database.write() as session:
        await session.execute(
            update(Clinic)
            .where(Clinic.id == clinics.aurora.clinic_id)
            .values(retention_months=6, retention_from=datetime.now(UTC) - timedelta(days=400))
        )
    async with clinics.aurora.write() as session:
        await session.execute(
            update(Conversation).values(
                status="resolved", last_activity_at=datetime.now(UTC) - timedelta(days=400)
            )
        )
    assert await delete_over_term(clinics.aurora) == 1


async def test_the_log_is_read_where_there_is_a_webhook_and_nowhere_else(
    clinics: Clinics,
) -> None:
    sending = Sending(clinics.database)

    async def readers() -> int:
        async with clinics.database.read() as session:
            return len(list(await session.scalars(select(LogReader))))

    await write(clinics.aurora, 1, 1)
    await sending.queue()
    assert await readers() == 0
    webhook, _ = await subscribed(clinics.ana, "https://receiver.example")
    other, _ = await subscribed(clinics.ana, "https://other.example")
    assert await readers() == 1
    await write(clinics.boreal, 1, 1)
    await sending.queue()
    assert await readers() == 1
    await delete_webhook(clinics.ana, webhook)
    assert await readers() == 1
    await delete_webhook(clinics.ana, other)
    assert await readers() == 0


async def test_a_disabled_webhook_gets_nothing_queued(clinics: Clinics) -> None:
    sending = Sending(clinics.database)
    webhook, _ = await subscribed(clinics.ana, "https://receiver.example", ("message:new",))
    await change_webhook(clinics.ana, allowing(), webhook, enabled=False)
    await write(clinics.aurora, 1, 1)
    # Also what is read after it was enabled again is from before.
    await change_webhook(clinics.ana, allowing(), webhook, enabled=True)
    await write(clinics.aurora, 1, 2)
    await sending.queue()

    assert len((await list_deliveries(clinics.ana, webhook)).deliveries) == 1


async def test_delivered_ones_are_kept_for_a_week_and_others_for_a_month(
    clinics: Clinics,
) -> None:
    sending = Sending(clinics.database)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock, Receiver() as receiver:
        begun = datetime.now(UTC)
        webhook, _ = await subscribed(clinics.ana, receiver.url, ("message:new",))
        await write(clinics.aurora, 1, 1)
        await sending.send_all()
        receiver.answer = lambda _: 500
        await write(clinics.aurora, 2, 1)
        await sending.send_all()
        await change_webhook(clinics.ana, allowing(), webhook, enabled=False)
        assert await clinics_with_webhooks(clinics.database) == [clinics.aurora.clinic_id]
        clock.move_to(begun + DELIVERED_KEPT)
        assert await delete_deliveries(clinics.aurora) == 0
        clock.shift(timedelta(seconds=1))
        assert await delete_deliveries(clinics.aurora) == 1
        clock.move_to(begun + OTHERS_KEPT + timedelta(seconds=1))
        assert await delete_deliveries(clinics.aurora) == 1
        await sending.worker.stop()

    assert (await read_webhook(clinics.ana, webhook)).pending == 0
    assert await queued(clinics.aurora) == []
