"""Deletes the conversations whose clinics keep them no longer, a few at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from clinic_chat.domain.clinics.actors import SYSTEM
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.retention.conversations import BATCH, clinics_with_term, delete_over_term
from clinic_chat.storage.database import Database, StorageUnavailable

LOOK_SECONDS = 3_600.0
# Live messages wait for the clinic's row meanwhile.
PAUSE_SECONDS = 0.2

log = structlog.get_logger(__name__)


class RetentionWorker:
    """The deletions of one process; of several, each takes what the others have left."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Look every hour while the server runs."""
        task = asyncio.create_task(self.run(), name="clinic_chat_retention")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            try:
                await self.look()
            except StorageUnavailable:
                log.warning("retention.storage_unavailable")
            except Exception as error:
                log.error("retention.failed", exc_info=error)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Delete everything whose term is over."""
        for clinic_id in await clinics_with_term(self._database):
            scope = ClinicScope(self._database, clinic_id, SYSTEM)
            deleted = await delete_over_term(scope)
            while deleted == BATCH:
                await asyncio.sleep(PAUSE_SECONDS)
                deleted = await delete_over_term(scope)
