"""The state of a webhook: whether it is sent to, and the trail of who changed that."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.administration.audit_trail import Action, record_action
from clinic_chat.domain.clinics.scope import ClinicScope, locked_clinic
from clinic_chat.domain.events.log import SubjectKind
from clinic_chat.domain.webhooks.queue import refresh_queue
from clinic_chat.domain.webhooks.webhook import Webhook, WebhookState, host_of, webhook_of
from clinic_chat.storage.base import now


async def disable_webhook(scope: ClinicScope, webhook_id: object, state: WebhookState) -> None:
    """Stop sending to a webhook that takes nothing; it says why in the audit trail.

    Raises:
        NotFound: the clinic has no such webhook.
    """
    require(scope, Permission.MANAGE_WEBHOOKS)
    async with scope.write() as session:
        row = await webhook_of(session, webhook_id)
        if row.state != WebhookState.ENABLED:
            return
        await set_state(session, row, state)
        await record_webhook(session, scope, Action.WEBHOOK_DISABLED, row, reason=state)


async def set_state(session: AsyncSession, row: Webhook, state: WebhookState) -> None:
    """Enable or disable a webhook in the caller's transaction."""
    row.state = state
    if state == WebhookState.ENABLED:
        row.disabled_at = row.failing_since = None
        row.after_seq = locked_clinic(session).last_event_seq
    else:
        row.disabled_at = now()
    await session.run_sync(refresh_queue, row)


async def record_webhook(
    session: AsyncSession, scope: ClinicScope, action: Action, row: Webhook, **details: Any
) -> None:
    """Write an act about a webhook into the audit trail."""
    subject = (SubjectKind.WEBHOOK, row.id, host_of(row.url))
    await record_action(session, scope, action, subject, **details)
