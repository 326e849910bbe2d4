"""Pages, files and sockets are at the root of a host: what comes below a path is told so."""

import re

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from clinic_chat.api.errors import ApiError, error_response

# What a proxy that takes a prefix away says it has taken.
HEADER = "x-forwarded-prefix"
# What nobody asks for who does not mean this server; `/…/login` is asked for by every scanner.
_OURS_BELOW_A_PATH = re.compile(r"/.+/(?:_event/?|healthz|readyz|api/v1/inbound)")
_REFUSED = ApiError(
    404,
    "path_prefix",
    "Clinic Chat cannot be served below a path: give it a host name, or a port, of its own",
)

log = structlog.get_logger(__name__)


class RootOnly:
    """ASGI middleware that refuses requests from a proxy that serves this below a path.

    The pages would come and stay without their scripts, which are asked for at the root.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._reported = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_below_a_path(scope):
            await self._app(scope, receive, send)
            return
        if not self._reported:
            self._reported = True
            # Strangers can say so too.
            log.warning("proxy.path_prefix", reason=_REFUSED.detail)
        await error_response(_REFUSED)(scope, receive, send)


def _is_below_a_path(scope: Scope) -> bool:
    taken_away = Headers(scope=scope).get(HEADER, "").strip("/ ")
    return bool(taken_away) or _OURS_BELOW_A_PATH.fullmatch(scope["path"]) is not None
