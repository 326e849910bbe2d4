"""Admits sockets: a live session or a token, within limits per address, account and process."""

from collections import Counter, OrderedDict
from typing import Any
from uuid import UUID

from starlette.datastructures import Headers

from clinic_chat.domain.accounts.api_tokens import TokenHolder, Tokens
from clinic_chat.domain.accounts.sessions import Sessions
from clinic_chat.realtime.admission.pace import EventTurns, Pace
from clinic_chat.realtime.admission.programs import identify
from clinic_chat.realtime.admission.request_rules import tab_token
from clinic_chat.realtime.admission.visitor import (
    UNAUTHORIZED,
    UNAVAILABLE,
    Refused,
    TooMany,
    Visitor,
)
from clinic_chat.settings import Settings
from clinic_chat.storage.database import StorageUnavailable
from clinic_chat.web.cookies import is_secure, session_cookie
from clinic_chat.web.rate_limits import Limits, address_key
from clinic_chat.web.refusals import count_refusal

# The limit of an address, which many people may share, as a multiple of an account's.
ADDRESS_FACTOR = 10
# Limits of all messages of one person's sockets, pongs included: far above normal use.
MESSAGES_PER_SECOND = 50.0
MESSAGES_AT_ONCE = 500.0
# Accounts are kept without a connection too, so that leaving does not reset their limits.
MAX_ACCOUNTS = 10_000
# Characters of a tab's token, a UUID that the tab chooses.
MAX_TOKEN = 64

# A clinic, and a person or a token there.
AccountKey = tuple[UUID, UUID]


class Account:
    """The limits that all connections of one person in one clinic, or of one token, share."""

    __slots__ = ("connections", "pace", "passwords", "turns")

    def __init__(self, pace: Pace, turns: EventTurns, passwords: Pace) -> None:
        self.connections = 0
        self.pace = pace
        self.turns = turns
        self.passwords = passwords
        """Of checks of the person's own password, which somebody else at their desk may guess."""


class Handshakes:
    """Admits connections and counts them until they leave."""

    def __init__(
        self, sessions: Sessions, tokens: Tokens, limits: Limits, settings: Settings
    ) -> None:
        self._sessions = sessions
        self._tokens = tokens
        self._limits = limits
        self._settings = settings
        self._per_account = settings.sockets_per_account
        self._per_address = settings.connections_per_address
        self._connects = settings.connects_per_minute
        self._events = settings.events_per_minute
        self._passwords = settings.login_attempts_per_minute
        self._messages = max(MESSAGES_PER_SECOND, settings.sends_per_minute / 60 * 2)
        # By clinic and person.
        self._accounts: OrderedDict[AccountKey, Account] = OrderedDict()
        self._addresses: Counter[str] = Counter()
        self._visitors: set[Visitor] = set()
        self._left = 0

    async def admit(self, scope: Any) -> Visitor:
        """The visitor of a handshake, counted until `leave`.

        Raises:
            Refused: `unauthorized` without a live session, `unavailable` without a database.
            TooMany: the address or the person connects too often or has too many connections.
        """
        address = self._check_address(scope)
        cookie = self._cookie(scope)
        try:
            identity = await self._sessions.find(cookie)
        except StorageUnavailable:
            raise Refused(UNAVAILABLE) from None
        if identity is None or cookie is None:
            raise Refused(UNAUTHORIZED)
        person = (identity.clinic_id, identity.user_id)
        account = await self._begin(person, address)
        token = tab_token(scope)[:MAX_TOKEN]
        return self._count(Visitor(cookie, identity, address, token, account.pace, account))

    async def admit_program(self, scope: Any, namespace: str, auth: Any) -> Visitor:
        """The program of a connect packet, counted until `leave`; its handshake was counted.

        Raises:
            ProgramRefused: there is no valid token of this clinic, or no database to look for it.
            TooMany: the program connects too often or has too many connections.
        """
        holder = await identify(self._tokens, namespace, auth)
        address = address_key(_host(scope))
        account = await self._begin((holder.clinic_id, holder.token_id), address)
        visitor = Visitor(self._cookie(scope), holder, address, "", account.pace, account)
        return self._count(visitor)

    def _check_address(self, scope: Any) -> str:
        host = _host(scope)
        address = address_key(host)
        if self._addresses[address] >= self._per_address:
            _too_many("address_connections")
        by_address = self._connects * ADDRESS_FACTOR
        if self._limits.hit_address_here("connect", host, by_address, by_address * ADDRESS_FACTOR):
            _too_many("address_connects")
        return address

    async def _begin(self, key: AccountKey, address: str) -> Account:
        if await self._limits.hit("connect", f"{key[0]}:{key[1]}", self._connects):
            _too_many("account_connects")
        account = self._account(key)
        if account.connections >= self._per_account:
            _too_many("account_connections")
        account.connections += 1
        self._addresses[address] += 1
        return account

    def _count(self, visitor: Visitor) -> Visitor:
        self._visitors.add(visitor)
        return visitor

    def leave(self, visitor: Visitor) -> None:
        """Stop counting a connection that has ended; to call it again changes nothing."""
        if visitor not in self._visitors:
            return
        self._visitors.discard(visitor)
        self._left += 1
        visitor.account.connections -= 1
        self._addresses[visitor.address] -= 1
        if self._addresses[visitor.address] <= 0:
            del self._addresses[visitor.address]

    def belongs(self, scope: Any, visitor: Visitor) -> bool:
        """Whether a further request of a polling connection is of who began it.

        A person's has the cookie of the handshake; a program has none, so its address counts.
        """
        if (
            isinstance(visitor.identity, TokenHolder)
            and address_key(_host(scope)) != visitor.address
        ):
            return False
        return self._cookie(scope) == visitor.cookie

    def end_session(self, session_id: UUID) -> None:
        """Keep connections of this session that are not yet in the namespace from entering it."""
        for visitor in self._visitors:
            if getattr(visitor.identity, "session_id", None) == session_id:
                visitor.over = True

    def count(self) -> int:
        """How many connections there are."""
        return len(self._visitors)

    def left(self) -> int:
        """How many connections have ended so far."""
        return self._left

    def _cookie(self, scope: Any) -> str | None:
        header = "; ".join(Headers(scope=scope).getlist("cookie"))
        return session_cookie(header, secure=is_secure(scope, self._settings))

    def _account(self, key: AccountKey) -> Account:
        account = self._accounts.get(key)
        if account is None:
            pace = Pace(self._messages, self._messages * MESSAGES_AT_ONCE / MESSAGES_PER_SECOND)
            passwords = Pace(self._passwords / 60, self._passwords)
            account = self._accounts[key] = Account(pace, EventTurns(self._events), passwords)
        self._accounts.move_to_end(key)
        if len(self._accounts) > MAX_ACCOUNTS:
            self._forget_oldest()
        return account

    def _forget_oldest(self) -> None:
        for person, account in self._accounts.items():
            if not account.connections:
                del self._accounts[person]
                return


def _host(scope: Any) -> str | None:
    return scope["client"][0] if scope.get("client") else None


def _too_many(reason: str) -> None:
    count_refusal("socket.refused", reason=reason)
    raise TooMany(reason)
