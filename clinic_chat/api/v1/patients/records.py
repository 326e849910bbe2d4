"""Endpoints for patients: finding, adding and renaming them."""

from typing import Annotated

from fastapi import Query, Response
from pydantic import Field

from clinic_chat.api.errors import ApiError, error_responses
from clinic_chat.api.v1.bearer import CallerScope, needs
from clinic_chat.api.v1.patients.router import OnePatient, patient_router
from clinic_chat.api.v1.schemas import Cursor, Limit, Search, StrictModel
from clinic_chat.domain.accounts.permissions import Permission
from clinic_chat.domain.patient_records.changes import create_patient, rename_patient
from clinic_chat.domain.patient_records.views import get_patient
from clinic_chat.domain.patients.entered_identities import EnteredPatient
from clinic_chat.domain.public_api.patients import ApiPatient
from clinic_chat.domain.public_api.view import ViewModel
from clinic_chat.domain.queries.patient_pages import find_patients, list_patients
from clinic_chat.domain.validation import KEY_LIMIT, NAME_LIMIT

router = patient_router()
Name = Annotated[
    str,
    Field(
        description=f"One line of up to {NAME_LIMIT} characters.",
        json_schema_extra={"minLength": 1, "maxLength": NAME_LIMIT},
    ),
]


class PatientPage(ViewModel):
    """Patients, the oldest record first."""

    patients: list[ApiPatient]
    next_cursor: str
    """Send it as `cursor` for the next page; empty at the end."""


class NewPatient(StrictModel):
    """A patient with a name, a phone, an `externalId`, or several of them."""

    name: str | None = None
    phone: str | None = None
    """Best in E.164; a number without a country code is Brazilian."""
    external_id: str | None = None
    """Your own id of the patient."""


class RenamedPatient(StrictModel):
    """The name that the clinic is to have on file."""

    name: Name


@router.get(
    "", name="list_patients", summary="Find patients", openapi_extra=needs(Permission.READ_PATIENTS)
)
async def list_all_patients(
    scope: CallerScope,
    phone: Annotated[
        str | None,
        Query(
            description="In any spelling, with a `+` as `%2B`; or another address of a channel.",
            max_length=KEY_LIMIT,
        ),
    ] = None,
    external_id: Annotated[
        str | None,
        Query(alias="externalId", description="Another system's id.", max_length=KEY_LIMIT),
    ] = None,
    search: Search = "",
    cursor: Cursor = "",
    limit: Limit = 30,
) -> PatientPage:
    """The one patient with a phone or an id, those who match a search, or all, a page at a time.

    Records never change their place, so that a walk through the pages meets each exactly once.
    """
    if sum((phone is not None, external_id is not None, search != "")) > 1:
        raise ApiError(
            422, "filter_invalid", "give one of phone, externalId and search", field="search"
        )
    if phone is None and external_id is None:
        page = await list_patients(scope, search=search, cursor=cursor, limit=limit)
        found, next_cursor = page.patients, page.cursor
    else:
        found = await find_patients(scope, phone=phone, external_id=external_id)
        next_cursor = ""
    return PatientPage(patients=[ApiPatient.of(one) for one in found], next_cursor=next_cursor)


@router.post(
    "",
    status_code=201,
    summary="Add a patient",
    openapi_extra=needs(Permission.CHANGE_PATIENTS),
    responses=error_responses(400, 409, 413, 415),
)
async def add_patient(request: NewPatient, scope: CallerScope, response: Response) -> OnePatient:
    """Add a patient. When another one has the phone or the id: 409 `identity_taken`, with who."""
    entered = EnteredPatient(request.name, request.phone, request.external_id)
    patient = await create_patient(scope, entered)
    response.headers["Location"] = f"{router.prefix}/{patient.id}"
    return OnePatient(patient=ApiPatient.of(patient))


@router.get(
    "/{patient_id}",
    summary="Read a patient",
    openapi_extra=needs(Permission.READ_PATIENTS),
    responses=error_responses(404),
)
async def read_patient(patient_id: str, scope: CallerScope) -> OnePatient:
    """One patient with their identities."""
    return OnePatient(patient=ApiPatient.of(await get_patient(scope, patient_id)))


@router.patch(
    "/{patient_id}",
    name="rename_patient",
    summary="Rename a patient",
    openapi_extra=needs(Permission.CHANGE_PATIENTS),
    responses=error_responses(400, 404, 413, 415),
)
async def change_patient(
    patient_id: str, request: RenamedPatient, scope: CallerScope
) -> OnePatient:
    """Set the name that the clinic has on file; screens that are open show it at once."""
    renamed = await rename_patient(scope, patient_id, request.name)
    return OnePatient(patient=ApiPatient.of(renamed))
