"""The first start of a server without a clinic: every page leads to the set-up page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from clinic_chat.api.auth.setup import code
from clinic_chat.domain.administration.first_clinic import has_clinic
from clinic_chat.services import Services
from clinic_chat.storage.database import StorageUnavailable

SETUP = "/setup"
PAGES = ("/", "/login", SETUP)
PAGE_PREFIXES = ("/c/", "/settings")


@asynccontextmanager
async def announce_setup(services: Services) -> AsyncIterator[None]:
    """Log the set-up code while there is no clinic."""
    await code.announce(services)
    yield


class SetupRedirect:
    """ASGI middleware: without a clinic pages lead to the set-up page, and with one it leads home.

    The database is asked until there is a clinic, and not any more.
    """

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services
        self._has_clinic = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not _is_page(scope["path"]):
            await self._app(scope, receive, send)
            return
        if not self._has_clinic:
            try:
                self._has_clinic = await has_clinic(self._services.database)
            except StorageUnavailable:
                await self._app(scope, receive, send)
                return
        is_setup = scope["path"].rstrip("/") == SETUP
        if self._has_clinic == is_setup:
            goal = "/" if self._has_clinic else SETUP
            await RedirectResponse(goal, 303)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_page(path: str) -> bool:
    return (path.rstrip("/") or "/") in PAGES or path.startswith(PAGE_PREFIXES)
