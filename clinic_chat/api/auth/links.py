"""Links to join a clinic and to set a password: what they offer, and following them.

The text of a link stands behind the `#` of its address, so that it reaches no log and no other
site, and is posted by the page.
"""

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from clinic_chat.api.auth.form_fields import form_fields
from clinic_chat.api.auth.form_responses import HOME, LOGIN
from clinic_chat.api.auth.same_site import require_same_site
from clinic_chat.api.auth.session_start import session_start
from clinic_chat.api.context import client_host, context_of
from clinic_chat.api.errors import rate_limited
from clinic_chat.api.routes import GuardedRoute
from clinic_chat.domain.accounts.sessions import SecondFactorNeeded
from clinic_chat.domain.administration.joining import (
    accept_invitation,
    read_link,
    set_password_by_link,
)

# A person needs a few; more are guesses, of which 256 random bits stand any number.
LINKS_PER_MINUTE = 30


class LinkRoute(GuardedRoute):
    """A route for holders of a link, limited in requests per minute and address."""

    async def admit(self, request: Request) -> None:
        """Count the request.

        Raises:
            ApiError: 429 `rate_limited`.
        """
        limits = context_of(request).services.limits
        if seconds := await limits.hit_address("link", client_host(request), LINKS_PER_MINUTE):
            raise rate_limited(seconds)


router = APIRouter(
    prefix="/auth",
    route_class=LinkRoute,
    dependencies=[Depends(require_same_site)],
    include_in_schema=False,
)


@router.post("/link")
async def link(request: Request) -> Response:
    """What the link `token` offers: `kind`, `clinic`, `email`, `name`, `hasAccount`."""
    fields = await form_fields(request)
    offer = await read_link(context_of(request).services.database, fields.get("token"))
    return JSONResponse(
        {
            "kind": offer.kind,
            "clinic": offer.clinic_name,
            "email": offer.email,
            "name": offer.name,
            "hasAccount": offer.has_account,
        }
    )


@router.post("/join")
async def join(request: Request) -> Response:
    """Join the clinic of the link `token` with a `name`, a `password` and a `locale`.

    Somebody new is signed in; who has an account already signs in with the password they have.
    """
    fields = await form_fields(request)
    database = context_of(request).services.database
    offer = await read_link(database, fields.get("token"))
    email = await accept_invitation(
        database,
        fields.get("token"),
        name=fields.get("name", ""),
        password=fields.get("password", ""),
        locale=fields.get("locale") or None,
        address=client_host(request) or "",
    )
    if offer.has_account:
        return JSONResponse({"ok": True, "location": LOGIN})
    return await signed_in(request, email, fields.get("password", ""))


@router.post("/password")
async def password(request: Request) -> Response:
    """Set the `password` of the person of the link `token`, and sign them in."""
    fields = await form_fields(request)
    email = await set_password_by_link(
        context_of(request).services.database,
        fields.get("token"),
        fields.get("password", ""),
        address=client_host(request) or "",
    )
    return await signed_in(request, email, fields.get("password", ""))


async def signed_in(request: Request, email: str, password: str) -> Response:
    """Sign a person in who has just set this password, and send them to the inbox."""
    start = await session_start(request)
    try:
        cookie = await context_of(request).services.sessions.sign_in(
            email, password, instead_of=start.instead_of, browser=start.browser
        )
    except SecondFactorNeeded:
        # A link replaces the password alone.
        cookie = None
    if cookie is None:
        return JSONResponse({"ok": True, "location": LOGIN})
    identity = await start.finish(cookie)
    response = JSONResponse({"ok": True, "location": HOME})
    start.set_cookies(response, cookie, identity)
    return response
