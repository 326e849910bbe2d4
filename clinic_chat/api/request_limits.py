"""A limit of HTTP requests per address and in all, in front of everything else."""

from starlette.types import ASGIApp, Receive, Scope, Send

from clinic_chat.api.errors import error_response, rate_limited
from clinic_chat.rate_limits import Limits
from clinic_chat.refusals import count_refusal

# Of all addresses together.
IN_ALL_FACTOR = 10
# Whoever watches the process asks these, and restarts it when they are refused.
NOT_COUNTED = ("/healthz", "/readyz")


class RequestLimits:
    """ASGI middleware that answers 429 beyond `per_minute` requests of an address.

    Requests are counted by this process alone: a question to Redis would cost more than most
    requests do.
    """

    def __init__(self, app: ASGIApp, limits: Limits, per_minute: int) -> None:
        self._app = app
        self._limits = limits
        self._per_minute = per_minute

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in NOT_COUNTED:
            host = scope["client"][0] if scope.get("client") else None
            in_all = self._per_minute * IN_ALL_FACTOR
            wait = self._limits.hit_address_here("http", host, self._per_minute, in_all)
            if wait:
                count_refusal("http.refused", reason="rate_limited")
                answer = error_response(rate_limited(wait))
                # It is outside of what gives the others their headers.
                answer.headers["Cache-Control"] = "no-store"
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)
