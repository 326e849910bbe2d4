"""One attempt to send an event to its receiver."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import perf_counter
from uuid import UUID

from clinic_chat.domain.accounts.second_factors.authenticator_app import Seal
from clinic_chat.domain.webhooks.signing import signed_headers
from clinic_chat.domain.webhooks.webhook import Webhook
from clinic_chat.outbound.client import Outbound
from clinic_chat.outbound.errors import Failure, OutboundError
from clinic_chat.storage.base import now

GONE = 410
SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - why it was not sent
"""The secret was sealed with another key of the server's."""

INTERNAL = "internal"
"""A fault of ours; it is in the log."""


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt: the HTTP status, None without an answer, and what was wrong."""

    status: int | None
    error: str = ""
    """A word of `Failure` or one of the above; "" when the receiver has taken it."""
    seconds: float = field(default=0.0, compare=False)


async def send_event(
    outbound: Outbound, seal: Seal, owner: UUID, webhook: Webhook, message: Mapping[str, str]
) -> Outcome:
    """Send a message, its `id` and its `body`, to a webhook's receiver.

    A status of 200 to 299 says that it has taken it. `owner` is whose turns it takes (`Outbound`).
    """
    moment = now()
    secrets = _secrets(seal, webhook, moment)
    if not secrets:
        return Outcome(None, SECRET_UNREADABLE)
    headers = signed_headers(secrets, message["id"], message["body"], moment)
    begun = perf_counter()
    try:
        status = await outbound.post_event(
            owner,
            webhook.url,
            message["body"].encode(),
            headers,
            names_of=webhook.clinic_id,
        )
        outcome = _judged(status)
    except OutboundError as error:
        outcome = Outcome(None, error.failure)
    return replace(outcome, seconds=perf_counter() - begun)


def _judged(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome(status)
    return Outcome(status, Failure.REDIRECTED if 300 <= status < 400 else Failure.STATUS)


def _secrets(seal: Seal, webhook: Webhook, moment: datetime) -> list[str]:
    sealed = [webhook.sealed_secret]
    if webhook.old_secret_until and moment < webhook.old_secret_until:
        sealed.append(webhook.sealed_old_secret)
    opened = [seal.open(one) for one in sealed]
    return [one for one in opened if one is not None]
