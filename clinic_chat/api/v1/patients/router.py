"""What the endpoints for patients share: their router, and the answer with one patient."""

from fastapi import APIRouter, Security

from clinic_chat.api.errors import error_responses
from clinic_chat.api.v1.bearer import TokenRoute, bearer_scheme
from clinic_chat.domain.public_api.patients import ApiPatient
from clinic_chat.domain.public_api.view import ViewModel


class OnePatient(ViewModel):
    """A patient as they are now."""

    patient: ApiPatient


def patient_router() -> APIRouter:
    """A router for endpoints under `/api/v1/patients`."""
    return APIRouter(
        prefix="/api/v1/patients",
        route_class=TokenRoute,
        dependencies=[Security(bearer_scheme)],
        tags=["patients"],
        responses=error_responses(401, 403, 422, 429, 500, 503),
    )
