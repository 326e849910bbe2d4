"""The second step of a sign-in: who gave a right password is asked for a code or a passkey."""

from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from clinic_chat.api.auth.cookies.signed_cookie import SignedCookie
from clinic_chat.api.auth.form_fields import form_fields
from clinic_chat.api.auth.form_responses import HOME, done, local_path, refused
from clinic_chat.api.auth.same_site import require_same_site
from clinic_chat.api.auth.session_start import session_start
from clinic_chat.api.auth.sign_in_attempts import TooManyFailures, attempt_of
from clinic_chat.api.context import context_of
from clinic_chat.api.errors import STORAGE_UNAVAILABLE, ApiError, rate_limited
from clinic_chat.api.routes import GuardedRoute
from clinic_chat.domain.accounts.second_factors.factors import Factors
from clinic_chat.domain.accounts.sessions import CodesLocked
from clinic_chat.logs import audit
from clinic_chat.metrics.http_requests import SIGN_INS
from clinic_chat.settings import Settings
from clinic_chat.storage.database import StorageUnavailable

# The steps of the sign-in page: what it asks for, by what the person has set up.
CODE, PASSKEY, EITHER = "code", "passkey", "either"
STEPS = (CODE, PASSKEY, EITHER)
COOKIE = SignedCookie("clinic_chat_second_step", "second step", seconds=300)
# Of one person, from all addresses: three of a million codes are right at any time.
CODES_PER_MINUTE = 5

router = APIRouter(
    prefix="/auth",
    route_class=GuardedRoute,
    dependencies=[Depends(require_same_site)],
    include_in_schema=False,
)


def step_for(factors: Factors) -> str:
    """The step of the sign-in page for who has these factors."""
    if factors.app and factors.passkey:
        return EITHER
    return PASSKEY if factors.passkey else CODE


def ask_for_second_step(
    response: Response, request: Request, settings: Settings, user_id: UUID
) -> None:
    """Remember in the browser, for five minutes, whose password was right."""
    COOKIE.keep(response, request, settings, str(user_id))


@router.post("/code")
async def code(request: Request) -> Response:
    """Start the session when `code` is of the person's app, or one of their recovery codes.

    A refusal leads back to the `step` of the sign-in page with `error=code_wrong`, `codes_locked`,
    `limited`, `late` or `unavailable`. Wrong codes count like wrong passwords, and a person has few
    tries a minute.
    """
    context = context_of(request)
    services = context.services
    fields = await form_fields(request)
    onward = local_path(fields.get("next"))
    step = fields.get("step", "")
    step = step if step in STEPS else CODE
    user_id = waiting_person(request, services.settings)
    if user_id is None:
        return _refused(request, LATE, "late", onward, step=None)
    try:
        email = await services.sessions.email_of(user_id)
        attempt = await attempt_of(request, services, email or "")
        await attempt.check()
        # Counted before the code is compared, or tries at the same moment would all be allowed.
        if wait := await services.limits.hit("second-step", str(user_id), CODES_PER_MINUTE):
            raise TooManyFailures(wait)
        start = await session_start(request)
        cookie = await services.sessions.finish_sign_in(
            user_id,
            fields.get("code", ""),
            instead_of=start.instead_of,
            browser=start.browser,
        )
        if cookie is None:
            await attempt.failed()
            audit("sign_in.code_refused", address=attempt.address, account=attempt.account)
            return _refused(request, _WRONG, "code_wrong", onward, step)
        identity = await start.finish(cookie, fields.get("locale", ""))
    except CodesLocked:
        await attempt.failed()
        audit("sign_in.codes_locked", address=attempt.address, account=attempt.account)
        return _refused(request, _LOCKED, "codes_locked", onward, step)
    except TooManyFailures as refusal:
        await attempt.audit_refusal("sign_in.limited")
        return _refused(request, rate_limited(refusal.seconds), "limited", onward, step)
    except StorageUnavailable:
        return _refused(request, STORAGE_UNAVAILABLE, "unavailable", onward, step)
    response = done(request, onward or HOME)
    forget_second_step(response)
    start.set_cookies(response, cookie, identity)
    return response


def _refused(
    request: Request, error: ApiError, reason: str, onward: str | None, step: str | None
) -> Response:
    SIGN_INS.add(reason)
    return refused(request, error, reason=reason, onward=onward, step=step)


def forget_second_step(response: Response) -> None:
    """Have the browser forget whose password was right."""
    COOKIE.forget(response)


def waiting_person(request: Request, settings: Settings) -> UUID | None:
    """Whose password was right in this browser in the last minutes."""
    user_id = COOKIE.value(request, settings)
    return None if user_id is None else UUID(user_id)


_WRONG = ApiError(401, "code_wrong", "this is neither the app's code of now nor a recovery code")
_LOCKED = ApiError(401, "codes_locked", "too many codes were wrong, use a recovery code")
LATE = ApiError(401, "late", "give the password once more")
