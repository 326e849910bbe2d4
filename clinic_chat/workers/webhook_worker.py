"""Sends the clinics' events to their webhooks: in order per conversation, at least once.

Of several processes each sends what it has claimed (`domain/webhooks/queue.py`). A receiver that
is slow or dead keeps places of its own only: there are few per webhook, fewer for one whose last
attempt failed or took long, and a half of all is not for those.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID, uuid4

import structlog

from clinic_chat.domain.clinics.actors import SYSTEM
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import NotFound
from clinic_chat.domain.webhooks.delivery import WebhookDelivery
from clinic_chat.domain.webhooks.queue import (
    DueWebhook,
    Result,
    claim_deliveries,
    due_deliveries,
    due_webhooks,
    finish_delivery,
    queued_in_all,
)
from clinic_chat.domain.webhooks.request import INTERNAL, Outcome, send_event
from clinic_chat.domain.webhooks.state import disable_webhook
from clinic_chat.domain.webhooks.webhook import Webhook, WebhookState, webhook_seal
from clinic_chat.metrics.scrape import Measured, measured_by
from clinic_chat.metrics.webhooks import (
    WEBHOOK_ATTEMPTS,
    WEBHOOK_PENDING,
    WEBHOOK_PENDING_SECONDS,
    WEBHOOK_SECONDS,
    WEBHOOKS_DISABLED,
)
from clinic_chat.outbound.client import Outbound
from clinic_chat.settings import Settings
from clinic_chat.storage.base import now
from clinic_chat.storage.database import Database, StorageUnavailable
from clinic_chat.workers.webhook_bodies import bodies_of

# Interval of looking for what other processes queued and for what is to be tried again.
LOOK_SECONDS = 2.0
# Requests at a time, of one process: in all, of all webhooks that are slow, and of one webhook.
IN_ALL = 128
OF_SLOW = 64
OF_ONE = 4
OF_ONE_SLOW = 1
# So many events may wait for one webhook.
MOST_PENDING = 100_000
# Webhooks at a time for which deliveries are claimed: each takes a connection to the database.
CLAIMS = 4
STOP_SECONDS = 1.0

log = structlog.get_logger(__name__)


class WebhookWorker:
    """The deliveries of one process."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._seal = webhook_seal(settings.signing_key())
        self._outbound = Outbound(settings.outbound_private_hosts, settings.outbound_ca_file)
        self._holder = str(uuid4())
        self._news = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._claims = asyncio.Semaphore(CLAIMS)
        # By webhook, among those that are slow (True) and the others.
        self._places: dict[bool, Counter[UUID]] = {True: Counter(), False: Counter()}

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Deliver while the server runs. What is under way at its end may take a moment."""
        task = asyncio.create_task(self.run(), name="clinic_chat_webhooks")
        try:
            with measured_by(self.measured):
                yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.stop()

    def wake(self) -> None:
        """Look now: something was queued."""
        self._news.set()

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            self._news.clear()
            try:
                await self.look()
            except StorageUnavailable:
                log.warning("webhooks.storage_unavailable")
            except Exception as error:
                log.error("webhooks.failed", exc_info=error)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._news.wait()

    async def look(self) -> None:
        """Begin to send what is due, as far as there are places."""
        for slow, of_one, of_these in ((False, OF_ONE, IN_ALL), (True, OF_ONE_SLOW, OF_SLOW)):
            room = min(of_these - self._places[slow].total(), self._room())
            if room <= 0:
                continue
            taken = self._places[False] + self._places[True]
            full = [webhook for webhook, number in taken.items() if number >= of_one]
            due = await due_webhooks(self._database, room, slow=slow, besides=full)
            for webhook in due:
                places = min(of_one - taken[webhook.id], self._room())
                if places > 0:
                    self._places[slow][webhook.id] += places
                    self._begin(self._claim(webhook, slow, places))

    async def settled(self) -> int:
        """Wait for what is under way and what follows from it; how many tasks that were."""
        number = 0
        while under_way := set(self._tasks):
            number += len(under_way)
            await asyncio.gather(*under_way)
        return number

    async def stop(self) -> None:
        """Wait a moment for what is under way. What does not end is sent again later."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._outbound.close()

    def _room(self) -> int:
        return IN_ALL - sum(places.total() for places in self._places.values())

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="clinic_chat_webhook")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _leave(self, slow: bool, webhook_id: UUID, places: int) -> None:
        """Give places back, and look who may have them."""
        self._places[slow][webhook_id] -= places
        if not self._places[slow][webhook_id]:
            del self._places[slow][webhook_id]
        self.wake()

    async def _claim(self, due: DueWebhook, slow: bool, places: int) -> None:
        """Claim deliveries of a webhook and begin to send them; trouble delays no other webhook."""
        scope = ClinicScope(self._database, due.clinic_id, SYSTEM)
        unused = places
        try:
            async with self._claims:
                if due.pending > MOST_PENDING:
                    await self._disable(scope, due.id, WebhookState.OVERFULL)
                    return
                webhook, deliveries = await due_deliveries(scope, due.id, places)
                if webhook is None:
                    return
                bodies = await bodies_of(scope, deliveries)
                claimed = await claim_deliveries(scope, self._holder, due.id, bodies)
            for delivery in claimed:
                unused -= 1
                self._begin(self._send(scope, webhook, delivery, slow))
        except StorageUnavailable:
            log.warning("webhooks.storage_unavailable")
            await asyncio.sleep(LOOK_SECONDS)
        except Exception as error:
            log.error("webhook.failed", webhook=due.id, exc_info=error)
            # It is still due.
            await asyncio.sleep(LOOK_SECONDS)
        finally:
            if unused:
                self._leave(slow, due.id, unused)

    async def _send(
        self, scope: ClinicScope, webhook: Webhook, delivery: WebhookDelivery, slow: bool
    ) -> None:
        try:
            outcome = await self._outcome(webhook, delivery)
            finished = await finish_delivery(scope, self._holder, delivery, outcome)
            WEBHOOK_ATTEMPTS.add(finished.result)
            if finished.result == Result.PARKED:
                log.info("webhook.parked", webhook=webhook.id, error=outcome.error)
            if finished.disable is not None:
                await self._disable(scope, webhook.id, finished.disable)
        except StorageUnavailable:
            # Sent again when the claim is over.
            log.warning("webhooks.storage_unavailable")
        except Exception as error:
            log.error("webhook.failed", webhook=webhook.id, exc_info=error)
        finally:
            self._leave(slow, webhook.id, 1)

    async def _outcome(self, webhook: Webhook, delivery: WebhookDelivery) -> Outcome:
        message = {"id": delivery.message_id, "body": delivery.body or ""}
        try:
            found = await send_event(self._outbound, self._seal, webhook.id, webhook, message)
        except Exception as error:
            # It counts as an attempt, or it would be tried for ever.
            log.error("webhook.failed", webhook=webhook.id, exc_info=error)
            return Outcome(None, INTERNAL)
        WEBHOOK_SECONDS.observe(found.seconds)
        return found

    async def _disable(self, scope: ClinicScope, webhook_id: UUID, state: WebhookState) -> None:
        with suppress(NotFound):
            await disable_webhook(scope, webhook_id, state)
            WEBHOOKS_DISABLED.add(state)
            log.warning("webhook.disabled", webhook=webhook_id, reason=state)

    async def measured(self) -> Measured:
        """What waits in all, for a scrape.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        pending, oldest_at = await queued_in_all(self._database)
        seconds = (now() - oldest_at).total_seconds() if oldest_at else 0.0
        return {WEBHOOK_PENDING: {(): pending}, WEBHOOK_PENDING_SECONDS: {(): seconds}}
