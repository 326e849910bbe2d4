"""An id for each HTTP request: in every log line of it, and in its answer."""

import os
import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars
from uvicorn.middleware.proxy_headers import _TrustedHosts

from clinic_chat.web.peers import peer_host

HEADER = "X-Request-ID"
# What proxies make: 32 hexadecimal digits, or a UUID. No name or word can be written in them.
_WELL_FORMED = re.compile(rb"[0-9A-Fa-f-]{16,64}")


class RequestIds:
    """ASGI middleware; ids in the requests of `proxies` are kept, all others are made here."""

    def __init__(self, app: ASGIApp, proxies: str) -> None:
        self._app = app
        self._proxies = _TrustedHosts(proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._given(scope) or os.urandom(8).hex()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        with bound_contextvars(request_id=request_id):
            await self._app(scope, receive, send_with_id)

    def _given(self, scope: Scope) -> str | None:
        name = HEADER.lower().encode()
        given = [value for header, value in scope["headers"] if header == name]
        if len(given) != 1 or not _WELL_FORMED.fullmatch(given[0]):
            return None
        return given[0].decode() if peer_host(scope) in self._proxies else None
