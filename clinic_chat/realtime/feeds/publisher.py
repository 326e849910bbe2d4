"""Publishes a clinic's events: sends each feed's patches to its rooms."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from clinic_chat.domain.clinics.actors import SYSTEM
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.events.log import CommittedEvent, PersonalChange
from clinic_chat.domain.queries.changes import Changes, changes_of
from clinic_chat.realtime.feeds import personal
from clinic_chat.realtime.feeds.protocol import Feed, Refusal
from clinic_chat.realtime.feeds.sender import FeedSender
from clinic_chat.storage.database import Database

ToPrograms = Callable[[UUID, list[CommittedEvent], Changes], Awaitable[None]]


class Publisher:
    """The listener of the bus that sends patches."""

    def __init__(
        self,
        database: Database,
        sender: FeedSender,
        feeds: tuple[Feed, ...],
        to_programs: ToPrograms | None = None,
    ) -> None:
        self._database = database
        self._to_programs = to_programs
        self._sender = sender
        self._feeds = feeds

    async def publish(self, clinic_id: UUID, events: list[CommittedEvent]) -> None:
        """Send each feed's patches for the next events of a clinic."""
        changes = await changes_of(ClinicScope(self._database, clinic_id, SYSTEM), events)
        told = [
            (feed.name, publication)
            for feed in self._feeds
            for publication in feed.publications(clinic_id, events, changes)
        ]
        # Nothing else is awaited in between, so a tab gets several patches in one write.
        for name, publication in told:
            if isinstance(publication, Refusal):
                await self._sender.refuse(publication.room, name, publication.key, publication.code)
            else:
                await self._sender.publish(name, publication)
        if self._to_programs is not None:
            await self._to_programs(clinic_id, events, changes)

    async def publish_personal(self, change: PersonalChange) -> None:
        """Send a change of a person's own markers, drafts or settings."""
        await self._sender.publish(personal.FEED, personal.publication(change))
