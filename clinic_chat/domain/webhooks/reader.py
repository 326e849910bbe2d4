"""The reader of the event log that queues deliveries, in the transaction that moves it on."""

from collections import Counter
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from clinic_chat.domain.events.log import CommittedEvent, EventType, SubjectKind
from clinic_chat.domain.webhooks.delivery import DeliveryStatus, WebhookDelivery
from clinic_chat.domain.webhooks.webhook import Webhook, WebhookQueue, WebhookState
from clinic_chat.storage.base import now

READER = "webhooks"
# For programs, an event of a message is one of its conversation's row as well.
TOLD: dict[str, tuple[EventType, ...]] = {
    EventType.MESSAGE_NEW: (EventType.MESSAGE_NEW, EventType.CONVERSATION_UPDATED),
    EventType.MESSAGE_UPDATED: (EventType.MESSAGE_UPDATED, EventType.CONVERSATION_UPDATED),
    EventType.CONVERSATION_UPDATED: (EventType.CONVERSATION_UPDATED,),
    EventType.CONVERSATION_DELETED: (EventType.CONVERSATION_DELETED,),
}
"""By the log's type of an event, the types that programs may get of it, in order."""


def queue_deliveries(session: Session, events: list[CommittedEvent]) -> None:
    """Queue what these events are to the clinic's webhooks, in the caller's transaction.

    Of a conversation that was deleted only that is told: what waited of it is forgotten.
    """
    told = [
        event
        for event in events
        if event.subject.kind == SubjectKind.CONVERSATION and event.type in TOLD
    ]
    if not told:
        return
    webhooks = list(session.scalars(select(Webhook)))
    queues = {
        queue.webhook_id: queue
        for queue in session.scalars(
            select(WebhookQueue).where(WebhookQueue.webhook_id.in_([one.id for one in webhooks]))
        )
    }
    gone = {event.subject.id for event in told if event.type == EventType.CONVERSATION_DELETED}
    if gone:
        _forget(session, queues, gone)
        told = [
            event
            for event in told
            if event.type == EventType.CONVERSATION_DELETED or event.subject.id not in gone
        ]
    enabled = [one for one in webhooks if one.state == WebhookState.ENABLED]
    waiting = _waiting(session, [one.id for one in enabled], {one.subject.id for one in told})
    for webhook in enabled:
        for event in told:
            if event.seq > webhook.after_seq:
                _queue(session, webhook, queues[webhook.id], event, waiting)


def _queue(
    session: Session,
    webhook: Webhook,
    queue: WebhookQueue,
    event: CommittedEvent,
    waiting: set[tuple[UUID, UUID]],
) -> None:
    moment = now()
    place = (webhook.id, event.subject.id)
    for ordinal, kind in enumerate(TOLD[event.type]):
        if kind not in webhook.types:
            continue
        session.add(
            WebhookDelivery(
                webhook_id=webhook.id,
                event_seq=event.seq,
                ordinal=ordinal,
                type=kind,
                conversation_id=event.subject.id,
                event_type=event.type,
                event_version=event.subject.version,
                event_payload=event.payload,
                event_at=event.at,
                next_attempt_at=None if place in waiting else moment,
            )
        )
        if place not in waiting:
            waiting.add(place)
            queue.due_at = min(queue.due_at or moment, moment)
        queue.pending += 1
        queue.oldest_at = queue.oldest_at or moment


def _waiting(
    session: Session, webhook_ids: list[UUID], conversation_ids: Collection[UUID]
) -> set[tuple[UUID, UUID]]:
    """The webhooks and conversations of which a delivery is pending."""
    rows = session.execute(
        select(WebhookDelivery.webhook_id, WebhookDelivery.conversation_id)
        .where(
            WebhookDelivery.webhook_id.in_(webhook_ids),
            WebhookDelivery.conversation_id.in_(conversation_ids),
            WebhookDelivery.status == DeliveryStatus.PENDING,
        )
        .distinct()
    )
    return {(row.webhook_id, row.conversation_id) for row in rows}


def _forget(
    session: Session, queues: dict[UUID, WebhookQueue], conversation_ids: Collection[UUID]
) -> None:
    theirs = (
        WebhookDelivery.webhook_id.in_(list(queues)),
        WebhookDelivery.conversation_id.in_(conversation_ids),
    )
    pending = Counter[UUID]()
    for webhook_id, number in session.execute(
        select(WebhookDelivery.webhook_id, func.count())
        .where(*theirs, WebhookDelivery.status == DeliveryStatus.PENDING)
        .group_by(WebhookDelivery.webhook_id)
    ):
        pending[webhook_id] = number
    session.execute(
        delete(WebhookDelivery).where(*theirs).execution_options(synchronize_session=False)
    )
    for webhook_id, number in pending.items():
        queue = queues[webhook_id]
        queue.pending -= number
        if not queue.pending:
            queue.oldest_at = None
