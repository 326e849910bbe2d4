"""Makes sure that there is a Chromium for the tests: `python -m tests.browser.chromium`."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

# A Chromium without windows needs half the processor time for a page that one with them needs.
SHELLS = ("chromium-headless-shell", "chrome-headless-shell")
NAMES = ("chromium", "chromium-browser", "google-chrome")
PLAYWRIGHT_INSTALL = (
    *(sys.executable, "-m", "playwright", "install"),
    *("--only-shell", "chromium"),
)
LAUNCH_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Playwright's own list, which a second one replaces, and below it what draws the buttons of
    # a window that nobody sees: a process for each.
    "--disable-features="
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,"
    "HttpsFirstBalancedModeAutoEnable,LensOverlay,MediaRouter,PaintHolding,"
    "ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect,OptimizationHints,"
    "NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch,"
    "InitialWebUI,WebUIReloadButton,WebUIToolbarWebView,WebUIOmniboxPopup,WebUITabStrip,"
    "PreloadTopChromeWebUI,SpareRendererForSitePerProcess",
]
VERSION_SECONDS = 30


def chromium_path() -> str | None:
    """The Chromium for the tests on PATH, or None for the one Playwright keeps itself."""
    if shell := _on_path(SHELLS):
        return shell
    return None if _playwright_has_one() else _on_path(NAMES)


def _on_path(names: tuple[str, ...]) -> str | None:
    found = (shutil.which(name) for name in names)
    return next((path for path in found if path and _is_chromium(path)), None)


def _playwright_has_one() -> bool:
    says = subprocess.run(
        [*PLAYWRIGHT_INSTALL, "--dry-run"], capture_output=True, text=True, check=False
    )
    place = re.search(r"Install location:\s*(.+)", says.stdout)
    return place is not None and Path(place[1].strip()).exists()


def _is_chromium(path: str) -> bool:
    # Where the browser comes as a snap, what is on PATH may only say how to install it.
    try:
        asked = subprocess.run(
            [path, "--version"],
            capture_output=True,
            text=True,
            timeout=VERSION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0 and "chrom" in asked.stdout.lower()


def why_not() -> str:
    """Why no Chromium opens a page here, or "" when one does."""
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium_path(), args=LAUNCH_ARGUMENTS
            )
            browser.new_page().goto("about:blank")
            browser.close()
    except Error as error:
        return str(error)
    return ""


def from_playwright() -> None:
    """Download the Chromium that belongs to the installed Playwright."""
    _run(*PLAYWRIGHT_INSTALL)


def from_apt() -> None:
    """Install the distribution's Chromium, as root on Debian and its relatives."""
    _run("apt-get", "update")
    for package in (SHELLS[0], NAMES[0]):
        _run("apt-get", "install", "-y", "--no-install-recommends", package)
        if _on_path((package,)):
            return


def _run(*command: str) -> None:
    try:
        # Progress belongs on standard error: what follows on standard output is the result.
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error}\n")


def main() -> int:
    """0 when a Chromium works, installed now if need be; 1 with the reason otherwise."""
    for install in (from_playwright, from_apt):
        if (_on_path(SHELLS) or _playwright_has_one()) and not why_not():
            return 0
        install()
    reason = why_not()
    if reason:
        sys.stderr.write(
            f"No Chromium for the browser tests. Put one of {', '.join(SHELLS + NAMES)} on PATH, "
            f"or run `playwright install --with-deps chromium`. The last try failed with:\n"
            f"{reason}\n"
        )
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main())
