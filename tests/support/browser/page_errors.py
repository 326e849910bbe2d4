"""What must not happen while a test looks at a page: errors nobody caught."""

import re

from playwright.async_api import ConsoleMessage, Error, Page

# What is loaded for later is loaded again when it is needed; a test that takes the network away, or
# ends, may do so at any moment.
FOR_LATER = r"Failed to load resource: net::ERR_.*/assets/menus-"


class Complaints:
    """Collects the uncaught errors and the console errors of pages."""

    def __init__(self) -> None:
        self._seen: list[str] = []
        self._allowed = [re.compile(FOR_LATER)]

    def listen(self, page: Page) -> None:
        """Collect from this page on."""
        page.on("pageerror", self._on_error)
        page.on("console", self._on_console)

    def allow(self, pattern: str) -> None:
        """This test causes these on purpose, such as failing requests while offline."""
        self._allowed.append(re.compile(pattern))

    def left(self) -> list[str]:
        """What was seen and not allowed."""
        return [text for text in self._seen if not any(p.search(text) for p in self._allowed)]

    def _on_error(self, error: Error) -> None:
        self._seen.append(f"uncaught: {error.stack or error.message}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._seen.append(f"console: {message.text} ({message.location.get('url')})")
