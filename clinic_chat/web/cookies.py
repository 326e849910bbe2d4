"""The cookies of a sign-in: their names, and how to read them from a Cookie header."""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers

from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from clinic_chat.settings import Settings

HOST_PREFIX = "__Host-"
"""Prefix of cookies that only this host can set, over HTTPS (RFC 6265bis section 4.1.3.2)."""


def cookie_name(secure: bool, name: str = COOKIE_NAME) -> str:
    """The name of a cookie; over HTTPS with the prefix, so that no sibling host can set it."""
    return HOST_PREFIX + name if secure else name


def cookie_value(header: str, name: str) -> str | None:
    """The value of the cookie `name` in a Cookie header, or None; the first of several.

    Other applications on the host may have set cookies of any form beside it; those are skipped.
    Browsers write the header as in RFC 6265 section 5.4.
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
    """Whether the cookies of an ASGI request or websocket are for HTTPS only.

    X-Forwarded-Proto `https` counts even from a proxy that is not configured as trusted: at worst
    the browser refuses a cookie, while the opposite mistake would send one unencrypted.
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
