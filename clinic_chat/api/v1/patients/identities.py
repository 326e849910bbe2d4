"""Endpoints for a patient's identities, and for merging two records of one person."""

from typing import Annotated, Literal

from fastapi import Response
from pydantic import Field

from clinic_chat.api.errors import ApiError, error_responses
from clinic_chat.api.v1.bearer import CallerScope, needs
from clinic_chat.api.v1.patients.router import OnePatient, patient_router
from clinic_chat.api.v1.schemas import StrictModel
from clinic_chat.domain.accounts.permissions import Permission
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.patient_records.identities import add_identity, remove_identity
from clinic_chat.domain.patient_records.merging import merge_patients
from clinic_chat.domain.public_api.patients import ApiPatient
from clinic_chat.domain.validation import KEY_LIMIT

router = patient_router()


class NewIdentity(StrictModel):
    """A way to reach a patient, or another system's id of them."""

    kind: Literal["phone", "address", "external"]
    """An `address` is one of a channel that is no phone number; one that is becomes a `phone`."""
    value: Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": KEY_LIMIT})]


class Merge(StrictModel):
    """The record that stays."""

    into_patient_id: str


@router.post(
    "/{patient_id}/identities",
    status_code=201,
    name="add_identity",
    summary="Give a patient an identity",
    openapi_extra=needs(Permission.CHANGE_PATIENTS),
    responses={
        200: {"model": OnePatient, "description": "The patient had it"},
        201: {"description": "The patient has it now"},
        **error_responses(400, 404, 409, 413, 415),
    },
)
async def give_identity(
    patient_id: str, request: NewIdentity, scope: CallerScope, response: Response
) -> OnePatient:
    """Add a phone, address or id. When another patient has it: 409 `identity_taken`, with who."""
    try:
        patient, created = await add_identity(scope, patient_id, request.kind, request.value)
    except InvalidInput as error:
        raise ApiError(422, error.code, str(error), field="value") from None
    response.status_code = 201 if created else 200
    return OnePatient(patient=ApiPatient.of(patient))


@router.delete(
    "/{patient_id}/identities/{identity_id}",
    status_code=204,
    name="remove_identity",
    summary="Take an identity from a patient",
    openapi_extra=needs(Permission.CHANGE_PATIENTS),
    responses={204: {"description": "It is gone"}, **error_responses(404)},
)
async def take_identity(patient_id: str, identity_id: str, scope: CallerScope) -> None:
    """Remove a phone, address or id, the last one too. Who writes from it then is a new patient."""
    await remove_identity(scope, patient_id, identity_id)


@router.post(
    "/{patient_id}/merge",
    name="merge_patients",
    summary="Merge two records of one person",
    openapi_extra=needs(Permission.CHANGE_PATIENTS),
    responses=error_responses(400, 404, 409, 413, 415),
)
async def merge_records(patient_id: str, request: Merge, scope: CallerScope) -> OnePatient:
    """Move the identities and conversations of this patient to another one, and remove the record.

    The name of the other one stays, this one's is found too. When both have a conversation on the
    same channel nothing is merged (409 `conversations_overlap`): two conversations never become
    one, because people may be writing in both. What moved is recorded. The same again answers
    with the same patient.
    """
    merged = await merge_patients(scope, patient_id, request.into_patient_id)
    return OnePatient(patient=ApiPatient.of(merged))
