"""Endpoint for the clinic's staff, and who of them is there."""

from fastapi import APIRouter, Request, Security

from clinic_chat.api.context import context_of
from clinic_chat.api.errors import error_responses
from clinic_chat.api.v1.bearer import CallerScope, TokenRoute, bearer_scheme, needs
from clinic_chat.domain.accounts.permissions import Permission
from clinic_chat.domain.public_api.staff import ApiStaffMember
from clinic_chat.domain.public_api.view import ViewModel
from clinic_chat.domain.queries.staff import list_staff

router = APIRouter(
    prefix="/api/v1",
    route_class=TokenRoute,
    dependencies=[Security(bearer_scheme)],
    tags=["staff"],
    responses=error_responses(401, 403, 429, 500, 503),
)


class StaffList(ViewModel):
    """Everyone who works in the clinic, sorted by name."""

    staff: list[ApiStaffMember]


@router.get(
    "/staff",
    name="list_staff",
    summary="List the staff",
    openapi_extra=needs(Permission.READ_STAFF),
)
async def list_members(scope: CallerScope, request: Request) -> StaffList:
    """The people to whom conversations can be assigned, and who is online."""
    online = set(context_of(request).online(scope.clinic_id))
    members = await list_staff(scope)
    return StaffList(
        staff=[ApiStaffMember.of(member, online=member.id in online) for member in members]
    )
