"""Which rendered page answers which address, without sending the browser to another one."""

import re
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

_CONVERSATION = re.compile(r"/c/[^/]+/?")
_INBOX = "/"


class PagePaths:
    """ASGI middleware; `static_dir` holds the built pages.

    The address of a conversation is answered with the inbox's page: without it the answer is a
    page with nothing in it, which stays blank until all code is there, and staff load this
    address whenever they reload. And a page in a folder of its own, like the sign-in page, is
    answered where it is: a redirect to the same with a slash at its end costs a slow line a third
    of a second.
    """

    def __init__(self, app: ASGIApp, static_dir: Path) -> None:
        self._app = app
        self._folders = {f"/{page.parent.name}" for page in static_dir.glob("*/index.html")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (path := self._page(scope["path"])):
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)

    def _page(self, path: str) -> str | None:
        if path in self._folders:
            return f"{path}/"
        return _INBOX if _CONVERSATION.fullmatch(path) else None
