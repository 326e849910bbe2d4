"""Protection against cross-site request forgery: refuses posts that come from another site."""

from fastapi import Request

from clinic_chat.api.context import context_of
from clinic_chat.api.errors import ApiError
from clinic_chat.origins import origin_allowed


async def require_same_site(request: Request) -> None:
    """Pass posts from our own pages and from programs, which send neither header.

    Browsers put Origin on every cross-site POST; Sec-Fetch-Site decides only where there is
    no Origin (OWASP, Cross-Site Request Forgery Prevention).

    Raises:
        ApiError: 403 `bad_origin`.
    """
    headers = request.headers
    origin = headers.get("origin")
    if origin is None:
        fine = headers.get("sec-fetch-site", "none") in {"same-origin", "none"}
    else:
        allowed = context_of(request).services.settings.allowed_origins
        fine = origin_allowed(origin, headers.get("host", ""), request.url.scheme, allowed)
    if not fine:
        raise ApiError(403, "bad_origin", "this request comes from another site")
