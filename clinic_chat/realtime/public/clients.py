"""The connected programs, whose tokens are rechecked every few seconds."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from time import monotonic
from uuid import UUID

import structlog

from clinic_chat.domain.accounts.api_tokens import TokenHolder, Tokens
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.storage.database import StorageUnavailable

RECHECK_SECONDS = 1.5
# When the last successful recheck is older than this, nothing is done for a program any more.
STALE_SECONDS = 10.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ProgramIdentity:
    """Under whom colleagues see what a program does: its person, or itself by its token's id."""

    clinic_id: UUID
    user_id: UUID
    user_name: str


@dataclass(eq=False, slots=True)
class PublicClient:
    """One program's socket in its clinic's namespace."""

    sid: str
    namespace: str
    holder: TokenHolder
    scope: ClinicScope
    joined: set[str] = field(default_factory=set)
    """The ids of the conversations whose events it gets."""
    checked_at: float = field(default_factory=monotonic)
    gone: bool = False

    @property
    def identity(self) -> ProgramIdentity:
        """Who acts, as colleagues see it."""
        return ProgramIdentity(
            self.holder.clinic_id, self.holder.author_id, self.holder.author_name
        )

    def renew(self, holder: TokenHolder | None, moment: float) -> bool:
        """Store a look-up's result; False when the token is worth nothing any more."""
        if holder is None or holder.clinic_slug != self.holder.clinic_slug:
            return False
        if holder != self.holder:
            self.holder = holder
            self.scope = replace(self.scope, actor=holder.actor)
        self.checked_at = moment
        return True


Act = Callable[[PublicClient], Awaitable[None]]


class PublicClients:
    """The programs' sockets of this process."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._by_sid: dict[str, PublicClient] = {}
        # By clinic: what is told to whom depends on whether anybody is there.
        self._namespaces: dict[UUID, tuple[str, int]] = {}

    def add(self, client: PublicClient) -> None:
        """Register a socket that has connected."""
        clinic_id = client.holder.clinic_id
        _, count = self._namespaces.get(clinic_id, ("", 0))
        self._namespaces[clinic_id] = (client.namespace, count + 1)
        self._by_sid[client.sid] = client

    def remove(self, sid: str) -> PublicClient | None:
        """Forget a socket that has closed; returns it."""
        client = self._by_sid.pop(sid, None)
        if client is None:
            return None
        client.gone = True
        clinic_id = client.holder.clinic_id
        namespace, count = self._namespaces[clinic_id]
        self._namespaces[clinic_id] = (namespace, count - 1)
        if count == 1:
            del self._namespaces[clinic_id]
        return client

    def namespace(self, clinic_id: UUID) -> str | None:
        """The namespace of a clinic, None when no program of it is connected here."""
        found = self._namespaces.get(clinic_id)
        return found and found[0]

    def live(self, sid: str) -> PublicClient | None:
        """The client of a socket whose token was valid within STALE_SECONDS, else None."""
        client = self._by_sid.get(sid)
        if client is None or monotonic() - client.checked_at > STALE_SECONDS:
            return None
        return client

    def of_token(self, token_id: UUID) -> int:
        """How many sockets a token has."""
        return sum(client.holder.token_id == token_id for client in self._by_sid.values())

    def count(self) -> int:
        """How many programs are connected."""
        return len(self._by_sid)

    async def watch(self, cut: Act, changed: Act) -> None:
        """Look all tokens up every RECHECK_SECONDS.

        `cut` the sockets of those that ended, and tell of those whose actor has `changed`.
        """
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            if not self._by_sid:
                continue
            try:
                await self._recheck(cut, changed)
            except StorageUnavailable:
                log.warning("public_clients.storage_unavailable")
            except Exception as error:
                log.error("public_clients.recheck_failed", exc_info=error)

    async def _recheck(self, cut: Act, changed: Act) -> None:
        moment = monotonic()
        clients = list(self._by_sid.values())
        valid = await self._tokens.still_valid({client.holder.token_id for client in clients})
        for client in clients:
            before = client.scope.actor
            if not client.renew(valid.get(client.holder.token_id), moment):
                await cut(client)
            elif client.scope.actor != before:
                await changed(client)
