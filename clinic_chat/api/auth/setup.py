"""Set-up: the first clinic of a new installation, for whoever can read the server's log."""

import hmac
from hashlib import sha256

import structlog
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from clinic_chat.api.auth.form_fields import form_fields
from clinic_chat.api.auth.links import LinkRoute, signed_in
from clinic_chat.api.auth.same_site import require_same_site
from clinic_chat.api.context import client_host, context_of
from clinic_chat.api.errors import ApiError
from clinic_chat.domain.administration.first_clinic import (
    FirstClinic,
    create_first_clinic,
    has_clinic,
)
from clinic_chat.domain.errors import Conflict
from clinic_chat.services import Services

CODE_DIGITS = 20

log = structlog.get_logger(__name__)


class SetupCode:
    """The code of this installation, which the log shows; all of its processes have the same."""

    def __init__(self) -> None:
        self._code = ""

    async def announce(self, services: Services) -> None:
        """Log the code, unless there is a clinic."""
        if await has_clinic(services.database):
            return
        key = services.settings.signing_key()
        self._code = hmac.new(key, b"setup code", sha256).hexdigest()[:CODE_DIGITS]
        log.warning("setup.code", code=self._code, page="/setup")

    def matches(self, text: str) -> bool:
        """Whether this is the code."""
        return bool(self._code) and hmac.compare_digest(self._code.encode(), text.strip().encode())


code = SetupCode()

router = APIRouter(
    prefix="/auth",
    route_class=LinkRoute,
    dependencies=[Depends(require_same_site)],
    include_in_schema=False,
)


@router.post("/setup")
async def setup(request: Request) -> Response:
    """Create the first clinic with its administrator, who is signed in.

    The form has `code`, `clinic`, `timezone`, `name`, `email`, `password` and `locale`.
    """
    database = context_of(request).services.database
    fields = await form_fields(request)
    # First, so that nobody learns from the answer whether a code was right.
    if await has_clinic(database):
        raise Conflict("there is a clinic already", code="clinic_exists")
    if not code.matches(fields.get("code", "")):
        raise ApiError(403, "code_wrong", "this is not the code of the server's log")
    email = await create_first_clinic(
        database,
        FirstClinic(
            clinic_name=fields.get("clinic", ""),
            timezone=fields.get("timezone", ""),
            name=fields.get("name", ""),
            email=fields.get("email", ""),
            password=fields.get("password", ""),
            locale=fields.get("locale", ""),
        ),
        address=client_host(request) or "",
    )
    return await signed_in(request, email, fields.get("password", ""))
