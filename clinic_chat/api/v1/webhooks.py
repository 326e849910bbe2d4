"""Endpoints for webhooks: a program subscribes to events, and looks after what was not taken."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request, Security

from clinic_chat.api.context import context_of
from clinic_chat.api.errors import error_responses, rate_limited
from clinic_chat.api.v1.bearer import CallerScope, TokenRoute, bearer_scheme, needs
from clinic_chat.api.v1.webhook_schemas import (
    ApiDelivery,
    ApiWebhook,
    CreatedWebhook,
    DeliveryAnswer,
    DeliveryList,
    NewSecret,
    NewWebhookRequest,
    Replayed,
    Tested,
    WebhookAnswer,
    WebhookChange,
    WebhookList,
)
from clinic_chat.domain.accounts.permissions import Permission
from clinic_chat.domain.accounts.second_factors.authenticator_app import Seal
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
from clinic_chat.domain.webhooks.webhook import EVENT_TYPES, MAX_WEBHOOKS, webhook_seal
from clinic_chat.outbound.client import Outbound

TESTS_PER_MINUTE = 30
ONE = "/webhooks/{webhook_id}"
NEEDED = needs(Permission.MANAGE_WEBHOOKS)

router = APIRouter(
    prefix="/api/v1",
    route_class=TokenRoute,
    dependencies=[Security(bearer_scheme)],
    responses=error_responses(400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503),
    tags=["webhooks"],
)


@router.get("/webhooks", summary="List webhooks", openapi_extra=NEEDED)
async def get_webhooks(scope: CallerScope) -> WebhookList:
    """All of them, the newest first."""
    found = await list_webhooks(scope)
    return WebhookList(webhooks=[ApiWebhook(**asdict(one)) for one in found])


@router.post(
    "/webhooks",
    status_code=201,
    summary="Create a webhook",
    description=f"At most {MAX_WEBHOOKS} a clinic. Events: {', '.join(EVENT_TYPES)}.",
    openapi_extra=NEEDED,
)
async def post_webhook(
    wanted: NewWebhookRequest, scope: CallerScope, request: Request
) -> CreatedWebhook:
    """A webhook that gets the events from now on, and its secret."""
    new = await create_webhook(
        scope,
        _seal(request),
        _outbound(request),
        wanted.url,
        wanted.event_types,
        wanted.description,
    )
    return CreatedWebhook(webhook=ApiWebhook(**asdict(new.webhook)), secret=new.secret)


@router.get(ONE, summary="Read a webhook", openapi_extra=NEEDED)
async def get_webhook(webhook_id: str, scope: CallerScope) -> WebhookAnswer:
    """One webhook."""
    return WebhookAnswer(webhook=ApiWebhook(**asdict(await read_webhook(scope, webhook_id))))


@router.patch(ONE, summary="Change a webhook", openapi_extra=NEEDED)
async def patch_webhook(
    webhook_id: str, wanted: WebhookChange, scope: CallerScope, request: Request
) -> WebhookAnswer:
    """Change its address, its events or its description, enable or disable it."""
    changed = await change_webhook(scope, _outbound(request), webhook_id, **wanted.model_dump())
    return WebhookAnswer(webhook=ApiWebhook(**asdict(changed)))


@router.delete(
    ONE,
    status_code=204,
    summary="Delete a webhook",
    responses={204: {"description": "It is gone"}},
    openapi_extra=NEEDED,
)
async def remove_webhook(webhook_id: str, scope: CallerScope) -> None:
    """Delete it with everything that waits for it."""
    await delete_webhook(scope, webhook_id)


@router.post(f"{ONE}/rotate", summary="Make a new secret", openapi_extra=NEEDED)
async def rotate(webhook_id: str, scope: CallerScope, request: Request) -> NewSecret:
    """For 24 hours events are signed with both secrets."""
    return NewSecret(secret=await rotate_secret(scope, _seal(request), webhook_id))


@router.post(f"{ONE}/test", summary="Send a test event", openapi_extra=NEEDED)
async def send_test(webhook_id: str, scope: CallerScope, request: Request) -> Tested:
    """Send an event of the type `webhook:test` now."""
    limits = context_of(request).services.limits
    if seconds := await limits.hit("webhook_tests", str(scope.clinic_id), TESTS_PER_MINUTE):
        raise rate_limited(seconds)
    outcome = await send_test_event(scope, _seal(request), _outbound(request), webhook_id)
    return Tested(delivered=not outcome.error, status=outcome.status or 0, error=outcome.error)


@router.get(f"{ONE}/deliveries", summary="List deliveries", openapi_extra=NEEDED)
async def get_deliveries(
    webhook_id: str,
    scope: CallerScope,
    status: Annotated[str, Query(description="`pending`, `delivered` or `parked`")] = "",
    cursor: Annotated[str, Query(description="As a page before gave it")] = "",
) -> DeliveryList:
    """A page of 50. Delivered ones are kept for 7 days, others for 30."""
    page = await list_deliveries(scope, webhook_id, status=status, cursor=cursor)
    return DeliveryList(
        deliveries=[ApiDelivery(**asdict(one)) for one in page.deliveries], cursor=page.cursor
    )


@router.post(
    f"{ONE}/deliveries/{{delivery_id}}/replay", summary="Replay a delivery", openapi_extra=NEEDED
)
async def replay(webhook_id: str, delivery_id: str, scope: CallerScope) -> DeliveryAnswer:
    """Send a delivery once more that was parked or delivered, with the same `webhook-id`."""
    delivery = await replay_delivery(scope, webhook_id, delivery_id)
    return DeliveryAnswer(delivery=ApiDelivery(**asdict(delivery)))


@router.post(f"{ONE}/replay", summary="Replay everything that was parked", openapi_extra=NEEDED)
async def replay_all(webhook_id: str, scope: CallerScope) -> Replayed:
    """Send everything once more that was parked, in order per conversation."""
    return Replayed(replayed=await replay_parked(scope, webhook_id))


def _seal(request: Request) -> Seal:
    return webhook_seal(context_of(request).services.settings.signing_key())


def _outbound(request: Request) -> Outbound:
    return context_of(request).services.openid.outbound
