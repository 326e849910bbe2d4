"""Sign-in at a clinic's identity provider (OpenID Connect): the way there, and the way back."""

import hmac
from dataclasses import asdict, dataclass
from uuid import UUID

import orjson
import structlog
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from clinic_chat.api.auth.form_responses import HOME, local_path, refused
from clinic_chat.api.auth.session_start import session_start
from clinic_chat.api.context import client_host, context_of
from clinic_chat.api.errors import STORAGE_UNAVAILABLE, ApiError, rate_limited
from clinic_chat.api.routes import GuardedRoute
from clinic_chat.domain.accounts.second_factors.authenticator_app import Seal
from clinic_chat.domain.single_sign_on.providers import KnownProvider, provider_of, provider_seal
from clinic_chat.domain.single_sign_on.sign_in import (
    STATE_SECONDS,
    EmailNotVerified,
    NotMember,
    OtherAccount,
    StateOver,
    start_provider_session,
)
from clinic_chat.logs import audit
from clinic_chat.metrics.http_requests import SIGN_INS
from clinic_chat.openid.client import ProviderClient
from clinic_chat.openid.code_flow import Attempt, Client, new_attempt
from clinic_chat.openid.discovery import ProviderProblem
from clinic_chat.openid.id_tokens import InvalidIdToken
from clinic_chat.outbound.errors import OutboundError
from clinic_chat.settings import Settings
from clinic_chat.storage.database import StorageUnavailable
from clinic_chat.web import cookies
from clinic_chat.web.origins import is_origin

# The step of the sign-in page that asks for the clinic.
STEP = "sso"
CALLBACK = "/auth/sso/callback"
COOKIE = "clinic_chat_sso"
COOKIE_LIMIT = 4_096
# Each of both, of one address: a clinic of many people is one.
PER_MINUTE = 60
SLUG_LIMIT = 40
QUERY_LIMIT = 8_192
CODE_LIMIT = 4_096
_OF_OUR_PAGES = {"same-origin", "none"}

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/auth", route_class=GuardedRoute, include_in_schema=False)


@dataclass(frozen=True)
class Ticket:
    """What a browser keeps, sealed, while its person is at the provider."""

    clinic: str
    provider: str
    state: str
    nonce: str
    verifier: str
    onward: str


@router.get("/sso/start")
async def start(request: Request) -> Response:
    """Send somebody to the provider of the clinic with the slug `clinic`; `next` is for later.

    A link on another site leads to the sign-in page first, which asks: it could sign somebody in
    to a clinic that they do not expect. Refusals lead there too, with `error=sso_unknown`
    (no such clinic, or none with a provider), `sso_unavailable`, `limited` or `unavailable`.
    """
    context = context_of(request)
    services = context.services
    onward = local_path(request.query_params.get("next"))
    slug = request.query_params.get("clinic", "").strip().lower()[: SLUG_LIMIT + 1]
    if wait := await services.limits.hit_address("sso-start", client_host(request), PER_MINUTE):
        return _refused(request, rate_limited(wait), "limited", onward)
    if request.headers.get("sec-fetch-site", "none") not in _OF_OUR_PAGES:
        return refused(request, _ASK_FIRST, onward=onward, step=STEP, clinic=slug)
    try:
        provider = await provider_of(services.database, _secrets(services.settings), slug)
        if provider is None:
            return _refused(request, _UNKNOWN, "sso_unknown", onward)
        attempt = new_attempt()
        address = await services.openid.begin(_client(request, provider), attempt)
    except (OutboundError, ProviderProblem) as error:
        _log_failure(provider, error)
        return _refused(request, _UNAVAILABLE, "sso_unavailable", onward)
    except StorageUnavailable:
        return _refused(request, STORAGE_UNAVAILABLE, "unavailable", onward)
    ticket = Ticket(slug, str(provider.id), **asdict(attempt), onward=onward or "")
    response = RedirectResponse(address, 303)
    _keep_ticket(response, request, services.settings, ticket)
    return response


@router.get("/sso/callback")
async def callback(request: Request) -> Response:
    """Start a session of whom the provider sends back with a `code` for the `state` of the browser.

    A refusal leads back to the sign-in page, with `error=sso_late` (another browser, too late, or
    used already), `sso_denied`, `sso_failed`, `sso_not_member`, `sso_email`, `sso_other_account`,
    `sso_unavailable`, `limited` or `unavailable`. Nothing that the provider says is shown.
    """
    services = context_of(request).services
    ticket = _kept_ticket(request, services.settings)
    if wait := await services.limits.hit_address("sso-back", client_host(request), PER_MINUTE):
        response = _refused(request, rate_limited(wait), "limited", None)
    elif ticket is None or not _is_state(request, ticket):
        response = _refused(request, _LATE, "sso_late", None)
    else:
        response = await _come_back(request, ticket)
    # A state counts once, also when nothing came of it.
    _forget_ticket(response, request, services.settings)
    return response


async def _come_back(request: Request, ticket: Ticket) -> Response:
    services = context_of(request).services
    onward = local_path(ticket.onward)
    query = request.query_params
    code = query.get("code", "")
    if "error" in query or not 1 <= len(code) <= CODE_LIMIT:
        if query.get("error") == "access_denied":
            return _refused(request, _DENIED, "sso_denied", onward)
        return _refused(request, _FAILED, "sso_failed", onward)
    provider: KnownProvider | None = None
    try:
        provider = await provider_of(services.database, _secrets(services.settings), ticket.clinic)
        if provider is None or str(provider.id) != ticket.provider:
            return _refused(request, _LATE, "sso_late", onward)
        client = _client(request, provider)
        metadata = await services.openid.metadata(client)
        # Else the answer of one provider could be taken for another's (RFC 9207).
        if query.get("iss", provider.issuer) != provider.issuer or (
            metadata.tells_issuer and "iss" not in query
        ):
            return _refused(request, _FAILED, "sso_failed", onward)
        attempt = Attempt(ticket.state, ticket.nonce, ticket.verifier)
        claims = await services.openid.finish(client, attempt, code)
        begun = await session_start(request)
        cookie = await start_provider_session(
            services.database,
            services.sessions,
            provider,
            claims,
            state=ticket.state,
            instead_of=begun.instead_of,
            browser=begun.browser,
        )
        identity = await begun.finish(cookie)
    except (OutboundError, ProviderProblem) as error:
        _log_failure(provider, error)
        return _refused(request, _UNAVAILABLE, "sso_unavailable", onward)
    except InvalidIdToken as error:
        _log_failure(provider, error)
        return _refused(request, _FAILED, "sso_failed", onward)
    except StateOver:
        return _refused(request, _LATE, "sso_late", onward)
    except NotMember:
        _audit_refusal(provider)
        return _refused(request, _NOT_MEMBER, "sso_not_member", onward)
    except EmailNotVerified:
        _audit_refusal(provider)
        return _refused(request, _EMAIL, "sso_email", onward)
    except OtherAccount:
        _audit_refusal(provider)
        return _refused(request, _OTHER_ACCOUNT, "sso_other_account", onward)
    except StorageUnavailable:
        return _refused(request, STORAGE_UNAVAILABLE, "unavailable", onward)
    response = RedirectResponse(onward or HOME, 303)
    begun.set_cookies(response, cookie, identity)
    return response


def _client(request: Request, provider: KnownProvider) -> ProviderClient:
    """The clinic's registration, with the address of this server as the browser has it."""
    is_https = request.url.scheme == "https" or cookies.forwarded_https(request.scope)
    origin = f"{'https' if is_https else 'http'}://{request.headers.get('host', '').lower()}"
    if not is_origin(origin):
        raise ApiError(400, "host_invalid", "the Host header is not a host")
    return ProviderClient(
        provider.clinic_id,
        provider.issuer,
        Client(provider.client_id, provider.secret, origin + CALLBACK),
    )


def _is_state(request: Request, ticket: Ticket) -> bool:
    if len(request.url.query) > QUERY_LIMIT:
        return False
    state = request.query_params.get("state", "")
    return hmac.compare_digest(state.encode(), ticket.state.encode())


def _keep_ticket(response: Response, request: Request, settings: Settings, ticket: Ticket) -> None:
    secure = cookies.is_secure(request.scope, settings)
    response.set_cookie(
        cookies.cookie_name(secure, COOKIE),
        _tickets(settings).close(orjson.dumps(asdict(ticket)).decode()),
        max_age=STATE_SECONDS,
        # Over HTTPS no neighbouring host can put its own ticket there, which asks for this path.
        path="/",
        httponly=True,
        # Not strict: the way back comes from another site.
        samesite="lax",
        secure=secure,
    )


def _kept_ticket(request: Request, settings: Settings) -> Ticket | None:
    name = cookies.cookie_name(cookies.is_secure(request.scope, settings), COOKIE)
    sealed = cookies.cookie_value(request.headers.get("cookie", ""), name) or ""
    if not sealed or len(sealed) > COOKIE_LIMIT or not sealed.isascii():
        return None
    opened = _tickets(settings).open(sealed, STATE_SECONDS)
    return Ticket(**orjson.loads(opened)) if opened else None


def _forget_ticket(response: Response, request: Request, settings: Settings) -> None:
    secure = cookies.is_secure(request.scope, settings)
    response.delete_cookie(
        cookies.cookie_name(secure, COOKIE), path="/", secure=secure, httponly=True, samesite="lax"
    )


def _tickets(settings: Settings) -> Seal:
    return Seal(settings.signing_key(), b"sign-in at a provider")


def _secrets(settings: Settings) -> Seal:
    return provider_seal(settings.signing_key())


def _refused(request: Request, error: ApiError, reason: str, onward: str | None) -> Response:
    SIGN_INS.add(reason)
    return refused(request, error, reason=reason, onward=onward, step=STEP)


def _log_failure(
    provider: KnownProvider | None, error: OutboundError | ProviderProblem | InvalidIdToken
) -> None:
    """Say for the operator why nobody comes from a provider, in words of our own."""
    if provider is not None:
        log.warning("sso.failed", clinic=str(provider.clinic_id), why=str(error))


def _audit_refusal(provider: KnownProvider | None) -> None:
    clinic: UUID | None = provider.clinic_id if provider else None
    audit("sign_in.sso_refused", clinic=clinic)


_ASK_FIRST = ApiError(403, "bad_origin", "this request comes from another site")
_UNKNOWN = ApiError(404, "sso_unknown", "no clinic of this name has an identity provider")
_UNAVAILABLE = ApiError(502, "sso_unavailable", "the clinic's identity provider cannot be used now")
_LATE = ApiError(401, "sso_late", "begin the sign-in again")
_DENIED = ApiError(401, "sso_denied", "the sign-in was given up at the identity provider")
_FAILED = ApiError(401, "sso_failed", "what the identity provider says does not count")
_NOT_MEMBER = ApiError(403, "sso_not_member", "nobody of this clinic is meant")
_EMAIL = ApiError(403, "sso_email", "the identity provider has not verified the email address")
_OTHER_ACCOUNT = ApiError(403, "sso_other_account", "another account is known for this person")
