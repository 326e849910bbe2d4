"""Endpoint for receipts: a channel reports the delivery status of an outbound message."""

from typing import Literal

from fastapi import APIRouter, Security

from clinic_chat.api.errors import error_responses
from clinic_chat.api.v1.bearer import CallerScope, ChannelRoute, bearer_scheme, needs
from clinic_chat.api.v1.schemas import ChannelText, StrictModel
from clinic_chat.domain.accounts.permissions import Permission
from clinic_chat.domain.messages.delivery import report_status
from clinic_chat.domain.public_api.messages import ApiMessage
from clinic_chat.domain.public_api.view import ViewModel

router = APIRouter(
    prefix="/api/v1",
    route_class=ChannelRoute,
    dependencies=[Security(bearer_scheme)],
    responses=error_responses(400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503),
)


class StatusReport(StrictModel):
    """One step of an outbound message."""

    status: Literal["sent", "delivered", "read", "failed"]
    reason: ChannelText = ""
    """Why it failed, as staff will read it: one line of which 200 characters are kept."""
    at: ChannelText | None = None
    """When it happened, as of `at` of a message; never before the message."""


class Reported(ViewModel):
    """The message as it is now."""

    message: ApiMessage


@router.post(
    "/messages/{message_id}/status",
    tags=["channels"],
    name="report_receipt",
    summary="Report a receipt",
    openapi_extra=needs(Permission.REPORT_DELIVERY),
)
async def status(message_id: str, report: StatusReport, scope: CallerScope) -> Reported:
    """Move a message forward. A status behind its own changes nothing and is no error."""
    stored = await report_status(
        scope, message_id, report.status, reason=report.reason, channel_at=report.at
    )
    return Reported(message=ApiMessage.of(stored.message))
