"""Endpoints for conversations: listing, reading, starting, assigning and resolving them."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response, Security
from pydantic import Field

from clinic_chat.api.errors import ApiError, error_responses
from clinic_chat.api.v1.bearer import CallerScope, TokenRoute, bearer_scheme, needs
from clinic_chat.api.v1.schemas import Cursor, Limit, Search, StrictModel
from clinic_chat.domain.accounts.permissions import Permission
from clinic_chat.domain.conversations.assignment import (
    AS_IT_IS,
    ConversationChange,
    change_conversation,
)
from clinic_chat.domain.conversations.conversation import Status
from clinic_chat.domain.conversations.starting import start_conversation_with
from clinic_chat.domain.conversations.views import get_conversation
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.patients.entered_identities import EnteredPatient
from clinic_chat.domain.public_api.conversations import ApiConversation
from clinic_chat.domain.public_api.view import ViewModel
from clinic_chat.domain.queries.conversation_pages import Order
from clinic_chat.domain.queries.filters import program_filter
from clinic_chat.domain.queries.inbox import list_conversations

router = APIRouter(
    prefix="/api/v1/conversations",
    route_class=TokenRoute,
    dependencies=[Security(bearer_scheme)],
    tags=["conversations"],
    responses=error_responses(401, 403, 422, 429, 500, 503),
)

# First part of a domain error's code → the filter, or the field of a body, that broke the rule.
FILTERS = {"assignee", "activeSince"}
FIELDS = {"phone": "patient.phone", "externalId": "patient.externalId", "name": "patient.name"}


class ConversationPage(ViewModel):
    """Conversations in the order that was asked for."""

    conversations: list[ApiConversation]
    next_cursor: str
    """Send it as `cursor` for the next page; empty at the end."""


class OneConversation(ViewModel):
    """A conversation as it is now."""

    conversation: ApiConversation


class ContactedPatient(StrictModel):
    """A patient who may be new: one needs a phone or an `externalId`."""

    name: str | None = None
    """For a new patient; a different name of a known one is shown beside theirs."""
    phone: str | None = None
    """Best in E.164; a number without a country code is Brazilian."""
    external_id: str | None = None
    """Your own id of the patient, who is found by it first."""


class NewConversation(StrictModel):
    """Whom to talk with: a patient's id, or a patient who may be new."""

    patient_id: str | None = None
    patient: ContactedPatient | None = None
    channel: Literal["api"] = "api"


class ChangedConversation(StrictModel):
    """What to change; what is left out stays as it is."""

    status: Literal["open", "pending", "resolved"] | None = None
    assignee_id: str | None = None
    """A colleague's id; null or empty for nobody."""
    expected_assignee_id: Annotated[
        str | None,
        Field(
            description="Whom you believe to have it, null or empty for nobody. When somebody "
            "else has it the answer is 409 `already_assigned`, and nothing is changed."
        ),
    ] = None


@router.get(
    "",
    name="list_conversations",
    summary="List conversations",
    openapi_extra=needs(Permission.READ_CONVERSATIONS),
)
async def list_all_conversations(
    scope: CallerScope,
    status: Annotated[Status | None, Query(description="Any when it is left out.")] = None,
    assignee: Annotated[
        str,
        Query(
            description="`me` (the person of the token), `none`, or an id of `GET /staff`.",
            max_length=40,
        ),
    ] = "",
    search: Search = "",
    active_since: Annotated[
        datetime | None,
        Query(
            alias="activeSince",
            description="Only conversations with a message at this time or later (RFC 3339); "
            "not with `sort=created`.",
        ),
    ] = None,
    sort: Annotated[
        Order,
        Query(
            description="`activity`: the last message first. A conversation that gets a message "
            "during a walk through the pages moves to the front. `created`: the oldest first, "
            "none ever moves, so that a walk meets each exactly once."
        ),
    ] = Order.ACTIVITY,
    cursor: Cursor = "",
    limit: Limit = 30,
) -> ConversationPage:
    """The clinic's conversations, a page at a time; every filter given must match."""
    if sort is Order.CREATED and active_since is not None:
        raise ApiError(
            422, "filter_invalid", "activeSince needs sort=activity", field="activeSince"
        )
    try:
        wanted = program_filter(
            scope, search=search, assignee=assignee, status=status or "", active_since=active_since
        )
    except InvalidInput as error:
        field = error.code.partition("_")[0]
        named = field if field in FILTERS else None
        raise ApiError(422, error.code, str(error), field=named) from None
    page = await list_conversations(scope, wanted, cursor=cursor, limit=limit, order=sort)
    return ConversationPage(
        conversations=[ApiConversation.of(row) for row in page.rows], next_cursor=page.cursor
    )


@router.get(
    "/{conversation_id}",
    summary="Read a conversation",
    openapi_extra=needs(Permission.READ_CONVERSATIONS),
    responses=error_responses(404),
)
async def read_conversation(conversation_id: str, scope: CallerScope) -> OneConversation:
    """One conversation, without its messages."""
    found = await get_conversation(scope, conversation_id)
    return OneConversation(conversation=ApiConversation.of(found))


@router.post(
    "",
    status_code=201,
    summary="Start a conversation",
    openapi_extra=needs(Permission.CHANGE_CONVERSATIONS),
    responses={
        200: {"model": OneConversation, "description": "There is one with this patient"},
        201: {"description": "The conversation is started, without a message"},
        **error_responses(400, 404, 413, 415),
    },
)
async def start_conversation(
    request: NewConversation, scope: CallerScope, response: Response
) -> OneConversation:
    """Start a conversation with a patient. The same again answers with the same conversation.

    A `patient` is found by `externalId`, then by `phone`, as the sender of a message is, and made
    when nobody has them; that needs the permission `patients.change` too.
    """
    if (request.patient_id is None) == (request.patient is None):
        raise ApiError(422, "missing_field", "give either patientId or patient", field="patientId")
    patient: object = request.patient_id
    if request.patient is not None:
        given = request.patient
        patient = EnteredPatient(given.name, given.phone, given.external_id)
    try:
        started = await start_conversation_with(scope, patient, request.channel)
    except InvalidInput as error:
        field = FIELDS.get(error.code.partition("_")[0], "patient")
        raise ApiError(422, error.code, str(error), field=field) from None
    response.status_code = 201 if started.created else 200
    response.headers["Location"] = f"{router.prefix}/{started.conversation.id}"
    return OneConversation(conversation=ApiConversation.of(started.conversation))


@router.patch(
    "/{conversation_id}",
    name="update_conversation",
    summary="Change a conversation",
    openapi_extra=needs(Permission.CHANGE_CONVERSATIONS),
    responses=error_responses(400, 404, 409, 413, 415),
)
async def change_one_conversation(
    conversation_id: str, request: ChangedConversation, scope: CallerScope
) -> OneConversation:
    """Set the status, the assignee, or both at once; what is as wanted already is no error.

    A colleague who does not work in the clinic is 404.
    """
    given = request.model_fields_set
    if request.status is None and "assignee_id" not in given:
        raise ApiError(422, "missing_field", "give a status or an assigneeId", field="status")
    if "expected_assignee_id" in given and "assignee_id" not in given:
        raise ApiError(422, "missing_field", "assigneeId is missing", field="assigneeId")
    change = ConversationChange(
        AS_IT_IS if request.status is None else request.status,
        (request.assignee_id or "") if "assignee_id" in given else AS_IT_IS,
        (request.expected_assignee_id or "") if "expected_assignee_id" in given else AS_IT_IS,
    )
    changed = await change_conversation(scope, conversation_id, change)
    return OneConversation(conversation=ApiConversation.of(changed))
