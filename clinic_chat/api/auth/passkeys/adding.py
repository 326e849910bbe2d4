"""Adding a passkey to one's own account: the password first, then the browser's new key."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from clinic_chat.api.auth.cookies.session_cookie import session_cookie
from clinic_chat.api.auth.form_fields import form_fields
from clinic_chat.api.auth.passkeys.challenges import (
    PasskeyRoute,
    Purpose,
    forget_challenge,
    keep_challenge,
    kept_challenge,
    new_challenge,
    site_of,
)
from clinic_chat.api.auth.same_site import require_same_site
from clinic_chat.api.auth.sign_in_attempts import TooManyFailures, attempt_of
from clinic_chat.api.context import client_host, context_of
from clinic_chat.api.errors import ApiError, rate_limited
from clinic_chat.domain.accounts.passkeys.messages import Creation
from clinic_chat.domain.accounts.session_records import Identity
from clinic_chat.domain.administration.own_account import WrongPassword, browser_name
from clinic_chat.domain.administration.passkeys import add_passkey, begin_passkey
from clinic_chat.domain.clinics.scope import ClinicScope

UNKNOWN_BROWSER = "Passkey"

router = APIRouter(
    prefix="/auth",
    route_class=PasskeyRoute,
    dependencies=[Depends(require_same_site)],
    include_in_schema=False,
)


@router.post("/passkey/new")
async def new(request: Request) -> Response:
    """What the browser of a signed-in person is asked for to make a passkey.

    The form has the person's `password`; a wrong one counts like one at the sign-in.
    """
    services = context_of(request).services
    site = site_of(request)
    identity = await _identity(request)
    fields = await form_fields(request)
    attempt = await attempt_of(request, services, identity.email)
    challenge = new_challenge(Purpose.ADD, identity.user_id)
    try:
        await attempt.check()
        told = await begin_passkey(
            _scope(request, identity), fields.get("password", ""), site, challenge.value
        )
    except TooManyFailures as refusal:
        raise rate_limited(refusal.seconds) from None
    except WrongPassword:
        await attempt.failed()
        raise
    response = JSONResponse(told)
    keep_challenge(response, request, services.settings, challenge)
    return response


@router.post("/passkey/add")
async def add(request: Request) -> Response:
    """Store the passkey that the browser made; `name` is the person's own for it.

    Answers with `codes`, the recovery codes of who had no second factor before.
    """
    settings = context_of(request).services.settings
    site = site_of(request)
    identity = await _identity(request)
    fields = await form_fields(request)
    challenge = kept_challenge(request, settings, Purpose.ADD, identity.user_id)
    if challenge is None:
        raise _LATE
    codes = await add_passkey(
        _scope(request, identity),
        site,
        challenge.value,
        Creation(
            credential_id=fields.get("id", ""),
            client_data=fields.get("clientData", ""),
            attestation=fields.get("attestation", ""),
        ),
        fields.get("name", "").strip() or _default_name(request),
    )
    response = JSONResponse({"ok": True, "codes": codes})
    forget_challenge(response, Purpose.ADD)
    return response


async def _identity(request: Request) -> Identity:
    services = context_of(request).services
    identity = await services.sessions.find(session_cookie(request, services.settings))
    if identity is None:
        raise ApiError(401, "unauthorized", "the session is over, sign in again")
    return identity


def _scope(request: Request, identity: Identity) -> ClinicScope:
    database = context_of(request).services.database
    return ClinicScope(database, identity.clinic_id, identity.actor, client_host(request) or "")


def _default_name(request: Request) -> str:
    return browser_name(request.headers.get("user-agent", "")) or UNKNOWN_BROWSER


_LATE = ApiError(409, "late", "give the password once more")
