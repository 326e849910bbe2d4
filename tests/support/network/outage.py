"""A network that goes away and comes back, and what the screen showed meanwhile."""

from playwright.async_api import Page

# Playwright's offline switch refuses new connections but leaves open sockets alone.
KEEP_SOCKETS = """
window.openSockets = [];
window.WebSocket = class extends WebSocket {
  constructor(...parameters) {
    super(...parameters);
    window.openSockets.push(this);
  }
};
"""
_WATCH = """
() => {
  const lowest = {message: Infinity, "conversation-row": Infinity};
  const look = () => {
    for (const name of Object.keys(lowest)) {
      const count = document.querySelectorAll(`[data-testid=${name}]`).length;
      lowest[name] = Math.min(lowest[name], count);
    }
  };
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true});
  const everyFrame = () => {
    look();
    requestAnimationFrame(everyFrame);
  };
  everyFrame();
  window.lowestCounts = lowest;
}
"""
CUT = "WebSocket is already in CLOSING or CLOSED state"
"""What Chromium says when a page sends over a socket that was cut under it."""
REFUSED = r"(WebSocket connection to|Failed to load resource: net::ERR_).*/_event/"
"""What Chromium says on the console when it is offline or the server is gone."""


async def go_offline(page: Page) -> None:
    """Cut the page's sockets and refuse new ones. The page needs the script `KEEP_SOCKETS`."""
    await page.context.set_offline(True)
    await cut(page)


async def go_online(page: Page) -> None:
    """Let the page connect again."""
    await page.context.set_offline(False)


async def cut(page: Page) -> None:
    """Close the page's sockets as a broken network does; it may connect again at once."""
    await page.evaluate("() => window.openSockets.forEach((socket) => socket.close())")


async def watch_counts(page: Page) -> None:
    """Remember from now on the lowest number of messages and of rows in the list."""
    await page.evaluate(_WATCH)


async def lowest_counts(page: Page) -> tuple[int, int]:
    """The lowest number of messages, and of list rows, that were ever on the screen."""
    counts = await page.evaluate("() => window.lowestCounts")
    return counts["message"], counts["conversation-row"]
