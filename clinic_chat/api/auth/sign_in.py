"""Signing in and out, and moving between clinics: plain form posts with a session cookie."""

from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from clinic_chat.api.auth.cookies.session_cookie import (
    clear_session_cookie,
    session_cookie,
    set_session_cookie,
)
from clinic_chat.api.auth.form_fields import form_fields
from clinic_chat.api.auth.form_responses import HOME, LOGIN, done, local_path, refused
from clinic_chat.api.auth.same_site import require_same_site
from clinic_chat.api.auth.second_step import ask_for_second_step, step_for
from clinic_chat.api.auth.session_start import audit_session, session_start, tell_signed_out
from clinic_chat.api.auth.sign_in_attempts import TooManyFailures, attempt_of
from clinic_chat.api.context import context_of
from clinic_chat.api.errors import STORAGE_UNAVAILABLE, ApiError, rate_limited
from clinic_chat.api.routes import GuardedRoute
from clinic_chat.domain.accounts.hashing_queue import RETRY_SECONDS, QueueFull
from clinic_chat.domain.accounts.passwords import PASSWORD_MAXIMUM
from clinic_chat.domain.accounts.sessions import SecondFactorNeeded
from clinic_chat.domain.accounts.users import normal_email
from clinic_chat.logs import audit
from clinic_chat.metrics.http_requests import SIGN_INS
from clinic_chat.storage.database import StorageUnavailable

EMAIL_MAXIMUM = 254

router = APIRouter(
    prefix="/auth",
    route_class=GuardedRoute,
    dependencies=[Depends(require_same_site)],
    include_in_schema=False,
)


@router.post("/login")
async def login(request: Request) -> Response:
    """Start a session for `email` and `password`, always with a new cookie.

    A session the browser had before ends. The optional `next`, in the form, the query or the
    address of the sign-in page that the form was on, is the page to open; an optional `locale`
    is kept as the person's language. A refusal leads back to the sign-in page with
    `error=invalid` (whatever was wrong), `limited`, `busy` or `unavailable`.
    """
    context = context_of(request)
    fields = await form_fields(request)
    onward = (
        local_path(fields.get("next"))
        or local_path(request.query_params.get("next"))
        or _asked_of_the_page(request)
    )
    email, password = normal_email(fields.get("email", "")), fields.get("password", "")
    if not _can_be_right(email, password):
        return _refused(request, _INVALID, "invalid", onward)
    attempt = await attempt_of(request, context.services, email)
    try:
        await attempt.check()
        start = await session_start(request)
        cookie = await context.services.sessions.sign_in(
            email,
            password,
            entry=attempt.queue_entry,
            instead_of=start.instead_of,
            browser=start.browser,
        )
        if cookie is None:
            await attempt.failed()
            audit("sign_in.refused", address=attempt.address, account=attempt.account)
            return _refused(request, _INVALID, "invalid", onward)
        identity = await start.finish(cookie, fields.get("locale", ""))
    except SecondFactorNeeded as needed:
        response = done(request, _second_step(step_for(needed.factors), onward))
        SIGN_INS.add("code_needed")
        ask_for_second_step(response, request, context.services.settings, needed.user_id)
        return response
    except TooManyFailures as refusal:
        await attempt.audit_refusal("sign_in.limited")
        return _refused(request, rate_limited(refusal.seconds), "limited", onward)
    except QueueFull:
        await attempt.audit_refusal("sign_in.busy")
        return _refused(request, _BUSY, "busy", onward)
    except StorageUnavailable:
        return _refused(request, STORAGE_UNAVAILABLE, "unavailable", onward)
    response = done(request, onward or HOME)
    start.set_cookies(response, cookie, identity)
    return response


@router.post("/logout")
async def logout(request: Request) -> Response:
    """End the session and forget its cookie, also when the session was over already."""
    context = context_of(request)
    try:
        identity = await context.services.sessions.find(_cookie(request))
        if identity is not None:
            await context.services.sessions.end(identity.session_id)
            await tell_signed_out(context, identity.session_id)
            audit_session("sign_out", identity)
        response = done(request, LOGIN)
    except StorageUnavailable:
        response = refused(request, STORAGE_UNAVAILABLE, "unavailable")
    clear_session_cookie(response, request, context.services.settings)
    # Not the storage: it may hold unsent work that waits until another person signs in again.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@router.post("/switch")
async def switch(request: Request) -> Response:
    """Move to another of the person's clinics, named by its slug in `clinic`, in a new session.

    A clinic the person is not in changes nothing and leads home like any other.
    """
    context = context_of(request)
    sessions = context.services.sessions
    slug = (await form_fields(request)).get("clinic", "")
    try:
        old_cookie = _cookie(request)
        old = await sessions.find(old_cookie)
        if old is None or old_cookie is None:
            return refused(request, _EXPIRED)
        cookie = await sessions.switch(old_cookie, slug)
    except StorageUnavailable:
        return refused(request, STORAGE_UNAVAILABLE, "unavailable")
    response = done(request, HOME)
    if cookie is not None:
        audit("clinic.switched", user=old.user_id, session=old.session_id)
        await tell_signed_out(context, old.session_id)
        set_session_cookie(response, request, context.services.settings, cookie)
    return response


def _second_step(step: str, onward: str | None) -> str:
    query = {"step": step} | ({"next": onward} if onward else {})
    return f"{LOGIN}?{urlencode(query, safe='/')}"


def _refused(request: Request, error: ApiError, reason: str, onward: str | None) -> Response:
    SIGN_INS.add(reason)
    return refused(request, error, reason=reason, onward=onward)


def _asked_of_the_page(request: Request) -> str | None:
    # The form has `next` only once the page's code runs. A person or a password manager that
    # submits the form sooner must not land on another page.
    try:
        page = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return None
    if page.path.rstrip("/") != LOGIN:
        return None
    return local_path(dict(parse_qsl(page.query)).get("next"))


def _can_be_right(email: str, password: str) -> bool:
    """Whether such an account and password can exist; others are refused without hashing."""
    if not 1 <= len(email) <= EMAIL_MAXIMUM or not email.isprintable():
        return False
    return 1 <= len(password) <= PASSWORD_MAXIMUM


def _cookie(request: Request) -> str | None:
    return session_cookie(request, context_of(request).services.settings)


_INVALID = ApiError(401, "invalid_credentials", "the email address or the password is wrong")
_EXPIRED = ApiError(401, "unauthorized", "the session is over, sign in again")
_BUSY = ApiError(
    503,
    "busy",
    "too many people are signing in at this moment, try again",
    headers={"Retry-After": str(RETRY_SECONDS)},
)
