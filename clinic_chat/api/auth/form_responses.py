"""Answers to form posts: a redirect to a page for a browser, JSON for a program."""

import re
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from clinic_chat.api.errors import ApiError, error_response

HOME = "/"
LOGIN = "/login"
PATH_LIMIT = 500

# Only characters of our own paths. Browsers drop tabs and line breaks from a Location and take
# "\" for "/", so any other character could turn a path into another site's address.
_PART = r"[A-Za-z0-9._~!$&'()*+,;=:@%?#-]+"
_LOCAL_PATH = re.compile(rf"/(?:{_PART}(?:/{_PART})*/?)?")


def local_path(value: object) -> str | None:
    """`value` when it is a path on this site that is safe to redirect to, else None."""
    if not isinstance(value, str) or len(value) > PATH_LIMIT:
        return None
    return value if _LOCAL_PATH.fullmatch(value) else None


def wants_json(request: Request) -> bool:
    """Whether the Accept header prefers JSON to a page (RFC 9110 section 12.5.1)."""
    accept = request.headers.get("accept", "")
    return _quality(accept, "application/json") > _quality(accept, "text/html")


def done(request: Request, location: str) -> Response:
    """The answer to a success, which leads to `location`."""
    if wants_json(request):
        return JSONResponse({"ok": True, "location": location})
    return RedirectResponse(location, 303)


def refused(
    request: Request,
    error: ApiError,
    reason: str | None = None,
    onward: str | None = None,
    step: str | None = None,
    clinic: str | None = None,
) -> Response:
    """The answer to a failure: the sign-in page, with `reason` and the path to open `onward`."""
    if wants_json(request):
        return error_response(error)
    told = (("step", step), ("clinic", clinic), ("error", reason), ("next", onward))
    query = {name: value for name, value in told if value}
    return RedirectResponse(f"{LOGIN}?{urlencode(query, safe='/')}" if query else LOGIN, 303)


def _quality(accept: str, media_type: str) -> float:
    general = media_type.partition("/")[0] + "/*"
    best = (-1, 0.0)
    for entry in accept.split(",")[:32]:
        name, *parameters = (part.strip().lower() for part in entry.split(";"))
        if name in {media_type, general, "*/*"}:
            specific = 2 - (media_type, general, "*/*").index(name)
            best = max(best, (specific, _weight(parameters)))
    return best[1]


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return min(max(float(parameter[2:]), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
