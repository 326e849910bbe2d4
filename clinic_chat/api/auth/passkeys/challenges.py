"""Challenges of passkeys: who asks, for what, and the signed cookie that remembers it."""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from clinic_chat.api.auth.cookies.signed_cookie import SignedCookie
from clinic_chat.api.context import client_host, context_of
from clinic_chat.api.errors import ApiError, rate_limited
from clinic_chat.api.routes import GuardedRoute
from clinic_chat.domain.accounts.passkeys.messages import (
    CHALLENGE_BYTES,
    CHALLENGE_SECONDS,
    Site,
    decode,
    encode,
)
from clinic_chat.settings import Settings
from clinic_chat.web.origins import origin_allowed, passkey_domain

COOKIE = "clinic_chat_passkey"
BODY_BYTES = 16 * 1024
# A clinic of many people is one address, and the sign-in page asks for a challenge by itself.
REQUESTS_PER_MINUTE = 300


class Purpose(StrEnum):
    """What a passkey is asked for."""

    SIGN_IN = "sign_in"
    SECOND_STEP = "second_step"
    ADD = "add"


@dataclass(frozen=True)
class Challenge:
    """Random bytes that a passkey signs."""

    value: bytes
    purpose: Purpose
    user_id: UUID | None = None
    """The only person whose passkey will do, None for anybody's."""


class PasskeyRoute(GuardedRoute):
    """A route for passkeys, limited in bytes and in requests per minute and address."""

    max_body_bytes = BODY_BYTES

    async def admit(self, request: Request) -> None:
        """Count the request.

        Raises:
            ApiError: 429 `rate_limited`.
        """
        limits = context_of(request).services.limits
        host = client_host(request)
        if seconds := await limits.hit_address("passkey", host, REQUESTS_PER_MINUTE):
            raise rate_limited(seconds)


def site_of(request: Request) -> Site:
    """The page that asks, by the same rule of origins as every post.

    Raises:
        ApiError: 403 `bad_origin`, or 409 `passkeys_unavailable` where browsers make none.
    """
    host, scheme = request.headers.get("host", ""), request.url.scheme
    origin = request.headers.get("origin") or f"{scheme}://{host}"
    allowed = context_of(request).services.settings.allowed_origins
    if not origin_allowed(origin, host, scheme, allowed):
        raise ApiError(403, "bad_origin", "this request comes from another site")
    domain = passkey_domain(origin)
    if domain is None:
        raise ApiError(409, "passkeys_unavailable", "passkeys need HTTPS and a host name")
    return Site(origin, domain)


def new_challenge(purpose: Purpose, user_id: UUID | None = None) -> Challenge:
    """A challenge that nobody can guess."""
    return Challenge(secrets.token_bytes(CHALLENGE_BYTES), purpose, user_id)


def keep_challenge(
    response: Response, request: Request, settings: Settings, challenge: Challenge
) -> None:
    """Remember a challenge in the browser for five minutes."""
    owner = str(challenge.user_id or "")
    _cookie(challenge.purpose).keep(response, request, settings, encode(challenge.value), owner)


def kept_challenge(
    request: Request, settings: Settings, purpose: Purpose, user_id: UUID | None = None
) -> Challenge | None:
    """The challenge for this purpose and person that the browser got in the last minutes."""
    value = _cookie(purpose).value(request, settings, str(user_id or ""))
    return None if value is None else Challenge(decode(value), purpose, user_id)


def forget_challenge(response: Response, purpose: Purpose) -> None:
    """Have the browser forget a challenge that was answered."""
    _cookie(purpose).forget(response)


def _cookie(purpose: Purpose) -> SignedCookie:
    return SignedCookie(f"{COOKIE}_{purpose}", f"passkey challenge:{purpose}", CHALLENGE_SECONDS)
