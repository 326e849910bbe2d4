"""Deletes conversations, events and deliveries that are kept no longer, a few at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from clinic_chat.domain.clinics.actors import SYSTEM
from clinic_chat.domain.clinics.clinic import clinic_ids
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.retention import conversations, events, webhook_deliveries
from clinic_chat.domain.retention.conversations import clinics_with_term, delete_over_term
from clinic_chat.domain.retention.events import delete_events
from clinic_chat.domain.retention.webhook_deliveries import (
    clinics_with_webhooks,
    delete_deliveries,
)
from clinic_chat.storage.base import now
from clinic_chat.storage.database import Database, StorageUnavailable

LOOK_SECONDS = 3_600.0
# Live messages wait for the clinic's row meanwhile.
PAUSE_SECONDS = 0.2

log = structlog.get_logger(__name__)


class RetentionWorker:
    """The deletions of one process; of several, each takes what the others have left.

    Events are kept for `events_kept`, conversations for their clinics' terms.
    """

    def __init__(self, database: Database, events_kept: timedelta) -> None:
        self._database = database
        self._events_kept = events_kept

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
            while deleted == conversations.BATCH:
                await asyncio.sleep(PAUSE_SECONDS)
                deleted = await delete_over_term(scope)
        before = now() - self._events_kept
        for clinic_id in await clinic_ids(self._database):
            scope = ClinicScope(self._database, clinic_id, SYSTEM)
            deleted = await delete_events(scope, before)
            while deleted == events.BATCH:
                await asyncio.sleep(PAUSE_SECONDS)
                deleted = await delete_events(scope, before)
        for clinic_id in await clinics_with_webhooks(self._database):
            scope = ClinicScope(self._database, clinic_id, SYSTEM)
            deleted = await delete_deliveries(scope)
            while deleted == webhook_deliveries.BATCH:
                await asyncio.sleep(PAUSE_SECONDS)
                deleted = await delete_deliveries(scope)
