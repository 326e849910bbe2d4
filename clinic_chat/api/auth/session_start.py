"""The start of a session in a browser, however its person proved who they are."""

from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import structlog
from fastapi import Request
from starlette.responses import Response

from clinic_chat.api.auth.cookies.device_cookie import remember_device
from clinic_chat.api.auth.cookies.session_cookie import session_cookie, set_session_cookie
from clinic_chat.api.auth.sign_in_attempts import account_key
from clinic_chat.api.context import ApiContext, client_host, context_of
from clinic_chat.domain.accounts.preferences import save_preferences
from clinic_chat.domain.accounts.session_records import Browser, Identity
from clinic_chat.domain.accounts.users import LOCALES
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.logs import audit
from clinic_chat.metrics.http_requests import SIGN_INS
from clinic_chat.storage.database import StorageUnavailable

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SessionStart:
    """The browser in which a session is to start, and the session that it replaces there."""

    request: Request
    instead_of: str | None
    """The cookie of the session before."""
    replaced: Identity | None
    browser: Browser

    async def finish(self, cookie: str, locale: str = "") -> Identity | None:
        """Tell everybody of the session that has started with `cookie`.

        The tabs of the session before are closed at once, and a `locale` chosen at the sign-in
        is kept. Returns the new session's identity, None when it is over again.
        """
        context = context_of(self.request)
        identity = await context.services.sessions.find(cookie)
        if self.replaced is not None:
            await tell_signed_out(context, self.replaced.session_id)
        if identity is not None:
            await _keep_locale(context, identity, locale)
            audit_session("sign_in.accepted", identity)
        SIGN_INS.add("accepted")
        return identity

    def set_cookies(self, response: Response, cookie: str, identity: Identity | None) -> None:
        """Have the browser keep the session's cookie, and know the account again."""
        settings = context_of(self.request).services.settings
        set_session_cookie(response, self.request, settings, cookie)
        # Who a clinic's provider vouches for is no known device for the password.
        if identity is not None and not identity.by_provider:
            account = account_key(settings.signing_key(), identity.email)
            remember_device(response, self.request, settings, account)


async def session_start(request: Request) -> SessionStart:
    """The start of a session in the browser that sent the request."""
    services = context_of(request).services
    cookie = session_cookie(request, services.settings)
    return SessionStart(
        request,
        cookie,
        await services.sessions.find(cookie),
        Browser(request.headers.get("user-agent", ""), client_host(request) or ""),
    )


async def tell_signed_out(context: ApiContext, session_id: UUID) -> None:
    """Close what a session that has ended has open."""
    # It has ended in the database already, so a failure here gives nobody access.
    try:
        await context.on_signed_out(session_id)
    except Exception:
        log.exception("signed_out_listener_failed", session=str(session_id))


def audit_session(event: str, identity: Identity) -> None:
    """Write a session's event to the audit log."""
    audit(event, user=identity.user_id, clinic=identity.clinic_id, session=identity.session_id)


async def _keep_locale(context: ApiContext, identity: Identity, locale: str) -> None:
    # A language chosen at sign-in replaces the stored one.
    if locale not in LOCALES or locale == identity.locale:
        return
    scope = ClinicScope(context.services.database, identity.clinic_id, identity.actor)
    with suppress(StorageUnavailable):
        await save_preferences(scope, locale=locale)
