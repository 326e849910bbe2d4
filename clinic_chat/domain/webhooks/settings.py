"""Webhooks, as administrators and their programs make and change them."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.second_factors.authenticator_app import Seal
from clinic_chat.domain.administration.audit_trail import Action
from clinic_chat.domain.characters import clean_line
from clinic_chat.domain.clinics.scope import ClinicScope, locked_clinic
from clinic_chat.domain.errors import Conflict, InvalidInput
from clinic_chat.domain.events.readers import start_reading, stop_reading
from clinic_chat.domain.webhooks.delivery import WebhookDelivery
from clinic_chat.domain.webhooks.reader import READER
from clinic_chat.domain.webhooks.signing import new_secret
from clinic_chat.domain.webhooks.state import record_webhook, set_state
from clinic_chat.domain.webhooks.views import ClinicWebhook, read_shown, shown
from clinic_chat.domain.webhooks.webhook import (
    DESCRIPTION_LIMIT,
    EVENT_TYPES,
    MAX_WEBHOOKS,
    ROTATION,
    Webhook,
    WebhookQueue,
    WebhookState,
    webhook_of,
)
from clinic_chat.outbound.client import Outbound
from clinic_chat.outbound.errors import OutboundError
from clinic_chat.storage.base import new_id, now

# Of one transaction: messages of the clinic wait for it.
DELETE_BATCH = 1_000


@dataclass(frozen=True)
class NewWebhook:
    """A webhook and its secret. This is the only time that the secret is told."""

    webhook: ClinicWebhook
    secret: str


async def create_webhook(
    scope: ClinicScope,
    seal: Seal,
    outbound: Outbound,
    url: str,
    event_types: Collection[object],
    description: str = "",
) -> NewWebhook:
    """A new webhook, which gets the events from now on.

    It carries messages, so whoever makes one may read conversations too.

    Raises:
        InvalidInput: `url_invalid`, `event_types_invalid` or `description_invalid`.
        Conflict: `too_many_webhooks`.
    """
    require(scope, Permission.MANAGE_WEBHOOKS)
    require(scope, Permission.READ_CONVERSATIONS)
    address = _checked_address(outbound, url)
    types, about = _checked_types(event_types), _checked_description(description)
    secret = new_secret()
    async with scope.write() as session:
        number = await session.scalar(select(func.count()).select_from(Webhook))
        if (number or 0) >= MAX_WEBHOOKS:
            raise Conflict(f"a clinic has at most {MAX_WEBHOOKS}", code="too_many_webhooks")
        await session.run_sync(start_reading, READER)
        row = Webhook(
            id=new_id(),
            url=address,
            description=about,
            event_types=" ".join(types),
            sealed_secret=seal.close(secret),
            state=WebhookState.ENABLED,
            after_seq=locked_clinic(session).last_event_seq,
        )
        session.add(row)
        await session.flush()
        queue = WebhookQueue(webhook_id=row.id, clinic_id=scope.clinic_id, pending=0)
        session.add(queue)
        await record_webhook(session, scope, Action.WEBHOOK_CREATED, row, event_types=types)
        await session.flush()
        return NewWebhook(shown(row, queue), secret)


async def list_webhooks(scope: ClinicScope) -> list[ClinicWebhook]:
    """The clinic's webhooks, the newest first; there are few."""
    require(scope, Permission.MANAGE_WEBHOOKS)
    async with scope.read() as session:
        rows = await session.execute(
            select(Webhook, WebhookQueue)
            .join(WebhookQueue, WebhookQueue.webhook_id == Webhook.id)
            .order_by(Webhook.created_at.desc(), Webhook.id.desc())
        )
        return [shown(row, queue) for row, queue in rows]


async def read_webhook(scope: ClinicScope, webhook_id: object) -> ClinicWebhook:
    """One webhook.

    Raises:
        NotFound: the clinic has no such webhook.
    """
    require(scope, Permission.MANAGE_WEBHOOKS)
    async with scope.read() as session:
        return await read_shown(session, await webhook_of(session, webhook_id))


async def change_webhook(
    scope: ClinicScope,
    outbound: Outbound,
    webhook_id: object,
    *,
    url: str | None = None,
    event_types: Collection[object] | None = None,
    description: str | None = None,
    enabled: bool | None = None,
) -> ClinicWebhook:
    """Change what is given of a webhook.

    One that is disabled keeps what waits for it, gets no further events, and goes on with what
    waited when it is enabled again.

    Raises:
        NotFound: the clinic has no such webhook.
        InvalidInput: as of `create_webhook`.
    """
    require(scope, Permission.MANAGE_WEBHOOKS)
    if url is not None or event_types is not None or enabled:
        # Each of them sends messages to where they did not go before.
        require(scope, Permission.READ_CONVERSATIONS)
    wanted: dict[str, Any] = {}
    if url is not None:
        wanted["url"] = _checked_address(outbound, url)
    if event_types is not None:
        wanted["event_types"] = " ".join(_checked_types(event_types))
    if description is not None:
        wanted["description"] = _checked_description(description)
    async with scope.write() as session:
        row = await webhook_of(session, webhook_id)
        changed = [name for name, value in wanted.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, wanted[name])
        if enabled is not None and enabled != (row.state == WebhookState.ENABLED):
            changed.append("enabled" if enabled else "disabled")
            await set_state(
                session, row, WebhookState.ENABLED if enabled else WebhookState.DISABLED
            )
        if changed:
            await record_webhook(session, scope, Action.WEBHOOK_CHANGED, row, changed=changed)
        return await read_shown(session, row)


async def rotate_secret(scope: ClinicScope, seal: Seal, webhook_id: object) -> str:
    """A new secret; the one before signs too for 24 hours. It is told this once.

    Raises:
        NotFound: the clinic has no such webhook.
    """
    require(scope, Permission.MANAGE_WEBHOOKS)
    require(scope, Permission.READ_CONVERSATIONS)
    secret = new_secret()
    async with scope.write() as session:
        row = await webhook_of(session, webhook_id)
        row.sealed_old_secret, row.old_secret_until = row.sealed_secret, now() + ROTATION
        row.sealed_secret = seal.close(secret)
        await record_webhook(session, scope, Action.WEBHOOK_SECRET_ROTATED, row)
    return secret


async def delete_webhook(scope: ClinicScope, webhook_id: object) -> None:
    """Delete a webhook with everything that waits for it.

    Raises:
        NotFound: the clinic has no such webhook.
    """
    require(scope, Permission.MANAGE_WEBHOOKS)
    while await _delete_some(scope, webhook_id) == DELETE_BATCH:
        pass
    async with scope.write() as session:
        row = await webhook_of(session, webhook_id)
        await record_webhook(session, scope, Action.WEBHOOK_DELETED, row)
        await session.delete(row)
        await session.flush()
        if not await session.scalar(select(func.count()).select_from(Webhook)):
            await session.run_sync(stop_reading, READER)


async def _delete_some(scope: ClinicScope, webhook_id: object) -> int:
    """Delete some deliveries, the newest first: others of a conversation wait for the oldest."""
    async with scope.write() as session:
        row = await webhook_of(session, webhook_id)
        found = await session.scalars(
            select(WebhookDelivery.id)
            .where(WebhookDelivery.webhook_id == row.id)
            .order_by(WebhookDelivery.event_seq.desc())
            .limit(DELETE_BATCH)
        )
        ids = list(found)
        await session.execute(
            delete(WebhookDelivery)
            .where(WebhookDelivery.id.in_(ids))
            .execution_options(synchronize_session=False)
        )
    return len(ids)


def _checked_address(outbound: Outbound, url: str) -> str:
    """An address that events may be sent to.

    Raises:
        InvalidInput: `url_invalid`.
    """
    address = url.strip()
    try:
        outbound.receiver_url(address)
    except OutboundError as error:
        message = f"this address cannot be sent to: {error.failure}"
        raise InvalidInput(message, code="url_invalid") from None
    return address


def _checked_types(event_types: Collection[object]) -> list[str]:
    wanted = {str(one) for one in event_types}
    if not wanted or not wanted <= {str(one) for one in EVENT_TYPES}:
        raise InvalidInput(f"take some of {', '.join(EVENT_TYPES)}", code="event_types_invalid")
    return [one.value for one in EVENT_TYPES if one in wanted]


def _checked_description(description: str) -> str:
    text = clean_line(description)
    if len(text) > DESCRIPTION_LIMIT:
        raise InvalidInput(
            f"a description has at most {DESCRIPTION_LIMIT} characters", code="description_invalid"
        )
    return text
