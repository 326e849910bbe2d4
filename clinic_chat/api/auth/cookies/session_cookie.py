"""Reads, sets and clears the session cookie."""

from fastapi import Request
from starlette.responses import Response

from clinic_chat.settings import Settings
from clinic_chat.web import cookies

SECONDS_PER_DAY = 86_400


def session_cookie(request: Request, settings: Settings) -> str | None:
    """The session cookie the request carries, if any."""
    secure = cookies.is_secure(request.scope, settings)
    return cookies.session_cookie(request.headers.get("cookie", ""), secure=secure)


def set_session_cookie(
    response: Response, request: Request, settings: Settings, cookie: str
) -> None:
    """Have the browser keep `cookie`: HttpOnly, SameSite=Lax, and Secure over HTTPS."""
    secure = cookies.is_secure(request.scope, settings)
    response.set_cookie(
        cookies.cookie_name(secure),
        cookie,
        max_age=settings.session_days * SECONDS_PER_DAY,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def clear_session_cookie(response: Response, request: Request, settings: Settings) -> None:
    """Have the browser delete the session cookie."""
    secure = cookies.is_secure(request.scope, settings)
    response.delete_cookie(
        cookies.cookie_name(secure), path="/", secure=secure, httponly=True, samesite="lax"
    )
