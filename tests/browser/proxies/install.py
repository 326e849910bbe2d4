"""Makes sure that Caddy and nginx are there: `python -m tests.browser.proxies.install`."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.browser.proxies.programs import FOLDER, VERSION, why_not

# Its own account cannot write into the folder of who runs the tests, and it would complain.
APT = ("apt-get", "-o", "APT::Sandbox::User=root")
DOWNLOAD_SECONDS = 300


def main() -> int:
    """0 in any case: tests that miss one say so, because not every system has them as packages."""
    missing = [name for name in VERSION if why_not(name)]
    if not missing or _fetch(missing):
        return 0
    # Lists of packages may be missing or old, and only root may fetch new ones.
    if os.geteuid() == 0:
        _runs([*APT, "update"])
        _fetch(missing)
    for name in missing:
        if reason := why_not(name):
            sys.stderr.write(
                f"No {name} for the tests behind proxies, which are skipped: {reason}\n"
            )
    return 0


def _fetch(packages: list[str]) -> bool:
    """Whether all of these packages are unpacked and their programs run."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        if not _runs([*APT, "download", *packages], folder):
            return False
        for package in Path(folder).glob("*.deb"):
            _runs(["dpkg-deb", "--extract", str(package), str(FOLDER)])
    return not any(map(why_not, packages))


def _runs(command: list[str], folder: str | None = None) -> bool:
    try:
        # Progress belongs on standard error: what follows on standard output is the result.
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            timeout=DOWNLOAD_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        sys.stderr.write(f"{command[0]}: {error}\n")
        return False
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
