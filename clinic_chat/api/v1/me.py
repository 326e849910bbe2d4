"""Endpoint for what a program has: the clinic, the permissions and the limits of its token."""

from fastapi import APIRouter, Request, Security

from clinic_chat.api.context import context_of
from clinic_chat.api.errors import error_responses
from clinic_chat.api.v1.bearer import (
    Caller,
    ChannelRoute,
    TokenRoute,
    bearer_scheme,
)
from clinic_chat.domain.accounts.permissions import Permission, allows
from clinic_chat.domain.clinics.actors import Role
from clinic_chat.domain.public_api.view import ViewModel

router = APIRouter(
    prefix="/api/v1",
    route_class=TokenRoute,
    dependencies=[Security(bearer_scheme)],
    tags=["token"],
    responses=error_responses(401, 429, 500, 503),
)


class TokenClinic(ViewModel):
    """The clinic of a token."""

    id: str
    slug: str
    name: str


class TokenPerson(ViewModel):
    """The member of staff as whom the holder of a token acts."""

    id: str
    name: str
    role: Role


class TokenLimits(ViewModel):
    """How many requests the token may make in a minute."""

    deliveries_per_minute: int
    """`POST /inbound` and receipts."""
    requests_per_minute: int
    """Everything else."""


class TokenData(ViewModel):
    """What the token is and allows."""

    name: str
    clinic: TokenClinic
    permissions: list[str]
    """What is allowed now: those of the token that its person's role has too."""
    person: TokenPerson | None
    """Whose name its acts have; null for a program of the clinic's."""
    rate_limit: TokenLimits


@router.get("/me", summary="Read what the token allows")
async def read_token(caller: Caller, request: Request) -> TokenData:
    """The clinic, the permissions and the limits of the token of this request."""
    settings = context_of(request).services.settings
    person = None
    if caller.person is not None:
        whose = caller.person
        person = TokenPerson(id=str(whose.id), name=whose.name, role=whose.role)
    return TokenData(
        name=caller.name,
        clinic=TokenClinic(
            id=str(caller.clinic_id), slug=caller.clinic_slug, name=caller.clinic_name
        ),
        permissions=[one.value for one in Permission if allows(caller.actor, one)],
        person=person,
        rate_limit=TokenLimits(
            deliveries_per_minute=ChannelRoute.per_minute(settings),
            requests_per_minute=TokenRoute.per_minute(settings),
        ),
    )
