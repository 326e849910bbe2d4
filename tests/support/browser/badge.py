"""What the connection badge says, and when it began to say it."""

import re
from time import time

from playwright.async_api import Locator, Page, expect

LIVE = "live"
POLLING = "polling"
STALE = "stale"
WAITING = "waiting"
OFFLINE = "offline"
CONNECTED = re.compile(f"^({LIVE}|{POLLING})$")
LOST = re.compile(f"^({WAITING}|{OFFLINE})$")
# How soon the badge has to tell what the browser can know.
TRUTH_SECONDS = 2.0
# Remembers every change of the badge with its real time, which a test may have replaced.
WATCH_BADGE = """
(() => {
  const now = Date.now.bind(Date);
  window.badgeLog = [];
  let last = "";
  const look = () => {
    const badge = document.querySelector("[data-testid=connection-badge]");
    if (!badge || badge.dataset.status === last) return;
    last = badge.dataset.status;
    window.badgeLog.push({at: now() / 1000, status: last});
  };
  new MutationObserver(look).observe(document, {
    attributes: true, attributeFilter: ["data-status"], childList: true, subtree: true,
  });
})();
"""


def badge(page: Page) -> Locator:
    """The badge."""
    return page.get_by_test_id("connection-badge")


async def badge_is(page: Page, status: str | re.Pattern[str], *, within: float = 15) -> None:
    """Return when the badge has this status; fail when it does not come in time."""
    await expect(badge(page)).to_have_attribute("data-status", status, timeout=within * 1000)


async def told(page: Page, status: str, since: float) -> float:
    """After how many seconds from `since` the badge had this status; the page needs the watch."""
    log = await page.evaluate("() => window.badgeLog")
    times = [entry["at"] for entry in log if entry["status"] == status and entry["at"] >= since]
    assert times, f"never {status} since {since:.3f}: {log}"
    return float(times[0]) - since


async def told_in_time(page: Page, status: str, since: float) -> float:
    """`told`, checked."""
    # In the log, because by the time one looks the connection may be back.
    await page.wait_for_function(
        "([status, since]) => window.badgeLog.some((e) => e.status === status && e.at >= since)",
        arg=[status, since],
    )
    seconds = await told(page, status, since)
    assert seconds < TRUTH_SECONDS
    return seconds


async def synced(page: Page) -> None:
    """Return when the screen was proven current just now."""
    await page.wait_for_function(
        """
        () => {
          const badge = document.querySelector("[data-testid=connection-badge]");
          return Date.now() - Number(badge.dataset.syncedAt) < 2500;
        }
        """,
        timeout=15_000,
    )


def now() -> float:
    """The time in seconds since 1970, as in the badge's log."""
    return time()
