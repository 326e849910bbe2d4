"""Events reach their receivers: all of them, in order per conversation, whatever receivers do."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from clinic_chat.domain.administration.audit_trail import Action, read_audit_trail
from clinic_chat.domain.conversations.assignment import set_status
from clinic_chat.domain.webhooks import queue
from clinic_chat.domain.webhooks.deliveries import (
    list_deliveries,
    replay_delivery,
    replay_parked,
)
from clinic_chat.domain.webhooks.settings import change_webhook, read_webhook
from clinic_chat.workers import webhook_worker
from tests.conftest import Clinics
from tests.integration.webhooks.receiver import (
    Receiver,
    Sending,
    allowing,
    subscribed,
    verified,
    write,
)
from tests.support.provider.https_server import Asked
from tests.support.sending import send_message

pytestmark = pytest.mark.usefixtures("any_database")

DAY = timedelta(days=1)


def failing(times: int, status: int = 500) -> Callable[[Asked], int]:
    """Refuses so many requests, and takes the others."""
    left = times

    def answer(_: Asked) -> int:
        nonlocal left
        left -= 1
        return status if left >= 0 else 200

    return answer


async def test_every_event_arrives_signed_with_what_sockets_say(
    clinics: Clinics, sending: Sending
) -> None:
    with Receiver() as receiver:
        _, secret = await subscribed(clinics.ana, receiver.url)
        conversation = await write(clinics.aurora, 1, 1)
        await send_message(clinics.ana, conversation, "Bom dia", "1")
        await set_status(clinics.ana, conversation, "resolved")
        await sending.send_all()

    assert [event.type for event in receiver.taken] == [
        *("message:new", "conversation:updated"),
        *("message:new", "conversation:updated"),
        "conversation:updated",
    ]
    first, row, answer, _, resolved = (verified(secret, event) for event in receiver.taken)
    assert first["data"]["message"]["body"] == "Oi 1"
    assert first["data"]["conversationId"] == conversation
    assert set(first) == {"type", "timestamp", "data"}
    assert datetime.fromisoformat(first["timestamp"]).tzinfo is not None
    assert row["data"]["updates"]["patientName"] == "Paula 1"
    assert answer["data"]["message"]["direction"] == "outbound"
    assert resolved["data"]["updates"]["status"] == "resolved"
    headers = receiver.taken[0].headers
    assert headers["user-agent"] == "Clinic-Chat"
    assert headers["content-type"] == "application/json"
    assert len({event.id for event in receiver.taken}) == 5


async def test_only_what_was_subscribed_to_arrives_and_nothing_from_before(
    clinics: Clinics, sending: Sending
) -> None:
    with Receiver() as all_of_it, Receiver() as some:
        await write(clinics.aurora, 1, 1)
        await subscribed(clinics.ana, all_of_it.url)
        await write(clinics.aurora, 1, 2)
        await subscribed(clinics.ana, some.url, ("message:new",))
        await write(clinics.aurora, 1, 3)
        await sending.send_all()

    bodies = [event.data["message"]["body"] for event in some.taken]
    assert bodies == ["Oi 3"]
    assert [event.type for event in all_of_it.taken] == ["message:new", "conversation:updated"] * 2


async def test_a_clinics_events_go_to_its_own_webhooks_alone(
    clinics: Clinics, sending: Sending
) -> None:
    with Receiver() as ours, Receiver() as theirs:
        await subscribed(clinics.aurora, ours.url, ("message:new",))
        await subscribed(clinics.boreal, theirs.url, ("message:new",))
        here = await write(clinics.aurora, 1, 1)
        there = await write(clinics.boreal, 2, 1)
        await sending.send_all()

    assert [event.conversation for event in ours.taken] == [here]
    assert [event.conversation for event in theirs.taken] == [there]


async def test_what_a_receiver_refuses_is_sent_again_in_order_and_others_go_on(
    clinics: Clinics, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "FIRST_RETRY_SECONDS", 0.0)
    broken = ""
    refusals = 5

    def answer(asked: Asked) -> int:
        nonlocal refusals
        if broken.encode() in asked.body and refusals:
            refusals -= 1
            return 500
        return 200

    with Receiver(answer) as receiver:
        await subscribed(clinics.ana, receiver.url)
        broken = await write(clinics.aurora, 1, 1)
        other = await write(clinics.aurora, 2, 1)
        for number in range(2, 5):
            await write(clinics.aurora, 1, number)
            await write(clinics.aurora, 2, number)
        await sending.send_all()
        assert len(receiver.of(other)) == 8
        while len(receiver.of(broken)) < 8:
            await sending.send_all()

    assert receiver.of(broken) == sorted(receiver.of(broken))
    assert receiver.of(other) == sorted(receiver.of(other))
    assert len({event.id for event in receiver.refused}) == 1
    assert {event.body for event in receiver.refused} == {
        event.body for event in receiver.taken if event.id == receiver.refused[0].id
    }


async def test_it_waits_longer_each_time_and_parks_after_a_day(
    clinics: Clinics, sending: Sending
) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock, Receiver() as receiver:
        receiver.answer = lambda _: 503
        webhook, _ = await subscribed(clinics.ana, receiver.url, ("message:new",))
        begun = datetime.now(UTC)
        await write(clinics.aurora, 1, 1)
        await write(clinics.aurora, 1, 2)
        waits = []
        for attempt in range(200):
            await sending.send_all()
            (second, first) = (await list_deliveries(clinics.ana, webhook)).deliveries
            if first.status == "parked":
                break
            due = datetime.fromisoformat(first.next_attempt_at)
            waits.append((due - datetime.now(UTC)).total_seconds())
            clock.move_to(due)
            assert (second.status, second.next_attempt_at) == ("pending", ""), attempt
        for number, wait in enumerate(waits):
            longest = min(3_600.0, 5.0 * 2**number)
            assert longest / 2 - 0.01 <= wait <= longest
        assert DAY <= datetime.now(UTC) - begun <= DAY + timedelta(hours=1)
        assert first.last_error == "status"
        assert first.last_status == 503
        # The next one has its attempt, is of the same day and parked with it.
        await sending.send_all()
        assert {event.data["message"]["body"] for event in receiver.refused} == {"Oi 1", "Oi 2"}

        receiver.answer = lambda _: 200
        assert await replay_parked(clinics.ana, webhook) == 2
        await sending.send_all()

    assert [event.data["message"]["body"] for event in receiver.taken] == ["Oi 1", "Oi 2"]
    assert receiver.taken[0].body == receiver.refused[0].body
    assert receiver.taken[0].id == receiver.refused[0].id


async def test_one_that_comes_back_gets_at_once_what_waits(
    clinics: Clinics, sending: Sending
) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock, Receiver() as receiver:
        receiver.answer = lambda _: 500
        await subscribed(clinics.ana, receiver.url, ("message:new",))
        for patient in range(6):
            await write(clinics.aurora, patient, 1)
        for _ in range(60):
            await sending.send_all()
            clock.shift(timedelta(minutes=1))
        receiver.answer = lambda _: 200
        # Whichever of them is due first brings the others.
        while not receiver.taken:
            clock.shift(timedelta(minutes=1))
            await sending.send_all()

    assert len(receiver.taken) == 6


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_a_failure_and_leads_nowhere(
    clinics: Clinics, sending: Sending, status: int
) -> None:
    with Receiver() as other, Receiver(lambda _: status) as receiver:
        receiver.headers["Location"] = other.url
        webhook, _ = await subscribed(clinics.ana, receiver.url, ("message:new",))
        await write(clinics.aurora, 1, 1)
        await sending.send_all()
        shown = await read_webhook(clinics.ana, webhook)

    assert other.server.asked == []
    assert (shown.last_error, shown.last_status, shown.pending) == ("redirected", status, 1)


async def test_410_disables_and_what_waits_goes_on_when_it_is_enabled(
    clinics: Clinics, sending: Sending
) -> None:
    with Receiver(failing(1, 410)) as receiver:
        webhook, _ = await subscribed(clinics.ana, receiver.url, ("message:new",))
        await write(clinics.aurora, 1, 1)
        await sending.send_all()
        assert (await read_webhook(clinics.ana, webhook)).state == "gone"
        await write(clinics.aurora, 1, 2)
        await sending.send_all()
        assert receiver.taken == []

        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=6), tick=True):
            await change_webhook(clinics.ana, allowing(), webhook, enabled=True)
            await sending.send_all()
            await write(clinics.aurora, 1, 3)
            await sending.send_all()

    assert [event.data["message"]["body"] for event in receiver.taken] == ["Oi 1", "Oi 3"]
    trail = (await read_audit_trail(clinics.ana)).entries
    (disabled,) = [act for act in trail if act.action == Action.WEBHOOK_DISABLED]
    assert (disabled.actor_kind, disabled.details) == ("system", {"reason": "gone"})


async def test_one_that_takes_nothing_for_five_days_is_disabled(
    clinics: Clinics, sending: Sending
) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock, Receiver() as receiver:
        receiver.answer = lambda _: 500
        webhook, _ = await subscribed(clinics.ana, receiver.url, ("message:new",))
        for day in range(6):
            assert (await read_webhook(clinics.ana, webhook)).state == "enabled"
            await write(clinics.aurora, 1, day)
            await sending.send_all()
            clock.shift(DAY)
        shown = await read_webhook(clinics.ana, webhook)

    assert shown.state == "failing"
    assert shown.disabled_at


async def test_one_for_which_too_much_waits_is_disabled(
    clinics: Clinics, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_worker, "MOST_PENDING", 3)
    with Receiver() as receiver:
        webhook, _ = await subscribed(clinics.ana, receiver.url, ("message:new",))
        for number in range(4):
            await write(clinics.aurora, 1, number)
        await sending.send_all()

    assert (await read_webhook(clinics.ana, webhook)).state == "overfull"
    assert receiver.taken == []


async def test_a_delivered_one_is_replayed_with_the_same_id(
    clinics: Clinics, sending: Sending
) -> None:
    with Receiver() as receiver:
        webhook, _ = await subscribed(clinics.ana, receiver.url, ("message:new",))
        await write(clinics.aurora, 1, 1)
        await sending.send_all()
        (delivery,) = (await list_deliveries(clinics.ana, webhook)).deliveries
        assert (await replay_delivery(clinics.ana, webhook, delivery.id)).status == "pending"
        await sending.send_all()

    first, second = receiver.taken
    assert first.id == second.id
    assert first.data["message"]["body"] == second.data["message"]["body"]
