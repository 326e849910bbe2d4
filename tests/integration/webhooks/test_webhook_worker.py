"""Receivers, clinics and processes do not wait for each other, and send nothing twice."""

from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event as Flag
from time import monotonic

import pytest
import time_machine
from sqlalchemy import select

from clinic_chat.domain.webhooks import queue
from clinic_chat.domain.webhooks.deliveries import (
    list_deliveries,
)
from clinic_chat.domain.webhooks.delivery import WebhookDelivery
from clinic_chat.domain.webhooks.queue import CLAIM, claim_deliveries, due_deliveries
from clinic_chat.domain.webhooks.request import Outcome
from clinic_chat.metrics.webhooks import (
    WEBHOOK_ATTEMPTS,
    WEBHOOK_PENDING,
    WEBHOOK_PENDING_SECONDS,
)
from clinic_chat.storage.database import Database
from clinic_chat.workers import webhook_worker
from clinic_chat.workers.webhook_bodies import bodies_of
from tests.conftest import Clinics
from tests.integration.webhooks.receiver import (
    Receiver,
    Sending,
    subscribed,
    write,
)
from tests.support.provider.https_server import Asked
from tests.support.servers.own_server import eventually

pytestmark = pytest.mark.usefixtures("any_database")


async def test_a_receiver_that_stalls_delays_no_other_and_no_other_clinic(
    clinics: Clinics, sending: Sending
) -> None:
    stalls = Flag()

    def stall(_: Asked) -> int:
        stalls.wait(20)
        return 200

    with Receiver(stall) as slow, Receiver() as quick, Receiver() as elsewhere:
        await subscribed(clinics.aurora, slow.url, ("message:new",))
        await subscribed(clinics.aurora, quick.url, ("message:new",))
        await subscribed(clinics.boreal, elsewhere.url, ("message:new",))
        for patient in range(10):
            await write(clinics.aurora, patient, 1)
            await write(clinics.boreal, patient, 1)
        begun = monotonic()
        await sending.queue()
        async with sending.worker.lifespan():
            await eventually(lambda: len(quick.taken) == len(elsewhere.taken) == 10)
            seconds = monotonic() - begun
            assert len(slow.server.asked) == webhook_worker.OF_ONE
            stalls.set()
            await eventually(lambda: len(slow.taken) == 10)

    assert seconds < 5


async def test_of_all_that_fail_there_are_places_left_for_the_others(
    clinics: Clinics, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_worker, "IN_ALL", 4)
    monkeypatch.setattr(webhook_worker, "OF_SLOW", 2)
    stalls = Flag()

    def stall(_: Asked) -> int:
        stalls.wait(20)
        return 500

    with Receiver(lambda _: 500) as bad, Receiver() as quick:
        for _ in range(5):
            await subscribed(clinics.aurora, bad.url, ("message:new",))
        await write(clinics.aurora, 1, 1)
        await sending.send_all()
        assert len(bad.refused) == 5
        bad.answer = stall
        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=6), tick=True):
            await sending.worker.look()
            await eventually(lambda: len(bad.server.asked) == 7)
            await subscribed(clinics.boreal, quick.url, ("message:new",))
            await write(clinics.boreal, 1, 1)
            await sending.queue()
            await sending.worker.look()
            await eventually(lambda: quick.taken)
            assert len(bad.server.asked) == 7
        stalls.set()
        await sending.worker.settled()


async def test_what_waits_and_what_became_of_attempts_is_measured(
    clinics: Clinics, sending: Sending
) -> None:
    delivered, retried = (WEBHOOK_ATTEMPTS.value(result) for result in ("delivered", "retried"))
    with Receiver() as receiver:
        await subscribed(clinics.ana, receiver.url, ("message:new",))
        for patient in range(3):
            await write(clinics.aurora, patient, 1)
        await sending.queue()
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=1), tick=False):
            waiting = await sending.worker.measured()
        await sending.send_all()
        nothing = await sending.worker.measured()
        receiver.answer = lambda _: 500
        await write(clinics.aurora, 1, 2)
        await sending.send_all()

    assert waiting[WEBHOOK_PENDING] == {(): 3}
    assert waiting[WEBHOOK_PENDING_SECONDS][()] == pytest.approx(60, abs=5)
    assert nothing == {WEBHOOK_PENDING: {(): 0}, WEBHOOK_PENDING_SECONDS: {(): 0}}
    assert (await sending.worker.measured())[WEBHOOK_PENDING] == {(): 1}
    assert WEBHOOK_ATTEMPTS.value("delivered") == delivered + 3
    assert WEBHOOK_ATTEMPTS.value("retried") == retried + 1


async def test_a_server_that_ends_waits_a_moment_and_another_goes_on(
    clinics: Clinics, sending: Sending
) -> None:
    stalls = Flag()

    def stall(_: Asked) -> int:
        stalls.wait(20)
        return 200

    with Receiver(stall) as receiver:
        await subscribed(clinics.ana, receiver.url, ("message:new",))
        await write(clinics.aurora, 1, 1)
        await sending.queue()
        async with sending.worker.lifespan():
            await eventually(lambda: receiver.server.asked)
            begun = monotonic()
        assert monotonic() - begun < webhook_worker.STOP_SECONDS + 1
        stalls.set()
        other = Sending(clinics.database)
        with time_machine.travel(datetime.now(UTC) + CLAIM, tick=True):
            await other.send_all()
        await other.worker.stop()

    assert {event.id for event in receiver.taken} == {receiver.taken[0].id}
    assert len(receiver.server.asked) == 2


async def test_two_processes_send_nothing_twice(clinics: Clinics) -> None:
    other = Database(clinics.database.url)
    both = [Sending(clinics.database), Sending(other)]
    try:
        with Receiver() as receiver:
            await subscribed(clinics.ana, receiver.url)
            for number in range(25):
                await write(clinics.aurora, number % 5, number)
            await both[0].queue()
            async with both[0].worker.lifespan(), both[1].worker.lifespan():
                await eventually(lambda: len(receiver.taken) >= 50)
    finally:
        await other.close()

    assert len(receiver.server.asked) == len({event.id for event in receiver.taken}) == 50
    for conversation in {event.conversation for event in receiver.taken}:
        assert receiver.of(conversation) == sorted(receiver.of(conversation))


async def test_what_a_dead_process_had_claimed_another_sends_when_the_claim_is_over(
    clinics: Clinics, sending: Sending
) -> None:
    with Receiver() as receiver:
        webhook, _ = await subscribed(clinics.ana, receiver.url, ("message:new",))
        await write(clinics.aurora, 1, 1)
        await sending.queue()
        async with clinics.aurora.read() as session:
            row = (await session.scalars(select(WebhookDelivery))).one()
        _, due = await due_deliveries(clinics.aurora, row.webhook_id, 1)
        bodies = await bodies_of(clinics.aurora, due)
        claimed = await claim_deliveries(clinics.aurora, "dead", row.webhook_id, bodies)
        assert len(claimed) == 1
        await sending.send_all()
        assert receiver.server.asked == []
        with time_machine.travel(datetime.now(UTC) + CLAIM, tick=True):
            await sending.send_all()
        # What the dead one would have said of it counts no more.
        late = await queue.finish_delivery(
            clinics.aurora, "dead", claimed[0], Outcome(None, "too_slow")
        )

    assert len(receiver.taken) == 1
    assert late.result == "lost"
    (shown,) = (await list_deliveries(clinics.ana, webhook)).deliveries
    assert (shown.status, shown.attempts) == ("delivered", 2)


async def test_the_workers_of_a_server_wake_each_other(
    clinics: Clinics, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_worker, "LOOK_SECONDS", 60.0)
    with Receiver() as receiver:
        await subscribed(clinics.ana, receiver.url, ("message:new",))
        async with sending.log.lifespan(), sending.worker.lifespan():
            for number in range(3):
                await write(clinics.aurora, 1, number)
                await eventually(partial(_has_taken, receiver, number + 1))


def _has_taken(receiver: Receiver, number: int) -> bool:
    return len(receiver.taken) == number
