"""A clinic whose server, wires, clocks and tabs are all in the test's hands.

The tabs are the real modules of assets/live; the feeds, the bus and the acts are the server's.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from socketio.exceptions import ConnectionRefusedError as Refused

from clinic_chat.domain.accounts.preferences import save_preferences
from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from clinic_chat.domain.accounts.users import User
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.assignment import assign, set_status
from clinic_chat.domain.conversations.views import conversations_by_id
from clinic_chat.domain.errors import Conflict, InvalidInput
from clinic_chat.domain.messages.delivery import report_status
from clinic_chat.domain.messages.drafts import save_draft
from clinic_chat.domain.messages.read_markers import mark_read, mark_unread
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.queries.message_pages import messages_page
from clinic_chat.realtime import server as live
from clinic_chat.realtime.admission.visitor import VISITOR, Visitor
from clinic_chat.realtime.commands.dispatcher import error
from clinic_chat.realtime.feeds import thread as thread_feed
from clinic_chat.realtime.presence import coalescing
from clinic_chat.services import Services
from clinic_chat.settings import Settings
from tests.conftest import PASSWORD, TEST_KEY
from tests.integration.convergence.network import ACTS, BUS, EVENTS, LANES, Network, in_lane
from tests.integration.convergence.tabs import Browser, Reaction, Sent
from tests.support.sending import send_message

if TYPE_CHECKING:
    import pytest

    from tests.conftest import Clinics

NAMESPACE = "/_event"
PATIENTS = 3
# Longer than every timer of the modules.
LONG_MS = 15_000
ROUNDS = 8
# Ana has two devices, Bruno one.
TABS = {0: "ana", 1: "ana", 2: "bruno"}


class Page:
    """A tab and its socket."""

    def __init__(
        self, world: World, number: int, who: str, device: str, breaks: tuple[str, ...] = ()
    ) -> None:
        self.world = world
        self.number = number
        self.who = who
        self.device = device
        self.breaks = breaks
        self.path = "/"
        self.search = ""
        self.sid: str | None = None
        self._visitor: Visitor | None = None
        self.uplink: deque[Sent] = deque()
        self.left: str | None = None
        self.attempts = 0
        """How often it tried to connect."""

    async def do(self, what: str, **details: Any) -> Reaction:
        """Have the tab do something, and take what it wants of the network."""
        reaction = self.world.browser.tell(self.number, what, **details)
        self.left = reaction.left or self.left
        self.uplink += [sent for sent in reaction.sent if self.sid]
        if reaction.hung_up and self.sid:
            await self.cut()
        if reaction.went is not None:
            self.path = reaction.went
        self.attempts += reaction.dialled is not None
        if reaction.dialled is not None and self.sid is None:
            await self._connect(reaction.dialled)
        return reaction

    async def open(self) -> None:
        """Load the page."""
        person = {
            "userId": str(self.scope.user_id),
            "clinic": "aurora",
            "timeZone": "America/Sao_Paulo",
            "sound": True,
            "locale": "en",
        }
        await self.do("open", device=self.device, path=self.path, person=person, breaks=self.breaks)

    @property
    def scope(self) -> ClinicScope:
        """Whose page it is."""
        return self.world.scopes[self.who]

    async def _connect(self, auth: dict[str, Any]) -> None:
        """The server lets the tab in, and sends what it lacks."""
        self.sid = f"socket {next(self.world.numbers)}"
        network = self.world.network
        network.plug(self.sid)
        environ = await self.world.handshake(self.who)
        self._visitor = environ[VISITOR]
        try:
            with in_lane(EVENTS):
                await network.handlers["connect"](self.sid, environ, auth)
        except Refused as refusal:
            network.unplug(self.sid)
            self.sid = None
            await self.do("refused", reason=refusal.error_args["message"])
            return
        await self.do("connected", first=network.first(self.sid))
        network.put(self.sid, EVENTS, ("signed in", None))
        await asyncio.gather(*self.world.live.starting)

    @property
    def open_id(self) -> str:
        return self.path.partition("?")[0].removeprefix("/c/").strip("/")

    async def cut(self) -> None:
        """The connection is lost with all that is on its way."""
        if self.sid is None:
            return
        sid, self.sid = self.sid, None
        self.uplink.clear()
        await self.world.network.handlers["disconnect"](sid)
        assert self._visitor is not None
        self.world.live.handshakes.leave(self._visitor)
        self.world.network.unplug(sid)
        await self.do("cut")

    async def receive(self, lane: str) -> bool:
        """The next packet of a lane arrives; False when there is none."""
        if self.sid is None or not self.world.network.wires[self.sid][lane]:
            return False
        event, data = self.world.network.wires[self.sid][lane].popleft()
        if event == "answer":
            await self.do("answer", **data)
        elif event == "signed in":
            await self.do("signedIn")
        else:
            await self.do("receive", event=event, data=data)
        return True

    async def answered(self, *, refused: bool = False) -> bool:
        """The server takes the tab's next act; False when there is none."""
        if self.sid is None or not self.uplink:
            return False
        sid, sent = self.sid, self.uplink.popleft()
        with in_lane(ACTS):
            if refused:
                answer = error("storage_unavailable", "not saved, try again")
            else:
                answer = await self.world.network.handlers[sent.event](sid, sent.data)
        if sent.number and sid == self.sid:
            data = {"number": sent.number, "data": answer}
            self.world.network.put(sid, ACTS, ("answer", data))
        return True

    async def search_for(self, text: str) -> None:
        """Type into the search box."""
        self.search = text
        await self.do("search", text=text)

    async def scroll(self, side: str) -> None:
        """Scroll to where an earlier or later page is asked for."""
        await self.do("scroll", side=side)


class World:
    """Two people with three devices, a server and patients."""

    def __init__(
        self,
        scopes: dict[str, ClinicScope],
        browser: Browser,
        network: Network,
        server: live.RealtimeServer,
    ) -> None:
        self.scopes = scopes
        self.browser = browser
        self.network = network
        self.live = server
        self.cookies: dict[str, str] = {}
        self.numbers = count(1)
        self.conversations: list[str] = []
        self.pages: dict[int, Page] = {}
        self._gate: asyncio.Event | None = None
        self._held = False

    async def handshake(self, who: str) -> dict[str, Any]:
        """What the namespace is given of a connection that a person's browser opened."""
        cookie = f"{COOKIE_NAME}={self.cookies[who]}".encode()
        return {VISITOR: await self.live.handshakes.admit({"headers": [(b"cookie", cookie)]})}

    async def begin(self, services: Services) -> None:
        """Patients have written, people are signed in, their tabs are open."""
        for who in set(TABS.values()):
            async with services.database.read() as session:
                user = await session.get_one(User, self.scopes[who].user_id)
            cookie = await services.sessions.sign_in(user.email, PASSWORD)
            assert cookie is not None
            self.cookies[who] = cookie
        for number in range(PATIENTS):
            await self.patient_writes(number, 2)
        self.browser.reset()
        for number, who in TABS.items():
            self.pages[number] = Page(self, number, who, f"device {number}")
            self.pages[number].path = f"/c/{self.conversations[0]}"
            await self.pages[number].open()
        await self.all_arrives()

    # What people, patients and channels do elsewhere.

    async def patient_writes(self, patient: int, messages: int) -> None:
        for _ in range(messages):
            stored = await receive_message(
                self.scopes["channel"],
                name=f"Patient {patient}",
                phone=f"+551190000{patient:04}",
                body="olá",
                external_id=f"{next(self.numbers)}",
            )
        if stored.message.conversation_id not in self.conversations:
            self.conversations.append(stored.message.conversation_id)

    async def new_patient_writes(self) -> None:
        await self.patient_writes(len(self.conversations), 1)

    async def colleague_answers(self, conversation: int, who: str) -> None:
        key = f"elsewhere {next(self.numbers)}"
        await send_message(self.scopes[who], self.conversations[conversation], "bom dia", key)

    async def channel_reports(self, conversation: int, back: int, status: str) -> None:
        page = await messages_page(self.scopes["channel"], self.conversations[conversation])
        outbound = [m for m in page.messages if m.direction == "outbound"][::-1]
        if len(outbound) > back:
            with suppress(Conflict):
                await report_status(self.scopes["channel"], outbound[back].id, status)

    async def status_changes(self, conversation: int, status: str) -> None:
        await set_status(self.scopes["bruno"], self.conversations[conversation], status)

    async def assignee_changes(self, conversation: int, who: str) -> None:
        key = self.conversations[conversation]
        (row,) = await conversations_by_id(self.scopes["channel"], [UUID(key)])
        assignee = str(self.scopes[who].user_id) if who else ""
        await assign(self.scopes["bruno"], key, assignee, row.assignee_id)

    async def reads_elsewhere(self, conversation: int, who: str, seq: int) -> None:
        await mark_read(self.scopes[who], self.conversations[conversation], seq)

    async def unreads_elsewhere(self, conversation: int, who: str) -> None:
        with suppress(InvalidInput):
            await mark_unread(self.scopes[who], self.conversations[conversation])

    async def drafts_elsewhere(self, conversation: int, who: str, body: str) -> None:
        await save_draft(self.scopes[who], self.conversations[conversation], body)

    async def sets_sound(self, who: str, sound: bool) -> None:
        await save_preferences(self.scopes[who], sound=sound)

    # What happens in a tab.

    async def opens(self, tab: int, conversation: int | None, marked: int) -> None:
        key = "" if conversation is None else self.conversations[conversation]
        await self.pages[tab].do("openConversation", id=key, seq=marked)

    async def answers(self, tab: int) -> None:
        if await self._is_ready(tab):
            await self.pages[tab].do("send", text=f"resposta {next(self.numbers)}")

    async def types(self, tab: int, text: str) -> None:
        if await self._is_ready(tab):
            await self.pages[tab].do("type", text=text)

    async def marks_unread(self, tab: int) -> None:
        if await self._is_ready(tab):
            await self.pages[tab].do("markUnread")

    async def filters(self, tab: int, chosen: dict[str, Any]) -> None:
        await self.pages[tab].do("filter", chosen=chosen)

    async def searches(self, tab: int, text: str) -> None:
        await self.pages[tab].search_for(text)

    async def scrolls(self, tab: int, side: str) -> None:
        await self.pages[tab].scroll(side)

    async def looks(self, tab: int, focused: bool, hidden: bool) -> None:
        await self.pages[tab].do("look", focused=focused, hidden=hidden)

    async def time_passes(self, tab: int, ms: int) -> None:
        await self.pages[tab].do("pass", ms=ms)

    async def reloads(self, tab: int) -> None:
        page = self.pages[tab]
        await page.cut()
        await page.open()

    # What happens on the way.

    async def bus_holds(self, held: bool) -> None:
        if held and self._gate is None:
            gate = self._gate = asyncio.Event()
            self.live.bus.call(lambda: _wait(gate))
        elif not held and self._gate is not None:
            self._gate.set()
            self._gate = None
            await self._bus_idle()

    async def wires_hold(self, held: bool) -> None:
        self._held = held

    async def bus_drops(self, dropping: bool) -> None:
        self.network.dropping = dropping

    async def wire_delivers(self, tab: int, lane: str, packets: int) -> None:
        for _ in range(packets):
            await self.pages[tab].receive(lane)

    async def wire_repeats(self, tab: int) -> None:
        page = self.pages[tab]
        wire = page.sid and self.network.wires[page.sid][BUS]
        if wire and wire[0][0] == "feed":
            wire.insert(1, wire[0])

    async def server_answers(self, tab: int, acts: int) -> None:
        for _ in range(acts):
            await self.pages[tab].answered()

    async def server_refuses(self, tab: int) -> None:
        await self.pages[tab].answered(refused=True)

    async def is_cut(self, tab: int) -> None:
        await self.pages[tab].cut()

    async def comes_back(self, tab: int) -> None:
        if self.pages[tab].sid is None:
            await self.pages[tab].do("online")

    async def all_arrives(self) -> None:
        """Everything that is on its way arrives, also what that leads to."""
        await self.bus_holds(False)
        await self._all_arrives()

    async def _all_arrives(self) -> None:
        moved = True
        while moved:
            await self._bus_idle()
            with in_lane(EVENTS):
                moved = self.live.broadcasts.flush()
            await self._bus_idle()
            for page in self.pages.values():
                while await page.answered():
                    moved = True
                await self._bus_idle()
                for lane in LANES:
                    while await page.receive(lane):
                        moved = True
            for page in self.pages.values():
                await page.do("pass", ms=20)
                moved = moved or bool(page.uplink)

    async def settles(self) -> None:
        """Nothing goes wrong any more and time passes."""
        await self.bus_drops(False)
        for _ in range(ROUNDS):
            for tab, page in self.pages.items():
                await self.comes_back(tab)
                await page.do("pass", ms=LONG_MS / ROUNDS)
            await self.all_arrives()

    async def happen(self, what: str, *details: Any) -> None:
        """Call the method of this name, and let the bus and the wires do their part."""
        await getattr(self, what)(*details)
        if not self._held:
            await self._all_arrives()
        elif self._gate is None:
            await self._bus_idle()

    async def check(self) -> None:
        """Every tab shows what a fresh one would show at the same address."""
        for tab in TABS:
            # Nobody looks: what is looked at is read, which would change what is compared.
            await self.looks(tab, False, False)
        await self.settles()
        for tab in TABS:
            await self._check_tab(self.pages[tab])

    async def _check_tab(self, page: Page) -> None:
        fresh = Page(self, 100 + page.number, page.who, f"new device {page.number}")
        self.pages[fresh.number] = fresh
        await fresh.open()
        await fresh.do("look", focused=False, hidden=False)
        await self.all_arrives()
        await fresh.do("go", to=_without_mark(page.path))
        await fresh.search_for(page.search)
        await self.all_arrives()
        await self._load_all(fresh)

        seen = (await page.do("vars")).result
        wanted = (await fresh.do("vars")).result
        _same("what is on the screen and what the tab knows", seen["shown"], seen["now"])
        for name in ("title", "draft"):
            _same(f"the {name}", seen[name], wanted[name])
        _same("the list", seen["shown"]["inbox"], wanted["shown"]["inbox"])
        _check_thread(seen["shown"]["thread"], wanted["shown"]["thread"])
        await fresh.cut()
        del self.pages[fresh.number]

    async def _load_all(self, page: Page) -> None:
        while (await page.do("vars")).result["shown"]["thread"]["first_seq"] > 1:
            await page.scroll("earlier")
            await self.all_arrives()

    async def _bus_idle(self) -> None:
        if self._gate is None:
            done = asyncio.Event()
            self.live.bus.call(lambda: _set(done))
            await done.wait()

    async def _is_ready(self, tab: int) -> bool:
        shown = (await self.pages[tab].do("vars")).result["shown"]["thread"]
        return bool(shown.get("phase") == "ready" and self.pages[tab].open_id)


def _without_mark(path: str) -> str:
    """An address without the message that it opens at."""
    pathname, _, query = path.partition("?")
    kept = [(name, value) for name, value in parse_qsl(query) if name != "m"]
    return pathname + (f"?{urlencode(kept)}" if kept else "")


def _check_thread(seen: dict[str, Any], fresh: dict[str, Any]) -> None:
    for name in ("phase", "conversation"):
        _same(f"the thread's {name}", seen[name], fresh[name])
    if seen["phase"] != "ready":
        return
    shown = [_stable(message) for message in seen["messages"]]
    first, last = seen["first_seq"], seen["last_seq"]
    numbers = list(range(first, last + 1))
    _same("the numbers of the messages", [message["seq"] for message in shown], numbers)
    stored = {message["seq"]: _stable(message) for message in fresh["messages"]}
    _same("the messages", shown, [stored[number] for number in numbers])
    _same("the thread's end", seen["at_end"], last == fresh["last_seq"])


def _stable(message: dict[str, Any]) -> dict[str, Any]:
    """A row without what depends on when and where the conversation was opened."""
    moment = {"first_unread", "starts_group", "day", "marked"}
    return {name: value for name, value in message.items() if name not in moment}


def _same(what: str, seen: Any, fresh: Any) -> None:
    assert seen == fresh, "\n".join([f"{what}, seen ≠ fresh:", *_differences(seen, fresh)])


def _differences(seen: Any, fresh: Any, place: str = "") -> Iterator[str]:
    if isinstance(seen, dict) and isinstance(fresh, dict):
        for name in sorted(seen.keys() | fresh.keys()):
            yield from _differences(seen.get(name), fresh.get(name), f"{place}.{name}")
    elif isinstance(seen, list) and isinstance(fresh, list) and len(seen) == len(fresh):
        for number, pair in enumerate(zip(seen, fresh, strict=True)):
            yield from _differences(*pair, f"{place}[{number}]")
    elif seen != fresh:
        yield f"{place}: {seen!r} ≠ {fresh!r}"


async def _wait(gate: asyncio.Event) -> None:
    await gate.wait()


async def _set(event: asyncio.Event) -> None:
    event.set()


class _Framework:
    """Reflex's part of a connection, which has no say here."""

    namespace = NAMESPACE
    app = SimpleNamespace(event_processor=SimpleNamespace(_futures={}))

    async def on_connect(self, sid: str, environ: Any, auth: Any) -> None:
        pass

    def on_disconnect(self, sid: str) -> None:
        pass


class _App:
    event_namespace = _Framework()


@asynccontextmanager
async def begun(
    clinics: Clinics, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    """A world in this clinic, running."""
    network = Network()
    monkeypatch.setattr(live, "create_socket_server", lambda *_: network)
    # It passes when all arrives, and never between two happenings.
    monkeypatch.setattr(coalescing, "COALESCE_SECONDS", 3600)
    # Short pages, so that short conversations have some.
    monkeypatch.setattr(thread_feed, "PAGE", 2)
    services = Services(Settings(database_url=clinics.database.url, secret_key=TEST_KEY))
    scopes = {"channel": clinics.aurora, "ana": clinics.ana, "bruno": clinics.bruno}
    server = live.RealtimeServer(services)
    server.attach(_App())  # type: ignore[arg-type]
    world = World(
        {name: replace(scope, database=services.database) for name, scope in scopes.items()},
        browser,
        network,
        server,
    )
    async with server.lifespan():
        await world.begin(services)
        yield world
    await services.close()
