"""Caddy and nginx for the tests: where they are, and how they get here."""

import os
import shutil
import subprocess
from pathlib import Path

# Unpacked here and not installed: Debian's packages would start a server on port 80.
FOLDER = (
    Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "clinic-chat" / "proxies"
)
CADDY, NGINX = "caddy", "nginx"
# By the question that they answer when they can run at all.
VERSION = {CADDY: "version", NGINX: "-v"}
QUESTION_SECONDS = 10


def program(name: str) -> str:
    """The path of a proxy.

    Raises:
        FileNotFoundError: it is not there; `python -m tests.browser.proxies.install`.
    """
    places = [os.environ.get("PATH", ""), "/usr/sbin", *map(str, unpacked())]
    if path := shutil.which(name, path=os.pathsep.join(places)):
        return path
    raise FileNotFoundError(f"{name} is neither on PATH nor in {FOLDER}")


def unpacked() -> list[Path]:
    """Where programs lie in an unpacked package."""
    return [FOLDER / "usr/bin", FOLDER / "usr/sbin"]


def why_not(name: str) -> str:
    """Why a proxy does not run here, or "" when it does."""
    try:
        subprocess.run(
            [program(name), VERSION[name]],
            check=True,
            capture_output=True,
            timeout=QUESTION_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return ""
