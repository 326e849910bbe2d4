"""The queue of deliveries: what is due, which process sends it, and what became of it.

A process claims what it sends for `CLAIM`; what it has not finished by then another one sends.
"""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.webhooks.delivery import DeliveryStatus, WebhookDelivery
from clinic_chat.domain.webhooks.request import GONE, Outcome
from clinic_chat.domain.webhooks.webhook import Webhook, WebhookQueue, WebhookState
from clinic_chat.storage.base import now
from clinic_chat.storage.database import Database

# Longer than a request and the two transactions around it take.
CLAIM = timedelta(seconds=30)
RETRY_FOR = timedelta(hours=24)
FAILING_FOR = timedelta(days=5)
SLOW_SECONDS = 5.0
FIRST_RETRY_SECONDS = 5.0
MAX_RETRY_SECONDS = 3_600.0
# A receiver that comes back after so long gets at once what waits for its next attempt.
BACK_AFTER = timedelta(minutes=1)


class Result(StrEnum):
    """What an attempt led to."""

    DELIVERED = "delivered"
    RETRIED = "retried"
    PARKED = "parked"
    LOST = "lost"
    """Another process has it, or it was deleted: nothing was changed."""


@dataclass(frozen=True)
class Finished:
    """What an attempt led to, and the state in which the webhook is to be disabled, if it is."""

    result: Result
    disable: WebhookState | None = None


@dataclass(frozen=True)
class DueWebhook:
    """A webhook of which something is due."""

    id: UUID
    clinic_id: UUID
    pending: int


async def due_webhooks(
    database: Database, limit: int, *, slow: bool, besides: Collection[UUID] = ()
) -> list[DueWebhook]:
    """The webhooks of all clinics of which something is due, those that wait longest first.

    Those whose last attempt failed or took long, the slow ones, and the others are asked for apart,
    so that they have no part in each other's `limit`.
    """
    query = (
        select(WebhookQueue)
        .where(
            WebhookQueue.due_at <= now(),
            WebhookQueue.is_slow.is_(slow),
            WebhookQueue.webhook_id.not_in(besides),
        )
        .order_by(WebhookQueue.due_at)
        .limit(limit)
    )
    async with database.read() as session:
        return [
            DueWebhook(row.webhook_id, row.clinic_id, row.pending)
            for row in await session.scalars(query)
        ]


async def queued_in_all(database: Database) -> tuple[int, datetime | None]:
    """How many deliveries wait, of all webhooks that are enabled, and since when the first does."""
    query = select(func.sum(WebhookQueue.pending), func.min(WebhookQueue.oldest_at)).where(
        WebhookQueue.due_at.is_not(None)
    )
    async with database.read() as session:
        pending, oldest_at = (await session.execute(query)).one()
        return int(pending or 0), oldest_at


async def due_deliveries(
    scope: ClinicScope, webhook_id: UUID, limit: int
) -> tuple[Webhook | None, list[WebhookDelivery]]:
    """A webhook and which of its deliveries are due: at most one of a conversation, oldest first.

    None when it is disabled or deleted.
    """
    require(scope, Permission.MANAGE_WEBHOOKS)
    async with scope.read() as session:
        webhook = await session.scalar(
            select(Webhook).where(Webhook.id == webhook_id, Webhook.state == WebhookState.ENABLED)
        )
        if webhook is None:
            return None, []
        rows = await session.scalars(
            select(WebhookDelivery)
            .where(
                WebhookDelivery.webhook_id == webhook_id,
                WebhookDelivery.next_attempt_at <= now(),
            )
            .order_by(WebhookDelivery.next_attempt_at, WebhookDelivery.event_seq)
            .limit(limit)
        )
        return webhook, list(rows)


async def claim_deliveries(
    scope: ClinicScope, holder: str, webhook_id: UUID, bodies: Mapping[UUID, str | None]
) -> list[WebhookDelivery]:
    """The deliveries of `bodies` that this process sends now, with the body of every attempt.

    One without a body has nothing to say and is deleted. What another process has claimed
    meanwhile is left out.
    """
    require(scope, Permission.MANAGE_WEBHOOKS)

    def claim(session: Session) -> list[WebhookDelivery]:
        webhook = session.scalar(select(Webhook).where(Webhook.id == webhook_id))
        if webhook is None or webhook.state != WebhookState.ENABLED:
            return []
        moment = now()
        rows = session.scalars(
            select(WebhookDelivery).where(
                WebhookDelivery.id.in_(list(bodies)), WebhookDelivery.next_attempt_at <= moment
            )
        ).all()
        claimed = []
        for row in rows:
            row.body = bodies[row.id]
            if row.body is None:
                session.delete(row)
                session.flush()
                _let_next_go(session, row)
                continue
            row.attempts += 1
            row.claimed_by, row.next_attempt_at = holder, moment + CLAIM
            row.changed_at = moment
            claimed.append(row)
        refresh_queue(session, webhook)
        return claimed

    return await scope.transact(claim)


async def finish_delivery(
    scope: ClinicScope, holder: str, delivery: WebhookDelivery, outcome: Outcome
) -> Finished:
    """Store what became of an attempt, and let the conversation's next delivery go on if it ended.

    It is retried for 24 hours, after 5 s at first and then twice as long each time, up to an
    hour, each time between half of that and all of it.
    """
    require(scope, Permission.MANAGE_WEBHOOKS)
    part = random.uniform(0.5, 1.0)  # noqa: S311 - it spreads load

    def finish(session: Session) -> Finished:
        row = session.scalar(
            select(WebhookDelivery).where(
                WebhookDelivery.id == delivery.id, WebhookDelivery.claimed_by == holder
            )
        )
        webhook = session.scalar(select(Webhook).where(Webhook.id == delivery.webhook_id))
        if row is None or webhook is None or row.attempts != delivery.attempts:
            return Finished(Result.LOST)
        moment = now()
        row.claimed_by, row.changed_at = "", moment
        row.last_status, row.last_error = outcome.status, outcome.error
        webhook.last_status, webhook.last_error = outcome.status, outcome.error
        webhook.last_attempt_at = moment
        if not outcome.error:
            row.status, row.body, row.next_attempt_at = DeliveryStatus.DELIVERED, None, None
            _let_next_go(session, row)
            _take_up(session, webhook)
            result = Result.DELIVERED
        elif moment - row.queued_at >= RETRY_FOR:
            row.status, row.next_attempt_at = DeliveryStatus.PARKED, None
            _let_next_go(session, row)
            result = Result.PARKED
        else:
            seconds = min(MAX_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** (row.attempts - 1))
            row.next_attempt_at = moment + timedelta(seconds=seconds * part)
            result = Result.RETRIED
        if outcome.error:
            webhook.failing_since = webhook.failing_since or moment
        refresh_queue(session, webhook)
        is_slow = bool(outcome.error) or outcome.seconds > SLOW_SECONDS
        session.get_one(WebhookQueue, webhook.id).is_slow = is_slow
        return Finished(result, _over(webhook, outcome))

    return await scope.transact_shared(finish)


def refresh_queue(session: Session, webhook: Webhook) -> None:
    """Note what waits for a webhook, and when the next of it is due, in the caller's transaction.

    How many wait is counted by who changes it.
    """
    queue = session.get_one(WebhookQueue, webhook.id)
    due_at = session.scalar(
        select(func.min(WebhookDelivery.next_attempt_at)).where(
            WebhookDelivery.webhook_id == webhook.id,
            # Where the index begins: most have none.
            WebhookDelivery.next_attempt_at.is_not(None),
        )
    )
    queue.due_at = due_at if webhook.state == WebhookState.ENABLED else None
    queue.oldest_at = session.scalar(_pending(webhook.id, WebhookDelivery.queued_at).limit(1))


def _over(webhook: Webhook, outcome: Outcome) -> WebhookState | None:
    if outcome.status == GONE:
        return WebhookState.GONE
    since = webhook.failing_since
    return WebhookState.FAILING if since and now() - since >= FAILING_FOR else None


def _pending(webhook_id: UUID, what: Any) -> Select[Any]:
    """What of a webhook's pending deliveries, in their order."""
    return (
        select(what)
        .where(
            WebhookDelivery.webhook_id == webhook_id,
            WebhookDelivery.status == DeliveryStatus.PENDING,
        )
        .order_by(WebhookDelivery.event_seq, WebhookDelivery.ordinal)
    )


def _let_next_go(session: Session, ended: WebhookDelivery) -> None:
    """One delivery is pending no more: the next of its conversation is due."""
    session.get_one(WebhookQueue, ended.webhook_id).pending -= 1
    following = session.scalar(
        _pending(ended.webhook_id, WebhookDelivery)
        .where(WebhookDelivery.conversation_id == ended.conversation_id)
        .limit(1)
    )
    if following is not None:
        following.next_attempt_at = now()


def _take_up(session: Session, webhook: Webhook) -> None:
    """Have a receiver that is back get at once what waits for its next attempt."""
    since, webhook.failing_since = webhook.failing_since, None
    if since is None or now() - since < BACK_AFTER:
        return
    session.execute(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.webhook_id == webhook.id,
            WebhookDelivery.next_attempt_at > now(),
            WebhookDelivery.claimed_by == "",
        )
        .values(next_attempt_at=now())
        .execution_options(synchronize_session=False)
    )
