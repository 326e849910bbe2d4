"""Finds changes of people's own data that another process told and this one never heard.

They are numbered per person and clinic, but in no log. The look-up of all live sessions brings the
numbers; a tab that is behind for two passes gets its markers, counts, drafts and preferences anew.
"""

import asyncio

import structlog

from clinic_chat.domain.errors import DomainError
from clinic_chat.domain.events.log import PersonalChange
from clinic_chat.domain.messages.drafts import recent_drafts
from clinic_chat.process_channel import ProcessChannel
from clinic_chat.realtime.connections import Connection, Connections
from clinic_chat.realtime.events.bus import LOOK_SECONDS, Bus
from clinic_chat.realtime.feeds import inbox, personal
from clinic_chat.realtime.feeds.protocol import Item, Patch
from clinic_chat.realtime.feeds.sender import FeedSender
from clinic_chat.realtime.feeds.subscriptions import Subscriptions
from clinic_chat.storage.database import StorageUnavailable

log = structlog.get_logger(__name__)


class PersonalCatchUp:
    """Brings tabs up to date that are behind their person's own changes."""

    def __init__(
        self,
        channel: ProcessChannel,
        connections: Connections,
        subscriptions: Subscriptions,
        sender: FeedSender,
        bus: Bus,
    ) -> None:
        self._channel = channel
        self._connections = connections
        self._subscriptions = subscriptions
        self._sender = sender
        self._bus = bus
        # By socket: the number that it lacked at the pass before.
        self._behind: dict[str, int] = {}

    async def told(self, change: PersonalChange) -> None:
        """Note that a change was sent to all of its person's tabs."""
        if not self._channel.is_shared:
            return
        for connection in self._connections.of_person(change.clinic_id, change.user_id):
            # After a hole it stays where it is, and the next passes find it.
            if connection.personal_version == change.version - 1:
                connection.personal_version = change.version

    async def run(self) -> None:
        """Look every LOOK_SECONDS, until cancelled."""
        while self._channel.is_shared:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Bring up to date what was behind at the pass before and is so still."""
        behind: dict[str, int] = {}
        for connection in self._connections.all():
            known, newest = connection.personal_version, connection.identity.personal_version
            if known is None or newest <= known:
                continue
            before = self._behind.get(connection.sid)
            if before is None or before <= known:
                behind[connection.sid] = newest
                continue
            try:
                await self._catch_up(connection, known)
            except (StorageUnavailable, DomainError) as error:
                behind[connection.sid] = newest
                log.warning("personal_catch_up.failed", exception=type(error).__name__)
        self._behind = behind

    async def _catch_up(self, connection: Connection, known: int) -> None:
        if inbox.FEED not in connection.feeds:
            return
        newest = connection.identity.personal_version
        held = {
            inbox.FEED: self._bus.delivered(connection.identity.clinic_id),
            personal.FEED: known,
        }
        drafts = await recent_drafts(connection.scope)
        identity = connection.identity
        preferences = {"type": "preferences", "locale": identity.locale, "sound": identity.sound}
        items: list[Item] = [
            {"type": "draft", "id": conversation, "body": body}
            for conversation, body in drafts.items()
        ]
        items = [{**item, "version": newest} for item in (*items, preferences)]
        # The markers first: what follows says that everything up to its number is known.
        await self._subscriptions.catch_up(connection, inbox.FEED, inbox.KEY, held)
        patch = Patch(known, newest, items)
        await self._sender.send(connection.sid, personal.FEED, personal.KEY, patch, {})
        connection.personal_version = max(newest, connection.personal_version or 0)
