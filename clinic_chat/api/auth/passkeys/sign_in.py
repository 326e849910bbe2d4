"""Signing in with a passkey: alone, or as the second step after the password."""

from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from clinic_chat.api.auth.form_fields import form_fields
from clinic_chat.api.auth.form_responses import HOME, local_path
from clinic_chat.api.auth.passkeys.challenges import (
    Challenge,
    PasskeyRoute,
    Purpose,
    forget_challenge,
    keep_challenge,
    kept_challenge,
    new_challenge,
    site_of,
)
from clinic_chat.api.auth.same_site import require_same_site
from clinic_chat.api.auth.second_step import LATE, forget_second_step, waiting_person
from clinic_chat.api.auth.session_start import session_start
from clinic_chat.api.auth.sign_in_attempts import TooManyFailures, attempt_of
from clinic_chat.api.context import context_of
from clinic_chat.api.errors import STORAGE_UNAVAILABLE, ApiError, error_response, rate_limited
from clinic_chat.domain.accounts.passkeys.acceptance import accept_passkey, owner_of, passkeys_at
from clinic_chat.domain.accounts.passkeys.messages import (
    Assertion,
    PasskeyRefused,
    request_options,
)
from clinic_chat.domain.accounts.session_records import Proof
from clinic_chat.logs import audit
from clinic_chat.metrics.http_requests import SIGN_INS
from clinic_chat.storage.database import StorageUnavailable

# Of one person, from all addresses; a signature cannot be guessed, but each check costs.
PASSKEYS_PER_MINUTE = 30

router = APIRouter(
    prefix="/auth",
    route_class=PasskeyRoute,
    dependencies=[Depends(require_same_site)],
    include_in_schema=False,
)


@router.post("/passkey/options")
async def options(request: Request) -> Response:
    """What the browser asks its passkeys for, with a new challenge.

    The field `step` says whether it is the second step after a right password.
    """
    services = context_of(request).services
    site = site_of(request)
    is_second = bool((await form_fields(request)).get("step"))
    challenge, allowed = new_challenge(Purpose.SIGN_IN), list[str]()
    if is_second:
        user_id = waiting_person(request, services.settings)
        if user_id is None:
            raise LATE
        challenge = new_challenge(Purpose.SECOND_STEP, user_id)
        allowed = await passkeys_at(services.database, user_id, site.domain)
    response = JSONResponse(request_options(site, challenge.value, allowed))
    keep_challenge(response, request, services.settings, challenge)
    return response


@router.post("/passkey")
async def passkey(request: Request) -> Response:
    """Start the session of the person whose passkey signed the challenge of this browser.

    The form has the parts of the browser's answer in base64url, and `step`, `next` and `locale`
    as the other sign-ins. Refusals are 401 `passkey_refused`, whatever was wrong, or `late`.
    Wrong ones count like wrong passwords.
    """
    services = context_of(request).services
    site = site_of(request)
    fields = await form_fields(request)
    challenge = _asked(request, is_second=bool(fields.get("step")))
    if challenge is None:
        return _refused(LATE, "late")
    message = _assertion(fields)
    try:
        owner = await owner_of(services.database, message.credential_id)
        attempt = await attempt_of(request, services, owner.email if owner else "")
        await attempt.check()
        # Before the signature is checked, or tries at the same moment would all be allowed.
        if owner and (wait := await _count(request, owner.user_id)):
            raise TooManyFailures(wait)
        cookie = None
        start = await session_start(request)
        if owner and challenge.user_id in (None, owner.user_id):
            try:
                await accept_passkey(services.database, site, challenge.value, message, owner)
                cookie = await services.sessions.start(
                    owner.user_id,
                    proof=Proof.PASSKEY,
                    instead_of=start.instead_of,
                    browser=start.browser,
                )
            except PasskeyRefused as refusal:
                audit("passkey.refused", user=owner.user_id, reason=str(refusal))
        if cookie is None:
            await attempt.failed()
            audit("sign_in.passkey_refused", address=attempt.address, account=attempt.account)
            return _refused(_REFUSED, "passkey_refused")
        identity = await start.finish(cookie, fields.get("locale", ""))
    except TooManyFailures as refusal:
        await attempt.audit_refusal("sign_in.limited")
        return _refused(rate_limited(refusal.seconds), "limited")
    except StorageUnavailable:
        return _refused(STORAGE_UNAVAILABLE, "unavailable")
    location = local_path(fields.get("next")) or HOME
    response = JSONResponse({"ok": True, "location": location})
    forget_challenge(response, challenge.purpose)
    forget_second_step(response)
    start.set_cookies(response, cookie, identity)
    return response


def _asked(request: Request, *, is_second: bool) -> Challenge | None:
    settings = context_of(request).services.settings
    if not is_second:
        return kept_challenge(request, settings, Purpose.SIGN_IN)
    user_id = waiting_person(request, settings)
    if user_id is None:
        return None
    return kept_challenge(request, settings, Purpose.SECOND_STEP, user_id)


async def _count(request: Request, user_id: UUID) -> int:
    limits = context_of(request).services.limits
    return await limits.hit("passkey-person", str(user_id), PASSKEYS_PER_MINUTE)


def _assertion(fields: dict[str, str]) -> Assertion:
    return Assertion(
        credential_id=fields.get("id", ""),
        client_data=fields.get("clientData", ""),
        authenticator_data=fields.get("authenticatorData", ""),
        signature=fields.get("signature", ""),
        user_handle=fields.get("userHandle", ""),
    )


def _refused(error: ApiError, reason: str) -> Response:
    SIGN_INS.add(reason)
    return error_response(error)


_REFUSED = ApiError(401, "passkey_refused", "this passkey opens no account here")
