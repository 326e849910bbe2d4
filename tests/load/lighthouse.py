"""`python -m tests.load.lighthouse`: Lighthouse on both pages of the production build.

The medians of three runs for a computer and for a slow phone. Needs Node, npm and a whole
Chromium; installs Lighthouse into the cache of the load tests.
"""

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from tests.load.servers.floors import CACHE, INSTALL_SECONDS
from tests.load.servers.front_end import FrontEnd
from tests.load.servers.product import Product

LIGHTHOUSE = "lighthouse@12.8.2"
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
RUNS = 3
RUN_SECONDS = 180
# A browser on a machine this small now and then fails to paint in time to be measured.
ATTEMPTS = 2
HERE = Path(__file__).parent


def installed() -> Path:
    """Where Lighthouse is, installed now if need be."""
    modules = CACHE / "node_modules"
    if not (modules / "lighthouse").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--silent", "--no-audit", "--prefix", str(CACHE), LIGHTHOUSE]
        subprocess.run(command, check=True, timeout=INSTALL_SECONDS)
    return modules


def run(url: str, form_factor: str, cookie: str = "") -> dict[str, Any]:
    """The scores of one run."""
    chromium = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if chromium is None:
        raise SystemExit(f"none of {', '.join(CHROMIUMS)} is on PATH")
    command = ["node", str(HERE / "lighthouse.mjs"), str(installed()), chromium, url, form_factor]
    for _ in range(ATTEMPTS):
        ended = subprocess.run(
            [*command, *([f"{COOKIE_NAME}={cookie}"] if cookie else [])],
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        if ended.returncode == 0:
            found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
            return found
    raise SystemExit(ended.stderr)


async def main(folder: Path) -> None:
    """Print what was measured."""
    FrontEnd.built()
    product = await Product.filled(folder, clinics=1, people=4, conversations=60, profile=None)
    await product.start()
    try:
        cookie = (await product.sign_in())[0][0]
        place = product.clinics[0].conversations[0]
        pages = {"/login": "", "/": cookie, f"/c/{place}": cookie}
        for form_factor in ("desktop", "mobile"):
            for path, session in pages.items():
                url = f"http://{product.host}{path}"
                runs = [
                    await asyncio.to_thread(run, url, form_factor, session) for _ in range(RUNS)
                ]
                Console().print(
                    form_factor, path, _medians(runs, "scores"), _medians(runs, "figures")
                )
                Console().print("   ", sorted({title for one in runs for title in one["failed"]}))
    finally:
        product.process.stop()


def _medians(runs: list[dict[str, Any]], part: str) -> dict[str, float]:
    return {name: round(median(one[part][name] or 0 for one in runs), 3) for name in runs[0][part]}


if __name__ == "__main__":
    with TemporaryDirectory(prefix="clinic-chat-lighthouse-") as temporary:
        asyncio.run(main(Path(temporary)))
