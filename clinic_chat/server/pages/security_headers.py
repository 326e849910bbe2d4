"""Adds security and caching headers to every HTTP response of the application."""

from http import HTTPStatus
from pathlib import Path

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clinic_chat.server.pages.csp import (
    NOTHING,
    OWN_SCRIPTS,
    content_security_policy,
    inline_script_hashes,
)
from clinic_chat.web.cookies import forwarded_https

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
HSTS_SECONDS = 31_536_000
PRIVATE_PREFIXES = ("/api/", "/auth/", "/_event", "/metrics")
# The build puts only files here whose names contain a hash of their content.
HASHED_PREFIX = "/assets/"
FOR_EVER = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"
SCRIPT_TYPES = ("text/javascript", "application/javascript")

log = structlog.get_logger(__name__)


class SecurityHeaders:
    """ASGI middleware; `static_dir` holds the built pages, whose inline scripts are allowed.

    Only the start of a response is touched, so bodies stream as they did, and everything but
    HTTP passes through. Wrap it around the whole application.
    """

    def __init__(self, app: ASGIApp, static_dir: Path | None = None) -> None:
        self._app = app
        self._static_dir = static_dir
        self._script_hashes: list[str] = []
        self._proxy_was_named = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._proxy_was_named and scope.get("scheme") == "http" and forwarded_https(scope):
            self._report_proxy(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                self._add(scope, message["status"], MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _add(self, scope: Scope, status: int, headers: MutableHeaders) -> None:
        headers.update(ALWAYS)
        if scope.get("scheme") == "https":
            headers["Strict-Transport-Security"] = f"max-age={HSTS_SECONDS}"
        path: str = scope["path"]
        content_type = headers.get("content-type", "")
        is_page = content_type.startswith("text/html")
        # The page of the API's documentation has a stricter one of its own.
        policy = headers.get("content-security-policy") or NOTHING
        if is_page and policy == NOTHING:
            host = Headers(scope=scope).get("host", "")
            policy = content_security_policy(host, self._hashes())
        elif content_type.startswith(SCRIPT_TYPES):
            policy = OWN_SCRIPTS
        if status != HTTPStatus.NOT_MODIFIED:
            # A browser would apply it to the page in its cache (RFC 9111 section 4.3.4).
            headers["Content-Security-Policy"] = policy
        if path.startswith(PRIVATE_PREFIXES):
            headers["Cache-Control"] = "no-store"
        elif path.startswith(HASHED_PREFIX) and status in {200, 304}:
            headers["Cache-Control"] = FOR_EVER
        elif is_page:
            headers["Cache-Control"] = REVALIDATE
        else:
            # Without it browsers guess, and use the old style sheet after an update.
            headers.setdefault("Cache-Control", REVALIDATE)

    def _report_proxy(self, scope: Scope) -> None:
        """Warn once that the proxy in front is not configured as trusted, and of the effect."""
        self._proxy_was_named = False
        log.warning(
            "proxy.not_trusted",
            peer=(scope.get("client") or ("unknown",))[0],
            setting="CLINIC_CHAT_TRUSTED_PROXIES",
            effect="https origins are refused and everybody counts as this one address",
        )

    def _hashes(self) -> list[str]:
        # Read at the first page, not at import, because the build may come after the import.
        if self._static_dir and not self._script_hashes:
            self._script_hashes = inline_script_hashes(self._static_dir)
        return self._script_hashes
