"""Bearer tokens in requests, and what becomes of those that are not right."""

from fastapi import Request

from clinic_chat.api.context import client_host, context_of
from clinic_chat.api.errors import ApiError, rate_limited

# A misconfigured program says so at its first request; more are guesses.
GUESSES_PER_MINUTE = 60


def bearer_token(request: Request) -> str:
    """The token of the request, "" when it has none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def refused_token(request: Request, name: str, message: str) -> ApiError:
    """Why a request without the right token is refused, counted by its address as `name`.

    Only what is refused counts, so nobody keeps a token that is right from working.
    """
    host = client_host(request)
    limits = context_of(request).services.limits
    if seconds := await limits.hit_address(name, host, GUESSES_PER_MINUTE):
        return rate_limited(seconds)
    return ApiError(401, "unauthorized", message, headers={"WWW-Authenticate": "Bearer"})
