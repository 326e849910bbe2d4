"""Makes backups by the clock, in a process of its own, so that nobody's message waits for one."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import structlog

from clinic_chat.backups.errors import BackupError, reason
from clinic_chat.backups.schedule import backup_folder, backup_name, backups_in, expired, is_due
from clinic_chat.backups.unfinished import folder_lock
from clinic_chat.settings import PROJECT_ROOT, Settings

LOOK_SECONDS = 60.0
RETRY_SECONDS = 600.0
# A server that ends has ten seconds in all.
STOP_SECONDS = 3.0
SAID_BY_US = "clinic_chat: "

log = structlog.get_logger(__name__)


class BackupWorker:
    """The scheduled backups of one process; of processes that share a folder one makes them.

    What is due is told by the backups in the folder, so a restart makes none again. Its lock is
    the lease: the kernel ends it with the process, and a backup under way holds it too.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._not_before = 0.0

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Make backups while the server runs, if it is asked to."""
        if not self._settings.backup_every_hours:
            yield
            return
        task = asyncio.create_task(self.run(), name="clinic_chat_backups")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Make a backup if one is due, and remove those that are not kept any more."""
        if monotonic() < self._not_before:
            return
        try:
            await self._look()
        except (BackupError, OSError) as error:
            # Said again and again: nobody looks for a backup that is not there.
            self._not_before = monotonic() + RETRY_SECONDS
            log.error("backup.failed", reason=reason(error), again_in_seconds=RETRY_SECONDS)
        except Exception as error:
            self._not_before = monotonic() + RETRY_SECONDS
            log.error("backup.failed", exc_info=error)

    async def _look(self) -> None:
        folder = backup_folder(self._settings)
        every = timedelta(hours=self._settings.backup_every_hours)
        moment = datetime.now(UTC)
        with folder_lock(folder, wait=False) as lock:
            if lock is None or not is_due(backups_in(folder).values(), moment, every):
                return
            encrypted = bool(self._settings.backup_encrypt_to)
            file = folder / backup_name(moment, encrypted=encrypted)
            begun = monotonic()
            await self._make(file, lock)
            log.info(
                "backup.made",
                file=str(file),
                bytes=file.stat().st_size,
                seconds=round(monotonic() - begun, 1),
            )
            for old in expired(backups_in(folder), self._settings.backup_keep):
                old.unlink(missing_ok=True)
                log.info("backup.removed", file=str(old))

    async def _make(self, file: Path, lock: int) -> None:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "clinic_chat", "backup", str(file)),
            cwd=PROJECT_ROOT,
            env=self._environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            pass_fds=(lock,),
        )
        try:
            _, said = await process.communicate()
        except asyncio.CancelledError:
            await _stop(process)
            raise
        if process.returncode:
            raise BackupError(_last_line(said) or f"it ended with code {process.returncode}")

    def _environment(self) -> dict[str, str]:
        settings = self._settings
        return {
            **os.environ,
            "CLINIC_CHAT_DATABASE_URL": settings.database_url,
            "CLINIC_CHAT_SECRET_KEY": settings.secret_key,
            "CLINIC_CHAT_BACKUP_ENCRYPT_TO": ",".join(settings.backup_encrypt_to),
        }


async def _stop(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()


def _last_line(said: bytes) -> str:
    """Why it failed, in our own words; a traceback's last line may quote anything."""
    lines = [line for line in said.decode(errors="replace").splitlines() if line]
    return lines[-1].removeprefix(SAID_BY_US) if lines and lines[-1].startswith(SAID_BY_US) else ""
