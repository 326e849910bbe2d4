"""The session cookie as the browser keeps it."""

from fastapi import Request
from starlette.responses import Response

from clinic_chat.domain.sessions import COOKIE_NAME
from clinic_chat.settings import Settings

SECONDS_PER_DAY = 86_400


def session_cookie(request: Request) -> str | None:
    """The session cookie the request carries, if any."""
    return request.cookies.get(COOKIE_NAME)


def set_session_cookie(
    response: Response, request: Request, settings: Settings, cookie: str
) -> None:
    """Have the browser keep `cookie`: unreadable for scripts, not sent from other sites."""
    response.set_cookie(
        COOKIE_NAME,
        cookie,
        max_age=settings.session_days * SECONDS_PER_DAY,
        path="/",
        secure=_secure(request, settings),
        httponly=True,
        samesite="lax",
    )


def clear_session_cookie(response: Response, request: Request, settings: Settings) -> None:
    """Have the browser forget the cookie."""
    response.delete_cookie(
        COOKIE_NAME, path="/", secure=_secure(request, settings), httponly=True, samesite="lax"
    )


def _secure(request: Request, settings: Settings) -> bool:
    if settings.secure_cookies is not None:
        return settings.secure_cookies
    return request.url.scheme == "https"
