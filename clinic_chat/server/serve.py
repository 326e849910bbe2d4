"""The production server: the built front end and the back end in one process on one port."""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import structlog
from sqlalchemy import make_url

from clinic_chat.logs import configure_logging
from clinic_chat.server.graceful_server import APPLICATION, GracefulServer
from clinic_chat.server.listening import lacks_ipv6, open_listeners
from clinic_chat.server.processes import run_processes
from clinic_chat.settings import PROJECT_ROOT, get_settings
from clinic_chat.storage.sqlite.library import has_reset_bug, sqlite3

WEB = PROJECT_ROOT / ".web"
BUILT = WEB / "build" / "client"
FINGERPRINT = WEB / "build" / "fingerprint"
SOURCES = (
    "clinic_chat/ui",
    "clinic_chat/clinic_chat.py",
    "assets",
    # The package.json beside it is rewritten by every build.
    "reflex.lock/bun.lock",
    "rxconfig.py",
    "requirements.txt",
    # The types of the screens' Reflex vars come from the domain's views.
    "clinic_chat/domain",
    # The build writes its constants into the browser's code (ui/build/constants.py).
    "clinic_chat/realtime",
)

log = structlog.get_logger(__name__)


def serve(host: str, port: int, processes: int = 1) -> None:
    """Build the front end when it is missing or older than the code, and serve.

    The database is migrated before: the command does it, which can say what is wrong with it.
    """
    settings = get_settings()
    configure_logging(settings.log_level)
    _tell_sqlite(settings.database_url)
    build_if_needed()
    os.chdir(PROJECT_ROOT)
    listeners = open_listeners(host, port)
    if lacks_ipv6(host, listeners):
        log.warning("ipv6.not_there", effect="the server is reached by IPv4 alone")
    if processes > 1:
        run_processes(processes, host, port, listeners)
    else:
        GracefulServer(APPLICATION, host, port).run(listeners)


def _tell_sqlite(database_url: str) -> None:
    if make_url(database_url).get_backend_name() != "sqlite":
        return
    log.info("sqlite.library", version=sqlite3.sqlite_version)
    if has_reset_bug():
        log.warning(
            "sqlite.old_library",
            advice="stop the server before a command changes the database, or install pysqlite3",
        )


def build_if_needed() -> None:
    """Build the front end unless the last build was made from exactly these sources."""
    # Of servers that start together on one checkout, one builds and the others wait for it.
    with (PROJECT_ROOT / "rxconfig.py").open() as checkout:
        fcntl.flock(checkout, fcntl.LOCK_EX)
        current = fingerprint()
        if not FINGERPRINT.exists() or FINGERPRINT.read_text() != current:
            _build()
            FINGERPRINT.write_text(current)


def _build() -> None:
    if not os.access(PROJECT_ROOT, os.W_OK):
        raise SystemExit(
            f"The front end is missing or older than the code, and {PROJECT_ROOT} is read-only: "
            "run `python -m clinic_chat build` where and as who may write there."
        )
    log.info("frontend.building")
    build = subprocess.run(
        [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"],
        cwd=PROJECT_ROOT,
        check=False,
        stdin=subprocess.DEVNULL,
        # Progress bars and advice are for people who build by hand; shown only after a failure.
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if build.returncode != 0:
        sys.stderr.buffer.write(build.stdout)
        raise SystemExit("The front end could not be built; the reason is above.")


def fingerprint() -> str:
    """A hash of everything the front end is made of."""
    digest = hashlib.sha256()
    for source in SOURCES:
        for path in sorted(_files(PROJECT_ROOT / source)):
            digest.update(str(path.relative_to(PROJECT_ROOT)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return [
        file
        for file in path.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".pyc"
    ]
