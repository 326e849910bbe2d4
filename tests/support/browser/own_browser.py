"""A browser of one's own, whose processes a test may kill."""

import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from playwright.async_api import Browser

from tests.browser.chromium import LAUNCH_ARGUMENTS, chromium_path


@asynccontextmanager
async def own_browser(
    like: Browser, path: str | None = None, without: Sequence[str] = ()
) -> AsyncIterator[Browser]:
    """Another Chromium beside the shared one; `without` names options of Playwright's."""
    browser = await like.browser_type.launch(
        executable_path=path or chromium_path(),
        args=LAUNCH_ARGUMENTS,
        ignore_default_args=list(without),
    )
    try:
        yield browser
    finally:
        await browser.close()


async def kill_tabs(browser: Browser) -> None:
    """End the processes that run the browser's tabs, as the system does when memory is short."""
    session = await browser.new_browser_cdp_session()
    info = await session.send("SystemInfo.getProcessInfo")
    tabs = [process["id"] for process in info["processInfo"] if process["type"] == "renderer"]
    assert tabs, info
    for process_id in tabs:
        os.kill(process_id, signal.SIGKILL)
