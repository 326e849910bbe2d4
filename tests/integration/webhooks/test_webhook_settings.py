"""Webhooks are made, changed and deleted by those who may, and each act is in the audit trail."""

from dataclasses import asdict
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import time_machine
from sqlalchemy import select

from clinic_chat.domain.accounts.permissions import Permission
from clinic_chat.domain.administration.audit_trail import read_audit_trail
from clinic_chat.domain.clinics.actors import TokenActor
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from clinic_chat.domain.webhooks.deliveries import (
    list_deliveries,
    replay_delivery,
    replay_parked,
    send_test_event,
)
from clinic_chat.domain.webhooks.settings import (
    change_webhook,
    create_webhook,
    delete_webhook,
    list_webhooks,
    read_webhook,
    rotate_secret,
)
from clinic_chat.domain.webhooks.webhook import MAX_WEBHOOKS, URL_LIMIT, Webhook
from clinic_chat.outbound.client import Outbound
from tests.conftest import Clinics
from tests.integration.webhooks.receiver import (
    SEAL,
    Receiver,
    Sending,
    allowing,
    subscribed,
    write,
)

pytestmark = pytest.mark.usefixtures("any_database")

URL = "https://receiver.example/path?key=1"


async def test_the_secret_is_told_once_and_stored_sealed(clinics: Clinics) -> None:
    new = await create_webhook(clinics.ana, SEAL, allowing(), f" {URL} ", ["message:new"], "CRM")
    (shown,) = await list_webhooks(clinics.ana)
    async with clinics.aurora.read() as session:
        row = (await session.scalars(select(Webhook))).one()

    assert new.secret.startswith("whsec_")
    assert (shown.url, shown.description, shown.event_types) == (URL, "CRM", ["message:new"])
    assert shown == new.webhook == await read_webhook(clinics.ana, shown.id)
    assert new.secret not in str(asdict(shown))
    assert new.secret not in row.sealed_secret
    assert SEAL.open(row.sealed_secret) == new.secret


@pytest.mark.parametrize(
    "url",
    [
        *("", "receiver.example", "http://receiver.example", "ftp://receiver.example"),
        *("https://user:word@receiver.example", "https://receiver.example/#part"),
        *("https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1", "https://169.254.169.254"),
        "https://receiver.example/" + "x" * URL_LIMIT,
    ],
)
async def test_an_address_that_cannot_be_sent_to_is_refused(clinics: Clinics, url: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await create_webhook(clinics.ana, SEAL, Outbound(), url, ["message:new"])
    assert refusal.value.code == "url_invalid"


@pytest.mark.parametrize("types", [[], ["message:read"], ["message:new", "administered"]])
async def test_only_events_for_programs_can_be_subscribed_to(
    clinics: Clinics, types: list[str]
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await create_webhook(clinics.ana, SEAL, Outbound(), URL, types)
    assert refusal.value.code == "event_types_invalid"


async def test_a_clinic_has_few(clinics: Clinics) -> None:
    for _ in range(MAX_WEBHOOKS):
        await subscribed(clinics.ana, URL)
    with pytest.raises(Conflict) as refusal:
        await subscribed(clinics.ana, URL)
    assert refusal.value.code == "too_many_webhooks"
    await subscribed(clinics.boreal, URL)


async def test_who_may_not_read_messages_sends_them_nowhere(clinics: Clinics) -> None:
    key, _ = await subscribed(clinics.ana, URL)
    actor = TokenActor(uuid4(), frozenset({Permission.MANAGE_WEBHOOKS}))
    blind = ClinicScope(clinics.database, clinics.aurora.clinic_id, actor)

    assert len(await list_webhooks(blind)) == 1
    await change_webhook(blind, allowing(), key, description="mine", enabled=False)
    for act in (
        create_webhook(blind, SEAL, allowing(), URL, ["message:new"]),
        change_webhook(blind, allowing(), key, url="https://elsewhere.example"),
        change_webhook(blind, allowing(), key, event_types=["message:new"]),
        change_webhook(blind, allowing(), key, enabled=True),
        rotate_secret(blind, SEAL, key),
        replay_delivery(blind, key, key),
        replay_parked(blind, key),
    ):
        with pytest.raises(Forbidden, match=r"conversations\.read"):
            await act


async def test_what_another_clinic_has_is_not_there(clinics: Clinics) -> None:
    with Receiver() as receiver:
        key, _ = await subscribed(clinics.ana, receiver.url, ("message:new",))
        await write(clinics.aurora, 1, 1)
        sending = Sending(clinics.database)
        await sending.send_all()
    (delivery,) = (await list_deliveries(clinics.ana, key)).deliveries
    stranger = clinics.boreal

    assert await list_webhooks(stranger) == []
    for act in (
        read_webhook(stranger, key),
        change_webhook(stranger, allowing(), key, enabled=False),
        rotate_secret(stranger, SEAL, key),
        delete_webhook(stranger, key),
        list_deliveries(stranger, key),
        replay_delivery(stranger, key, delivery.id),
        replay_parked(stranger, key),
        send_test_event(stranger, SEAL, allowing(), key),
    ):
        with pytest.raises(NotFound):
            await act
    own, _ = await subscribed(stranger, URL)
    with pytest.raises(NotFound):
        await replay_delivery(stranger, own, delivery.id)


async def test_every_act_is_in_the_audit_trail_without_secrets(clinics: Clinics) -> None:
    with time_machine.travel(datetime.now(UTC), tick=True), Receiver() as receiver:
        key, secret = await subscribed(clinics.ana, f"{receiver.url}?key=hidden", ("message:new",))
        await change_webhook(clinics.ana, allowing(), key, description="Other")
        await change_webhook(clinics.ana, allowing(), key, description="Other", enabled=True)
        await change_webhook(clinics.ana, allowing(), key, enabled=False)
        await rotate_secret(clinics.ana, SEAL, key)
        outcome = await send_test_event(clinics.ana, SEAL, allowing(), key)
        await delete_webhook(clinics.ana, key)
    trail = (await read_audit_trail(clinics.ana)).entries

    assert outcome.status == 200
    assert [(act.action, act.details) for act in reversed(trail)] == [
        ("webhook.created", {"event_types": ["message:new"]}),
        ("webhook.changed", {"changed": ["description"]}),
        ("webhook.changed", {"changed": ["disabled"]}),
        ("webhook.secret_rotated", {}),
        ("webhook.tested", {}),
        ("webhook.deleted", {}),
    ]
    assert {act.actor_name for act in trail} == {"Ana Souza"}
    assert {act.subject_kind for act in trail} == {"webhook"}
    assert "hidden" not in str(trail)
    assert secret not in str(trail)


async def test_deliveries_come_in_pages_by_status(clinics: Clinics) -> None:
    sending = Sending(clinics.database)
    with Receiver() as receiver:
        key, _ = await subscribed(clinics.ana, receiver.url)
        for number in range(3):
            await write(clinics.aurora, 1, number)
        await sending.send_all()
        receiver.answer = lambda _: 500
        await write(clinics.aurora, 2, 1)
        await sending.send_all()
    await sending.worker.stop()

    found, cursor = [], ""
    while True:
        page = await list_deliveries(clinics.ana, key, cursor=cursor, limit=3)
        found += page.deliveries
        if not (cursor := page.cursor):
            break
    assert [one.status for one in found] == ["pending"] * 2 + ["delivered"] * 6
    assert [one.seq for one in found] == sorted((one.seq for one in found), reverse=True)
    assert len({one.id for one in found}) == 8
    delivered = await list_deliveries(clinics.ana, key, status="delivered", limit=4)
    assert {one.status for one in delivered.deliveries} == {"delivered"}
    rest = await list_deliveries(clinics.ana, key, status="delivered", cursor=delivered.cursor)
    assert (len(rest.deliveries), rest.cursor) == (2, "")
    for status, wrong in (("lost", ""), ("", "1"), ("", "1.x"), ("", "٣.1")):
        with pytest.raises(InvalidInput):
            await list_deliveries(clinics.ana, key, status=status, cursor=wrong)
    with pytest.raises(Conflict) as refusal:
        await replay_delivery(clinics.ana, key, found[0].id)
    assert refusal.value.code == "delivery_pending"
