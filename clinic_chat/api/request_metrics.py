"""Counts HTTP requests by route and what became of them, and how long they took."""

from time import perf_counter

from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clinic_chat.api.app import OPENAPI_PATH, ROUTERS
from clinic_chat.metrics.http_requests import REQUEST_SECONDS, REQUESTS
from clinic_chat.metrics.instruments import OTHER

# A client that is gone before the answer begins.
NO_ANSWER = "none"
_API = [
    (route.path_regex, route.path)
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
]
_EXACT = {
    OPENAPI_PATH,
    "/",
    "/login",
    "/join",
    "/setup",
    *(path for _, path in _API if "{" not in path),
}
_PATTERNS = [(regex, path) for regex, path in _API if "{" in path]
# What begins like this is one route, whatever the rest of the address says.
_PREFIXES = (
    ("/_event", "/_event"),
    ("/assets/", "/assets/*"),
    ("/c/", "/c/*"),
    ("/settings", "/settings/*"),
)
_ROUTES = {*_EXACT, OTHER, *(route for _, route in (*_PREFIXES, *_PATTERNS))}


class RequestMetrics:
    """ASGI middleware in front of everything that answers HTTP."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # Each from the start, so that nothing grows by what is asked for.
        self._seconds = {route: REQUEST_SECONDS.of(route) for route in _ROUTES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # What answers may change the scope.
        route, status = route_of(scope["path"]), NO_ANSWER
        begun = perf_counter()

        async def send_counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = f"{message['status'] // 100}xx"
            await send(message)

        try:
            await self._app(scope, receive, send_counted)
        finally:
            REQUESTS.add(route, status)
            self._seconds[route].observe(perf_counter() - begun)


def route_of(path: str) -> str:
    """The route of an address: one of few, in which nothing of the address stands."""
    if path in _EXACT:
        return path
    for prefix, route in _PREFIXES:
        if path.startswith(prefix):
            return route
    for regex, route in _PATTERNS:
        if regex.match(path):
            return route
    return OTHER
