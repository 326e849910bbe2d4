"""Records page loads as activity of a person, which keeps the session from expiring."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from clinic_chat.settings import Settings
from clinic_chat.storage.database import StorageUnavailable
from clinic_chat.web import cookies


class PageLoads:
    """ASGI middleware that calls `note` with the session cookie of each page load.

    It does so after the response has been sent, which therefore does not wait.
    """

    def __init__(
        self, app: ASGIApp, settings: Settings, note: Callable[[str], Awaitable[None]]
    ) -> None:
        self._app = app
        self._settings = settings
        self._note = note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
        if scope["type"] != "http" or scope["method"] != "GET":
            return
        headers = Headers(scope=dict(scope))
        if not _is_navigation(headers):
            return
        secure = cookies.is_secure(scope, self._settings)
        cookie = cookies.session_cookie(headers.get("cookie", ""), secure=secure)
        if cookie:
            with suppress(StorageUnavailable):
                await self._note(cookie)


def _is_navigation(headers: Headers) -> bool:
    # Older browsers do not send the header, nor does any over plain HTTP (W3C Fetch Metadata).
    mode = headers.get("sec-fetch-mode")
    if mode is None:
        return headers.get("accept", "").startswith("text/html")
    return mode == "navigate" and "sec-purpose" not in headers
