"""A tab of the inbox: what a browser sends and keeps, without the screen (see assets/live)."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson

from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from tests.load.clients.connection import Connection
from tests.load.clients.deliveries import Deliveries, Message
from tests.load.servers.front_end import FrontEnd

NAMESPACE = "/_event"
PATH = "/_event/?token={token}&EIO=4&transport=websocket"
CONVERSATIONS, MESSAGES, CHECK = "conversations", "messages", "check"
# As assets/live/app/freshness.js does on a websocket.
CHECK_SECONDS = 10.0
# Patches are the same bytes for everybody; snapshots are not.
REMEMBERED_BYTES = 16_384
REMEMBERED = 512


@dataclass(frozen=True)
class Heard:
    """An event as the tabs need it, decoded once however many receive it."""

    name: str
    data: Any
    arrivals: list[tuple[int, Message]]
    """The run's messages in a patch of a conversation, with their numbers in it."""


@dataclass
class Audience:
    """What all tabs of a run share."""

    deliveries: Deliveries = field(default_factory=Deliveries)
    events: Counter[str] = field(default_factory=Counter)
    """How often what was received, by event or feed and kind."""
    sizes: Counter[str] = field(default_factory=Counter)
    samples: dict[str, bytes] = field(default_factory=dict)
    """The last event of each kind, as it was on the wire."""
    faults: Counter[str] = field(default_factory=Counter)
    _known: dict[bytes, Heard] = field(default_factory=dict)

    def count_anew(self) -> None:
        """Forget what was received so far, as opening a tab brings much that messages do not."""
        self.events.clear()
        self.sizes.clear()

    def per_message(self, messages: int) -> dict[str, float]:
        """How many events of each kind there were for one of so many messages."""
        return {name: round(count / messages, 1) for name, count in self.events.most_common()}

    def decode(self, event: bytes) -> Heard:
        """The event; one that was just decoded for another tab is not decoded again."""
        heard = self._known.get(event)
        if heard is None:
            heard = self._decode(event)
            if len(event) < REMEMBERED_BYTES:
                if len(self._known) >= REMEMBERED:
                    self._known.clear()
                self._known[event] = heard
        self.events[heard.name] += 1
        self.sizes[heard.name] += len(event)
        return heard

    def _decode(self, event: bytes) -> Heard:
        name, data = orjson.loads(event)
        arrivals: list[tuple[int, Message]] = []
        if name == "feed":
            name = f"{data['feed']} {data.get('kind', '')}".strip()
            if name == f"{MESSAGES} patch":
                arrivals = [found for row in data["upsert"] if (found := self._arrival(row))]
        self.samples[name] = event
        return Heard(name, data, arrivals)

    def _arrival(self, row: dict[str, Any]) -> tuple[int, Message] | None:
        message = self.deliveries.find(row["body"])
        if message is None:
            return None
        message.stored_at = datetime.fromisoformat(row["at"]).timestamp()
        return row["seq"], message


class Tab(Connection):
    """One signed-in tab with the inbox and one conversation open."""

    def __init__(
        self, host: str, cookie: str, conversation: str, audience: Audience, front_end: FrontEnd
    ) -> None:
        super().__init__(
            host,
            PATH.format(token=uuid4()),
            NAMESPACE,
            {"Cookie": f"{COOKIE_NAME}={cookie}"},
        )
        self.conversation = conversation
        self.live: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when both lists are there."""
        self._live_at = 0.0
        self._audience = audience
        self._front_end = front_end
        self._versions: dict[str, int] = {}
        self._early: list[Any] = []
        self._last_seq = 0
        self._nonce = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def last_seq(self) -> int:
        """The number of the newest message here."""
        return self._last_seq

    @property
    def live_at(self) -> float:
        """When both lists were there, 0 before."""
        return self._live_at

    async def open(self) -> None:
        """Connect, hydrate, and return when the inbox and the conversation are there."""
        await super().open()
        await self.live

    def auth(self) -> Any:
        """The first event and what this tab follows, as the page sends them at connect."""
        follows = {CONVERSATIONS: {"key": "inbox"}, MESSAGES: {"key": self.conversation}}
        return {**self._front_end.boot(f"/c/{self.conversation}"), "live": follows}

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(error)
        if not self.live.done():
            self.live.set_exception(ConnectionError("closed before the lists came"))
            self.live.exception()

    def heard(self, event: bytes, at: float) -> None:
        heard = self._audience.decode(event)
        match heard.name:
            case "messages patch" | "conversations patch":
                self._patch(heard, at)
            case "messages snapshot" | "conversations snapshot":
                self._snapshot(heard.data, at)
            case "check":
                self._checked(heard.data)

    def _snapshot(self, data: Any, at: float) -> None:
        feed = data["feed"]
        self._versions[feed] = data["version"]
        if feed == MESSAGES:
            self._last_seq = max((row["seq"] for row in data["items"]), default=0)
            # Shown in a window in front: colleagues see who looks at the conversation.
            self.tell("viewing:start", {"conversationId": self.conversation})
        early, self._early = self._early, []
        for heard, arrived in early:
            self._patch(heard, arrived)
        if len(self._versions) == 2 and not self.live.done():
            self._live_at = at
            self.live.set_result(None)
            self._check()

    def _patch(self, heard: Heard, at: float) -> None:
        data = heard.data
        feed = data["feed"]
        version = self._versions.get(feed)
        if version is None:
            self._early.append((heard, at))
            return
        if data["to"] <= version:
            return
        if data["from"] > version:
            self._audience.faults["holes"] += 1
            self._repair(feed, version)
            return
        self._versions[feed] = data["to"]
        for seq, message in heard.arrivals:
            if seq > self._last_seq + 1:
                self._audience.faults["out of order"] += 1
            if seq > self._last_seq:
                self._last_seq = seq
                message.received.append(at)

    def _repair(self, feed: str, version: int) -> None:
        key = "inbox" if feed == CONVERSATIONS else self.conversation
        self.ask("feed:catch-up", {"feed": feed, "key": key, "version": version, "personal": None})

    def _check(self) -> None:
        self._nonce += 1
        self.tell("feed:check", {"nonce": self._nonce})

    def _checked(self, data: Any) -> None:
        if data["nonce"] != self._nonce:
            return
        if data["version"] > self._versions[CONVERSATIONS]:
            self._audience.faults["behind at a check"] += 1
        self._timer = asyncio.get_running_loop().call_later(CHECK_SECONDS, self._check)
