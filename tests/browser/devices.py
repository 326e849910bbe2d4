"""Browsers of people: each as good as new, though the code it loads may be in its cache."""

from typing import Any

from playwright.async_api import Browser, BrowserContext, Page

VIEWPORT = {"width": 1280, "height": 800}
USUAL: dict[str, Any] = {"viewport": VIEWPORT, "locale": "pt-BR"}


class Devices:
    """Contexts of one browser. Those for the usual site with the usual options are used again.

    Loading a page into a new context costs twice as much, most of it for the same code again.
    """

    def __init__(self, browser: Browser, usual_origin: str) -> None:
        self._browser = browser
        self._origin = usual_origin
        self._unused: list[BrowserContext] = []
        self._usual: set[BrowserContext] = set()

    async def take(
        self, origin: str, options: dict[str, Any], script: str | None = None
    ) -> BrowserContext:
        """A context without cookies, stored items or pages, for whoever gives it back."""
        if origin != self._origin or options or script:
            context = await self._browser.new_context(base_url=origin, **{**USUAL, **options})
            if script:
                await context.add_init_script(script)
            return context
        if self._unused:
            return self._unused.pop()
        context = await self._browser.new_context(base_url=origin, **USUAL)
        self._usual.add(context)
        return context

    async def give_back(self, context: BrowserContext) -> None:
        """Close its pages and forget what they stored."""
        if context not in self._usual:
            await context.close()
            return
        for page in context.pages:
            await page.close()
        await context.set_offline(False)
        await context.unroute_all()
        await context.clear_permissions()
        await context.clear_cookies()
        await self._empty(await context.new_page())
        self._unused.append(context)

    async def _empty(self, page: Page) -> None:
        # Only when every page is gone: one may store something with its last breath.
        devtools = await page.context.new_cdp_session(page)
        what = {"origin": self._origin, "storageTypes": "all"}
        await devtools.send("Storage.clearDataForOrigin", what)
        await page.close()
