"""Maps request paths to built pages, without redirecting the browser."""

import re
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clinic_chat.api.errors import ApiError, error_response

_CONVERSATION = re.compile(r"/c(?:/[^/]*)?/?")
_INBOX = "/"
_NOT_FOUND = "/404.html"
# Headers that are dropped so that the not-found page is always sent whole.
_CONDITIONS = {b"if-none-match", b"if-modified-since", b"range", b"if-range"}


class PagePaths:
    """ASGI middleware; `static_dir` holds the built pages, `backend` are the other paths served.

    A conversation's path is answered with the inbox's page: the page server's own answer stays
    blank until all code is loaded, and staff load this path whenever they reload. A page in a
    folder of its own, like the sign-in page, is served at its path without a slash, because a
    redirect to the path with one costs a slow connection a third of a second.

    A path without page or file is answered with 404: the not-found page, or JSON if the path has a
    file's suffix. The page server would answer with a page and 200, which browsers would then cache
    in place of a script for a year.
    """

    def __init__(self, app: ASGIApp, static_dir: Path, backend: Collection[str] = ()) -> None:
        self._app = app
        self._backend = re.compile("|".join(f"{re.escape(path)}(?:/.*)?" for path in backend))
        found = [path.relative_to(static_dir) for path in static_dir.rglob("*") if path.is_file()]
        self._files = {f"/{path.as_posix()}" for path in found}
        self._folders = {
            f"/{path.parent.as_posix()}" for path in found if path.match("*/index.html")
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if path in self._folders:
            await self._app(_moved(scope, f"{path}/"), receive, send)
        elif _CONVERSATION.fullmatch(path):
            await self._app(_moved(scope, _INBOX), receive, send)
        elif self._is_served(path):
            await self._app(scope, receive, send)
        elif PurePosixPath(path).suffix or _NOT_FOUND not in self._files:
            missing = ApiError(404, "not_found", "there is nothing at this address")
            await error_response(missing)(scope, receive, send)
        else:
            await self._app(_moved(scope, _NOT_FOUND), receive, _as_not_found(send))

    def _is_served(self, path: str) -> bool:
        return (
            path == _INBOX
            or path in self._files
            or path.removesuffix("/") in self._folders
            or self._backend.fullmatch(path) is not None
        )


def _moved(scope: Scope, path: str) -> Scope:
    headers = scope["headers"]
    if path == _NOT_FOUND:
        headers = [(name, value) for name, value in headers if name not in _CONDITIONS]
    return {**scope, "path": path, "raw_path": path.encode(), "headers": headers}


def _as_not_found(send: Send) -> Send:
    async def send_as_not_found(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            message["status"] = 404
        await send(message)

    return send_as_not_found
