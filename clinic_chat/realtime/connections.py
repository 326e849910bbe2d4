"""The live sockets with the identity of each, which is rechecked every few seconds."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic
from uuid import UUID

import structlog

from clinic_chat.domain.accounts.session_records import Identity
from clinic_chat.domain.accounts.sessions import Sessions
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.realtime.admission.visitor import Visitor
from clinic_chat.storage.base import now
from clinic_chat.storage.database import Database, StorageUnavailable

RECHECK_SECONDS = 1.5
# When the last successful recheck is older than this, an event looks its session up itself.
STALE_SECONDS = 10.0
UNCOUNTED_SECONDS = 1.0

log = structlog.get_logger(__name__)


@dataclass(eq=False, slots=True)
class Connection:
    """The signed-in person behind one socket."""

    sid: str
    visitor: Visitor
    scope: ClinicScope
    feeds: dict[str, str] = field(default_factory=dict)
    """The feeds this tab follows: name → key."""
    versions: dict[str, tuple[str, int]] = field(default_factory=dict)
    """The versions that the tab had when it connected: feed → (key, version)."""

    following: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Serialises the tab's changes of the feeds it follows."""
    order: int = 0
    """The number of the last applied change of the feeds that the tab follows."""
    acted_at: float = 0.0
    personal_version: int | None = None
    """The number of the person's own changes up to which the tab has been told all, if known."""
    gone: bool = False
    """Whether the socket is closed; to be checked after an `await`."""
    active_at: datetime | None = None
    """When the person was last active in this tab, which keeps the session from expiring."""

    @property
    def identity(self) -> Identity:
        """The person's identity, as the last look-up found it."""
        identity: Identity = self.visitor.identity
        return identity

    def note_activity(self) -> None:
        """Record that the person did something just now, not the tab by itself."""
        self.active_at = now()

    def claim_uncounted(self, moment: float) -> bool:
        """Whether UNCOUNTED_SECONDS have passed since this last returned True."""
        if moment - self.acted_at < UNCOUNTED_SECONDS:
            return False
        self.acted_at = moment
        return True

    def renew(self, identity: Identity | None, checked_at: float) -> bool:
        """Store a look-up's result; return False unless it is a live session of this clinic."""
        if identity is None or identity.clinic_id != self.identity.clinic_id:
            return False
        if identity.actor != self.scope.actor:
            self.scope = replace(self.scope, actor=identity.actor)
        self.visitor.identity, self.visitor.checked_at = identity, checked_at
        return True


_current: ContextVar[Connection] = ContextVar("connection")


def current_connection() -> Connection:
    """The connection of the event being handled; set by the gate."""
    return _current.get()


def set_current_connection(connection: Connection) -> None:
    """Have `current_connection` return `connection` in this task."""
    _current.set(connection)


class Connections:
    """The live sockets of this process."""

    def __init__(self, database: Database, sessions: Sessions) -> None:
        self._database = database
        self._sessions = sessions
        self._by_sid: dict[str, Connection] = {}

    def admit(self, sid: str, visitor: Visitor | None) -> Connection | None:
        """Register the socket of a signed-in visitor; None without one or if its session ended."""
        # A program's connection may ask for the pages' namespace too.
        if visitor is None or visitor.over or not isinstance(visitor.identity, Identity):
            return None
        identity = visitor.identity
        scope = ClinicScope(
            self._database, identity.clinic_id, identity.actor, address=visitor.address
        )
        connection = self._by_sid[sid] = Connection(sid, visitor, scope)
        return connection

    def find(self, sid: str | None) -> Connection | None:
        """The connection of a socket or None, even if its session has ended meanwhile."""
        return self._by_sid.get(sid or "")

    async def live(self, sid: str | None) -> Connection | None:
        """The connection of a socket whose session was live within STALE_SECONDS, else None."""
        connection = self.find(sid)
        if connection is None:
            return None
        visitor = connection.visitor
        if monotonic() - visitor.checked_at > STALE_SECONDS:
            moment = monotonic()
            if not connection.renew(await self._sessions.find(visitor.cookie), moment):
                return None
        return connection

    async def watch(self, cut: Callable[[str], Awaitable[None]]) -> None:
        """Look all sessions up every RECHECK_SECONDS and `cut` the sockets of those that ended.

        One statement for all sockets keeps hundreds of idle ones cheap.
        """
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            try:
                await self._recheck(cut)
            except StorageUnavailable:
                log.warning("connections.storage_unavailable")
            except Exception as error:
                log.error("connections.recheck_failed", exc_info=error)

    async def _recheck(self, cut: Callable[[str], Awaitable[None]]) -> None:
        connections = self.all()
        moment = monotonic()
        active_at: dict[UUID, datetime] = {}
        for connection in connections:
            if connection.active_at is not None:
                session_id = connection.identity.session_id
                known = active_at.get(session_id, connection.active_at)
                active_at[session_id] = max(known, connection.active_at)
        live = await self._sessions.still_live(
            {c.identity.session_id for c in connections}, active_at
        )
        for connection in connections:
            if not connection.renew(live.get(connection.identity.session_id), moment):
                await cut(connection.sid)

    def forget(self, sid: str) -> Connection | None:
        """Remove a closed socket and return its connection."""
        connection = self._by_sid.pop(sid, None)
        if connection is not None:
            connection.gone = True
        return connection

    def of_session(self, session_id: UUID) -> list[Connection]:
        """The sockets of one sign-in session."""
        return [c for c in self._by_sid.values() if c.identity.session_id == session_id]

    def of_person(self, clinic_id: UUID, user_id: UUID) -> list[Connection]:
        """The sockets of one person in one clinic."""
        return [
            c
            for c in self._by_sid.values()
            if c.identity.user_id == user_id and c.identity.clinic_id == clinic_id
        ]

    def count(self) -> int:
        """How many live sockets there are."""
        return len(self._by_sid)

    def all(self) -> list[Connection]:
        """Every live socket."""
        return list(self._by_sid.values())
