"""Retention of deliveries to webhooks; of those that are delivered only their fate was kept."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, delete, func, or_, select

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.webhooks.delivery import DeliveryStatus, WebhookDelivery
from clinic_chat.domain.webhooks.queue import refresh_queue
from clinic_chat.domain.webhooks.webhook import Webhook, WebhookQueue
from clinic_chat.storage.base import now
from clinic_chat.storage.database import Database

BATCH = 500
DELIVERED_KEPT = timedelta(days=7)
OTHERS_KEPT = timedelta(days=30)


async def clinics_with_webhooks(database: Database) -> list[UUID]:
    """The clinics that have a webhook."""
    async with database.read() as session:
        return list(await session.scalars(select(WebhookQueue.clinic_id).distinct()))


async def delete_deliveries(scope: ClinicScope) -> int:
    """Delete up to BATCH deliveries that are kept no longer. Returns their number.

    What waits ends with webhooks that are disabled for as long as parked ones are kept.
    """
    require(scope, Permission.DELETE_EXPIRED)
    moment = now()
    ended = {
        DeliveryStatus.DELIVERED: moment - DELIVERED_KEPT,
        DeliveryStatus.PARKED: moment - OTHERS_KEPT,
    }
    disabled = select(Webhook.id).where(Webhook.disabled_at < moment - OTHERS_KEPT)
    over = or_(
        *(
            and_(WebhookDelivery.status == status, WebhookDelivery.changed_at < before)
            for status, before in ended.items()
        ),
        and_(
            WebhookDelivery.status == DeliveryStatus.PENDING,
            WebhookDelivery.webhook_id.in_(disabled),
        ),
    )
    # The newest first: others of a conversation wait for the oldest.
    chosen = select(WebhookDelivery.id).where(over).order_by(WebhookDelivery.event_seq.desc())
    async with scope.write() as session:
        ids = list(await session.scalars(chosen.limit(BATCH)))
        if not ids:
            return 0
        theirs = WebhookDelivery.id.in_(ids)
        waited = await session.execute(
            select(WebhookDelivery.webhook_id, func.count())
            .where(theirs, WebhookDelivery.status == DeliveryStatus.PENDING)
            .group_by(WebhookDelivery.webhook_id)
        )
        numbers = {row[0]: int(row[1]) for row in waited}
        await session.execute(
            delete(WebhookDelivery).where(theirs).execution_options(synchronize_session=False)
        )
        for webhook in await session.scalars(select(Webhook).where(Webhook.id.in_(list(numbers)))):
            (await session.get_one(WebhookQueue, webhook.id)).pending -= numbers[webhook.id]
            await session.run_sync(refresh_queue, webhook)
    return len(ids)
