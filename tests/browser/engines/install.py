"""Makes sure that the other browsers are there: `python -m tests.browser.engines.install`."""

import os
import shutil
import subprocess
import sys

from selenium.common.exceptions import WebDriverException

from tests.browser.engines.driver import started
from tests.browser.engines.programs import CHROMIUM, ENGINES, Engine, programs


def main() -> int:
    """0 when all of them work, installed now if need be; 1 with the reasons otherwise."""
    if missing := [engine for engine in (*ENGINES, CHROMIUM) if not _is_there(engine)]:
        _install([package for engine in missing for package in engine.packages])
        for engine in missing:
            if reason := _why_not(engine):
                sys.stderr.write(
                    f"No {engine.name} for the browser tests. On Debian and its relatives it is "
                    f"in {', '.join(engine.packages)}. The last try failed with:\n{reason}\n"
                )
                return 1
    return 0


def _is_there(engine: Engine) -> bool:
    try:
        programs(engine)
    except FileNotFoundError:
        return False
    return True


def _why_not(engine: Engine) -> str:
    """Why the engine opens no page here, or "" when it does."""
    try:
        programs(engine)
        if engine in ENGINES:
            with started(engine) as browser:
                browser.get("about:blank")
    except (OSError, AssertionError, WebDriverException) as error:
        return str(error)
    return ""


def _install(packages: list[str]) -> None:
    for command in (
        ["apt-get", "update"],
        ["apt-get", "install", "-y", "--no-install-recommends", *packages],
    ):
        _run(command)


def _run(command: list[str]) -> None:
    # Without a terminal nobody could answer for a password.
    as_root = ["sudo", "-n", "-E"] if os.geteuid() != 0 and shutil.which("sudo") else []
    try:
        # Progress belongs on standard error: what follows on standard output is the result.
        subprocess.run(
            [*as_root, *command],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            check=False,
        )
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error}\n")


if __name__ == "__main__":
    sys.exit(main())
