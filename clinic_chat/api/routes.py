"""The route class of the API: limits the body, and answers every error in one shape."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Message, Receive, Scope, Send

from clinic_chat.api.errors import ApiError, error_response

MAX_BODY_BYTES = 64 * 1024

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class GuardedRoute(APIRoute):
    """A route that reads at most `max_body_bytes` and answers every failure as an error.

    Errors are caught here and not by the application's exception handlers, because those
    would also apply to the page server mounted beside these routes, and because the one for
    unexpected exceptions raises them again, into a log that would quote them.
    """

    max_body_bytes = MAX_BODY_BYTES

    def get_route_handler(self) -> Handler:
        """The route's handler with admission, body limit and error answers."""
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                await self.admit(request)
                return await handler(bounded(request, self.max_body_bytes))
            except Exception as error:
                return error_response(error)

        return guarded

    async def admit(self, request: Request) -> None:
        """Refuse a request before its body is read, by raising."""


def bounded(request: Request, limit: int) -> Request:
    """The request with its body cut off at `limit` bytes.

    Bytes are counted as they arrive, because Content-Length may be absent or too small; one over
    the limit refuses the first read. A refused read raises `ApiError` 413 `body_too_large`. (The
    framework's own body limit answers in plain text.)
    """
    declared = request.headers.get("content-length", "")
    total = 0

    async def receive() -> Message:
        nonlocal total
        if declared.isdecimal() and int(declared[:20]) > limit:
            raise _too_large(limit)
        message = await request.receive()
        total += len(message.get("body", b""))
        if total > limit:
            raise _too_large(limit)
        return message

    return Request(request.scope, receive)


def _too_large(limit: int) -> ApiError:
    return ApiError(413, "body_too_large", f"the body has over {limit} bytes")


class Unmatched:
    """Answers 404 or 405 to the rest of a path prefix, which else the page server would answer."""

    def __init__(self, routes: list[BaseRoute]) -> None:
        self._routes = [route for route in routes if isinstance(route, APIRoute)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        allowed = sorted(
            method
            for route in self._routes
            if route.path_regex.match(scope["path"])
            for method in route.methods or ()
        )
        error = (
            ApiError(
                405,
                "method_not_allowed",
                f"this address takes {', '.join(allowed)}",
                headers={"Allow": ", ".join(allowed)},
            )
            if allowed
            else ApiError(404, "not_found", "there is nothing at this address")
        )
        await error_response(error)(scope, receive, send)
