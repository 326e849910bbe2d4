"""The cookies of a sign-in: their names, and how they are read from a Cookie header."""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers

from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from clinic_chat.settings import Settings

HOST_PREFIX = "__Host-"
"""With it a browser keeps the cookie of this very host alone (RFC 6265bis section 4.1.3.2)."""


def cookie_name(secure: bool, name: str = COOKIE_NAME) -> str:
    """What a cookie is called: over HTTPS no neighbouring host can set one of that name."""
    return HOST_PREFIX + name if secure else name


def cookie_value(header: str, name: str) -> str | None:
    """The value of the cookie `name` in a Cookie header, the first when there are several.

    Read as servers should (RFC 6265 section 5.4 is how browsers write it): what another
    application on the host has put beside it, whatever it looks like, does not matter.
    """
    for part in header.split(";"):
        found, equals, value = part.partition("=")
        if equals and found.strip() == name:
            return value.strip().removeprefix('"').removesuffix('"')
    return None


def session_cookie(header: str, *, secure: bool) -> str | None:
    """The session cookie in a Cookie header; over HTTPS only the one with the prefix counts."""
    return cookie_value(header, cookie_name(secure))


def is_secure(scope: Mapping[str, Any], settings: Settings) -> bool:
    """Whether the browser behind an ASGI request or websocket has its cookies for HTTPS only.

    A proxy that nobody named is believed when it says `https`: at worst a browser refuses a
    cookie, while the other mistake would send one over a line that anybody reads.
    """
    if settings.secure_cookies is not None:
        return settings.secure_cookies
    return scope.get("scheme") in {"https", "wss"} or forwarded_https(scope)


def forwarded_https(scope: Mapping[str, Any]) -> bool:
    """Whether a proxy says that the browser spoke HTTPS to it."""
    if "headers" not in scope:
        return False
    forwarded = Headers(scope=dict(scope)).get("x-forwarded-proto", "")
    return forwarded.partition(",")[0].strip().lower() in {"https", "wss"}
