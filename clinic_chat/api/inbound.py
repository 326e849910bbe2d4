"""What a channel delivers: a patient's message."""

from typing import Annotated

from fastapi import APIRouter, Response, Security
from pydantic import Field

from clinic_chat.api.bearer import CallerScope, TokenRoute, bearer_scheme
from clinic_chat.api.errors import ApiError, error_responses
from clinic_chat.api.schemas import MessageBody, StrictModel, ViewModel
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.messages import receive_message
from clinic_chat.domain.text import BODY_LIMIT, KEY_LIMIT, NAME_LIMIT

# The first part of a domain code is what broke the rule; this is where it is in the request.
FIELDS = {
    "name": "patient.name",
    "phone": "patient.phone",
    "body": "body",
    "externalId": "externalId",
}

router = APIRouter(
    prefix="/api/v1",
    route_class=TokenRoute,
    dependencies=[Security(bearer_scheme)],
    responses=error_responses(400, 401, 413, 415, 422, 429, 500, 503),
)


class InboundPatient(StrictModel):
    """Who wrote."""

    name: Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": NAME_LIMIT})]
    """How the channel names the person; a known patient keeps the name the clinic has."""
    phone: Annotated[str, Field(json_schema_extra={"pattern": r"^\+[1-9][0-9]{6,14}$"})]
    """In E.164; the patient is found by it."""


class InboundMessage(StrictModel):
    """A message from a patient."""

    patient: InboundPatient
    body: Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": BODY_LIMIT})]
    """The text: at least one visible character, no control characters but line breaks and tabs."""
    external_id: Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": KEY_LIMIT})]
    """The channel's own id of the message; the same one again is the same message, for ever."""


class Received(ViewModel):
    """The stored message and its conversation."""

    conversation_id: str
    message: MessageBody


@router.post(
    "/inbound",
    status_code=201,
    tags=["channels"],
    summary="Deliver a patient's message",
    responses={
        200: {"model": Received, "description": "This externalId was delivered before"},
        201: {"description": "The message is stored"},
    },
)
async def inbound(request: InboundMessage, scope: CallerScope, response: Response) -> Received:
    """Store a message once per `externalId`, in the patient's conversation."""
    try:
        stored = await receive_message(
            scope,
            name=request.patient.name,
            phone=request.patient.phone,
            body=request.body,
            external_id=request.external_id,
        )
    except InvalidInput as error:
        field = FIELDS.get(error.code.partition("_")[0])
        raise ApiError(422, error.code, str(error), field=field) from None
    response.status_code = 201 if stored.created else 200
    message = MessageBody.model_validate(stored.message)
    return Received(conversation_id=message.conversation_id, message=message)
