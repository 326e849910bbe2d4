"""Rate limit of HTTP requests per address and in all, in front of everything else."""

from starlette.types import ASGIApp, Receive, Scope, Send

from clinic_chat.api.errors import error_response, rate_limited
from clinic_chat.web.rate_limits import Limits
from clinic_chat.web.refusals import count_refusal

# The limit of all addresses together, as a multiple of that of one.
IN_ALL_FACTOR = 10
# A supervisor requests these, and restarts the process when they are refused.
NOT_COUNTED = ("/healthz", "/readyz")


class RequestLimits:
    """ASGI middleware that answers 429 beyond `per_minute` requests of an address.

    Requests are counted in this process only, because a request to Redis would cost more than most
    of them.
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
                # The middleware that sets this header on other answers is not reached.
                answer.headers["Cache-Control"] = "no-store"
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)
