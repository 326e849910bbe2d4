"""The page of a conversation's address, which is the inbox's."""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

_CONVERSATION = re.compile(r"/c/[^/]+/?")
_INBOX = "/"


class OnePage:
    """ASGI middleware: answers the address of a conversation with the inbox's rendered page.

    Without it the answer is a page with nothing in it, which stays blank until all code is
    there; staff load this address whenever they reload.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _CONVERSATION.fullmatch(scope["path"]):
            scope = {**scope, "path": _INBOX, "raw_path": _INBOX.encode()}
        await self._app(scope, receive, send)
