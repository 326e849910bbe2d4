"""Deliveries, as administrators and their programs look at them and have them sent again."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.second_factors.authenticator_app import Seal
from clinic_chat.domain.administration.audit_trail import Action
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.views import iso
from clinic_chat.domain.errors import Conflict, InvalidInput, NotFound
from clinic_chat.domain.webhooks.delivery import DeliveryStatus, WebhookDelivery
from clinic_chat.domain.webhooks.queue import refresh_queue
from clinic_chat.domain.webhooks.request import Outcome, send_event
from clinic_chat.domain.webhooks.state import record_webhook
from clinic_chat.domain.webhooks.views import ShownDelivery, shown_delivery
from clinic_chat.domain.webhooks.webhook import Webhook, WebhookQueue, webhook_of
from clinic_chat.outbound.client import Outbound
from clinic_chat.storage.base import new_id, now

PAGE_SIZE = 50
TEST_TYPE = "webhook:test"
# Of one transaction: messages of the clinic wait for it.
REPLAY_BATCH = 500


@dataclass(frozen=True)
class DeliveryPage:
    """Deliveries, those of the newest events first; `cursor` continues, "" at the end."""

    deliveries: list[ShownDelivery]
    cursor: str


async def list_deliveries(
    scope: ClinicScope,
    webhook_id: object,
    *,
    status: str = "",
    cursor: str = "",
    limit: int = PAGE_SIZE,
) -> DeliveryPage:
    """A page of a webhook's deliveries, of one `status` where it is given.

    Delivered ones are kept for 7 days, others for 30.

    Raises:
        NotFound: the clinic has no such webhook.
        InvalidInput: `status_invalid` or `cursor_invalid`.
    """
    require(scope, Permission.MANAGE_WEBHOOKS)
    if status and status not in set(DeliveryStatus):
        raise InvalidInput("this is no status of a delivery", code="status_invalid")
    place = (WebhookDelivery.event_seq, WebhookDelivery.ordinal)
    async with scope.read() as session:
        webhook = await webhook_of(session, webhook_id)
        query = select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook.id)
        if status:
            query = query.where(WebhookDelivery.status == status)
        if cursor:
            query = query.where(tuple_(*place) < tuple_(*_place(cursor)))
        found = await session.scalars(
            query.order_by(*(column.desc() for column in place)).limit(limit + 1)
        )
        rows = list(found)
    last = rows[limit - 1] if len(rows) > limit else None
    return DeliveryPage(
        [shown_delivery(row) for row in rows[:limit]],
        f"{last.event_seq}.{last.ordinal}" if last else "",
    )


async def replay_delivery(
    scope: ClinicScope, webhook_id: object, delivery_id: object
) -> ShownDelivery:
    """Send a delivery once more that was parked or delivered, in its turn in the conversation.

    A parked one is the same as before; of one that was delivered, rows are as they are now.

    Raises:
        NotFound: there is no such webhook or delivery.
        Conflict: `delivery_pending`: it waits already.
    """
    require(scope, Permission.MANAGE_WEBHOOKS)
    require(scope, Permission.READ_CONVERSATIONS)
    async with scope.write() as session:
        webhook = await webhook_of(session, webhook_id)
        row = await session.scalar(
            select(WebhookDelivery).where(
                WebhookDelivery.id == _uuid(delivery_id), WebhookDelivery.webhook_id == webhook.id
            )
        )
        if row is None:
            raise NotFound("no such delivery")
        if row.status == DeliveryStatus.PENDING:
            raise Conflict("it waits to be sent already", code="delivery_pending")
        await session.run_sync(_queue_again, webhook, [row])
        await record_webhook(session, scope, Action.WEBHOOK_REPLAYED, webhook, deliveries=1)
        return shown_delivery(row)


async def replay_parked(scope: ClinicScope, webhook_id: object) -> int:
    """Send everything once more that was parked, and return how many that are.

    Raises:
        NotFound: the clinic has no such webhook.
    """
    require(scope, Permission.MANAGE_WEBHOOKS)
    require(scope, Permission.READ_CONVERSATIONS)
    replayed, batch = 0, REPLAY_BATCH
    while batch == REPLAY_BATCH:
        async with scope.write() as session:
            webhook = await webhook_of(session, webhook_id)
            rows = await session.scalars(
                select(WebhookDelivery)
                .where(
                    WebhookDelivery.webhook_id == webhook.id,
                    WebhookDelivery.status == DeliveryStatus.PARKED,
                )
                .order_by(WebhookDelivery.event_seq, WebhookDelivery.ordinal)
                .limit(REPLAY_BATCH)
            )
            batch = await session.run_sync(_queue_again, webhook, list(rows))
            replayed += batch
            if replayed and batch < REPLAY_BATCH:
                await record_webhook(
                    session, scope, Action.WEBHOOK_REPLAYED, webhook, deliveries=replayed
                )
    return replayed


async def send_test_event(
    scope: ClinicScope, seal: Seal, outbound: Outbound, webhook_id: object
) -> Outcome:
    """Send an event without content now, also when the webhook is disabled, and tell the outcome.

    Raises:
        NotFound: the clinic has no such webhook.
    """
    require(scope, Permission.MANAGE_WEBHOOKS)
    async with scope.write() as session:
        webhook = await webhook_of(session, webhook_id)
        await record_webhook(session, scope, Action.WEBHOOK_TESTED, webhook)
    content = {"type": TEST_TYPE, "timestamp": iso(now()), "data": {"type": TEST_TYPE}}
    message = {"id": f"msg_{new_id().hex}", "body": orjson.dumps(content).decode()}
    return await send_event(outbound, seal, scope.clinic_id, webhook, message)


def _queue_again(session: Session, webhook: Webhook, rows: list[WebhookDelivery]) -> int:
    moment = now()
    for row in rows:
        is_first = not session.scalar(
            select(WebhookDelivery.id)
            .where(
                WebhookDelivery.webhook_id == webhook.id,
                WebhookDelivery.conversation_id == row.conversation_id,
                WebhookDelivery.status == DeliveryStatus.PENDING,
            )
            .limit(1)
        )
        row.status, row.attempts = DeliveryStatus.PENDING, 0
        row.queued_at = row.changed_at = moment
        row.next_attempt_at = moment if is_first else None
        session.flush()
    session.get_one(WebhookQueue, webhook.id).pending += len(rows)
    refresh_queue(session, webhook)
    return len(rows)


def _place(cursor: str) -> tuple[int, int]:
    parts: list[Any] = cursor.split(".")
    if len(parts) != 2 or not all(
        one.isascii() and one.isdigit() and len(one) <= 18 for one in parts
    ):
        raise InvalidInput("this is no cursor", code="cursor_invalid")
    return int(parts[0]), int(parts[1])


def _uuid(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise NotFound("no such delivery") from None
