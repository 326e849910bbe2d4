"""Endpoint for inbound messages: a channel delivers a patient's message."""

from typing import Annotated

from fastapi import APIRouter, Response, Security
from pydantic import ConfigDict, Field

from clinic_chat.api.errors import ApiError, error_responses
from clinic_chat.api.v1.bearer import CallerScope, ChannelRoute, bearer_scheme, needs
from clinic_chat.api.v1.schemas import ChannelText, StrictModel
from clinic_chat.domain.accounts.permissions import Permission
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.messages.inbound import INBOUND_LIMIT, MessageKind
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.public_api.messages import ApiMessage
from clinic_chat.domain.public_api.view import ViewModel

# Enough for the longest text that is kept, at 12 bytes of JSON per character, and other fields.
MAX_BODY_BYTES = 1024 * 1024
# First part of a domain error's code → the field of the request that broke the rule.
FIELDS = {
    "phone": "patient.phone",
    "patientId": "patient.externalId",
    "body": "body",
    "externalId": "externalId",
}


class InboundRoute(ChannelRoute):
    """A route for messages, which may be long."""

    max_body_bytes = MAX_BODY_BYTES


router = APIRouter(
    prefix="/api/v1",
    route_class=InboundRoute,
    dependencies=[Security(bearer_scheme)],
    responses=error_responses(400, 401, 403, 413, 415, 422, 429, 500, 503),
)


class ChannelModel(StrictModel):
    """A request body of a channel; unknown fields are allowed, and nothing is converted."""

    model_config = ConfigDict(extra="allow")


class InboundPatient(ChannelModel):
    """The patient who wrote."""

    name: ChannelText | None = None
    """The person's name in the channel. Without a real name their number is shown; a name that the
    clinic has on file is kept, and a different one is shown beside it."""
    phone: ChannelText | None = None
    """Best in E.164; a number without a country code is Brazilian, and a text that is no phone
    number is an address like any other. The patient is found by it unless there is an
    `externalId`, with which it may be left out."""
    external_id: ChannelText | None = None
    """The delivering system's own id of the patient, who is found by it first, so that two people
    with one number stay two patients."""


class InboundMessage(ChannelModel):
    """A message from a patient. It needs a `body` or a `kind`; its text is cleaned, not refused.

    When there are fields that are not named here, the thread says that something was not shown.
    """

    patient: InboundPatient
    body: Annotated[
        ChannelText | None, Field(description=f"The text; {INBOUND_LIMIT:,} characters are kept.")
    ] = None
    kind: Annotated[
        ChannelText | None,
        Field(
            description="What was sent: "
            + ", ".join(kind.value for kind in MessageKind)
            + ". Anything else is `unsupported`. The thread says what came; files are not kept.",
            json_schema_extra={"examples": [kind.value for kind in MessageKind]},
        ),
    ] = None
    caption: ChannelText | None = None
    """The words beside a picture, file or place."""
    external_id: Annotated[ChannelText, Field(json_schema_extra={"minLength": 1})]
    """The channel's own id of the message; the same id is the same message, for ever."""
    at: ChannelText | None = None
    """The channel's own time, RFC 3339 with an offset. One that is over 5 minutes ahead, over 30
    days old or not readable is replaced by the server's."""


class Received(ViewModel):
    """The stored message and its conversation."""

    conversation_id: str
    message: ApiMessage


@router.post(
    "/inbound",
    status_code=201,
    tags=["channels"],
    name="deliver_message",
    summary="Deliver a patient's message",
    openapi_extra=needs(Permission.DELIVER_MESSAGES),
    responses={
        200: {"model": Received, "description": "This externalId was delivered before"},
        201: {"description": "The message is stored"},
    },
)
async def inbound(request: InboundMessage, scope: CallerScope, response: Response) -> Received:
    """Store a message once per `externalId`, in the patient's conversation."""
    kind = request.kind
    if kind is None and any((request.model_extra or {}).values()):
        kind = MessageKind.UNSUPPORTED
    if request.patient.phone is None and request.patient.external_id is None:
        raise ApiError(422, "missing_field", "patient.phone is missing", field="patient.phone")
    try:
        stored = await receive_message(
            scope,
            name=request.patient.name,
            phone=request.patient.phone,
            body=request.body,
            external_id=request.external_id,
            patient_id=request.patient.external_id,
            kind=kind,
            caption=request.caption,
            at=request.at,
        )
    except InvalidInput as error:
        field = FIELDS.get(error.code.partition("_")[0])
        raise ApiError(422, error.code, str(error), field=field) from None
    response.status_code = 201 if stored.created else 200
    message = ApiMessage.of(stored.message)
    return Received(conversation_id=message.conversation_id, message=message)
