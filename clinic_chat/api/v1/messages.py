"""Endpoints for messages: reading a conversation, and sending into it once per key."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response, Security
from pydantic import Field

from clinic_chat.api.context import context_of
from clinic_chat.api.errors import ApiError, error_responses
from clinic_chat.api.v1.bearer import CallerScope, TokenRoute, bearer_scheme, needs
from clinic_chat.api.v1.conditional import entity_tag, is_current, not_modified
from clinic_chat.api.v1.schemas import ChannelText, Limit, StrictModel
from clinic_chat.domain.accounts.permissions import Permission
from clinic_chat.domain.public_api.messages import ApiMessage
from clinic_chat.domain.public_api.view import ViewModel
from clinic_chat.domain.queries.message_pages import (
    MAX_SEQ,
    extent_of,
    messages_between,
    page_bounds,
)
from clinic_chat.domain.queries.single_message import get_message
from clinic_chat.domain.validation import BODY_LIMIT, KEY_LIMIT

router = APIRouter(
    prefix="/api/v1",
    route_class=TokenRoute,
    dependencies=[Security(bearer_scheme)],
    tags=["messages"],
    responses=error_responses(401, 403, 404, 422, 429, 500, 503),
)
Seq = Annotated[int, Query(ge=0, lt=MAX_SEQ)]


class MessagePage(ViewModel):
    """Messages of a conversation, the oldest first."""

    messages: list[ApiMessage]
    """Of a long text the beginning, with `bodyLength`; `GET /messages/{id}` has all of it."""
    last_seq: int
    """The number of the conversation's newest message, 0 for none."""
    version: int
    """The conversation's, which the messages are at least as new as."""


class OneMessage(ViewModel):
    """A message as it is now."""

    message: ApiMessage


class NewMessage(StrictModel):
    """A message to the patient."""

    body: Annotated[
        ChannelText,
        Field(
            description=f"Up to {BODY_LIMIT:,} characters.",
            json_schema_extra={"minLength": 1, "maxLength": BODY_LIMIT},
        ),
    ]
    client_id: Annotated[
        str | None,
        Field(
            description="Your own id of the message, for those who cannot set "
            f"`Idempotency-Key`: up to {KEY_LIMIT} printable characters."
        ),
    ] = None


@router.get(
    "/conversations/{conversation_id}/messages",
    summary="List a conversation's messages",
    openapi_extra=needs(Permission.READ_CONVERSATIONS),
    response_model=MessagePage,
)
async def list_messages(
    conversation_id: str,
    scope: CallerScope,
    request: Request,
    before: Annotated[
        Seq | None, Query(description="Only messages before this number, the nearest ones.")
    ] = None,
    after: Annotated[
        Seq | None, Query(description="Only messages after this number, the nearest ones.")
    ] = None,
    limit: Limit = 30,
) -> Any:
    """The newest messages, or those before or after a number. Numbers have no holes.

    The answer's ETag is the conversation's version, so that asking again costs next to nothing.
    """
    if before is not None and after is not None:
        raise ApiError(422, "cursor_invalid", "give before or after, not both", field="before")
    async with scope.read_snapshot() as moment:
        now = await extent_of(moment, conversation_id)
        tag = entity_tag(now.id, now.version, now.last_seq, before, after, limit)
        if is_current(request, tag):
            return not_modified(tag)
        first, last = page_bounds(now.last_seq, before=before, after=after, limit=limit)
        found = await messages_between(moment, now.id, first, last)
    page = MessagePage(
        messages=[ApiMessage.of(message) for message in found],
        last_seq=now.last_seq,
        version=now.version,
    )
    return Response(
        page.model_dump_json(by_alias=True),
        headers={"ETag": tag},
        media_type="application/json",
    )


@router.post(
    "/conversations/{conversation_id}/messages",
    status_code=201,
    summary="Send a message",
    openapi_extra=needs(Permission.SEND_MESSAGES),
    responses={
        200: {"model": OneMessage, "description": "This key was sent before: its message"},
        201: {"description": "The message is stored"},
        **error_responses(400, 413, 415),
    },
)
async def send_message(
    conversation_id: str,
    message: NewMessage,
    scope: CallerScope,
    request: Request,
    response: Response,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="Your own id of the message, in quotes or without: "
            f"up to {KEY_LIMIT} printable characters. This or `clientId` is needed.",
        ),
    ] = None,
) -> OneMessage:
    """Send a message to the patient, once per key: repeat it until it is answered.

    A key is one message of the token's program or person, for ever: with another text, or in
    another conversation, the answer is still the first message. The answer means that the message
    is durable; what becomes of it is its `status`.
    """
    key = _key(idempotency_key, message.client_id)
    sends = context_of(request).services.sends
    stored = await sends.send(scope, conversation_id, message.body, key)
    response.status_code = 201 if stored.created else 200
    response.headers["Location"] = f"{router.prefix}/messages/{stored.message.id}"
    return OneMessage(message=ApiMessage.of(stored.message))


@router.get(
    "/messages/{message_id}",
    summary="Read a message",
    openapi_extra=needs(Permission.READ_CONVERSATIONS),
)
async def read_message(message_id: str, scope: CallerScope) -> OneMessage:
    """One message with its delivery status and its whole text, as far as it was kept."""
    return OneMessage(message=ApiMessage.of(await get_message(scope, message_id)))


def _key(header: str | None, client_id: str | None) -> str:
    """The key of a message from the header, the body, or both where they agree."""
    # In quotes by the draft (draft-ietf-httpapi-idempotency-key-header), mostly sent without.
    if header is not None and len(header) > 1 and header[0] == header[-1] == '"':
        header = header[1:-1]
    if header is not None and client_id is not None and header != client_id:
        raise ApiError(
            422, "keys_differ", "Idempotency-Key and clientId are different", field="clientId"
        )
    key = client_id if header is None else header
    if key is None:
        message = "give an Idempotency-Key header or a clientId"
        raise ApiError(422, "missing_field", message, field="clientId")
    return key
