"""Nothing that anybody says is in the log, in the metrics, or in an address that is asked for.

Something unmistakable is said in every field and at every door of a production server: by HTTP,
over sockets, in files and on the command line; by people who may, and by strangers with garbage.
"""

import csv
import json
import os
import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from clinic_chat.settings import PROJECT_ROOT
from tests.fuzz.values import routes
from tests.integration.server.commands import Commands, ready_commands
from tests.support import exposed_events
from tests.support.channel import Channel
from tests.support.people import ANA, Patient
from tests.support.servers.fixtures import sign_in
from tests.support.servers.server import SETTINGS, Server
from tests.support.socket_client import NAMESPACE, PATH, Refused, Wire, follows

# The loop of the server that all tests share.
pytestmark = pytest.mark.asyncio(loop_scope="session")
# What our code would have to import to ask an address for something.
CLIENTS = re.compile(
    r"^\s*(?:import|from) (?:aiohttp|httpx|requests|urllib\.request|urllib3|http\.client)\b", re.M
)
AROUND = 60


@dataclass
class Marks:
    """Words and numbers that are nowhere else."""

    word: str = field(
        default_factory=lambda: "Zq" + "".join(secrets.choice("gkwxz") for _ in "12345678")
    )
    phone: str = field(default_factory=lambda: f"+55219{secrets.randbelow(10**8):08}")
    passwords: list[str] = field(default_factory=list)

    def __call__(self, where: str) -> str:
        """A word for this place."""
        return f"{self.word}{where}"

    def password(self) -> str:
        """A password that may be one: it has nothing of the person's."""
        self.passwords.append(secrets.token_urlsafe(18))
        return self.passwords[-1]

    def object(self) -> dict[str, Any]:
        """An object with a mark in every field that there is anywhere."""
        return {name: self(name) for name in FIELDS} | {"patient": self._patient()}

    def headers(self) -> dict[str, str]:
        """Headers as browsers and programs send them, and those that a proxy adds."""
        return {name: self(name.replace("-", "")) for name in HEADERS}

    def found(self, text: str) -> list[str]:
        """The places in a text where a mark is."""
        # However a number is written, it ends like this.
        wanted = (self.word, self.phone[-8:], *self.passwords)
        marks = re.compile("|".join(map(re.escape, wanted)), re.IGNORECASE)
        return [text[max(0, m.start() - AROUND) : m.end() + AROUND] for m in marks.finditer(text)]

    def _patient(self) -> dict[str, str]:
        return {"name": self("Name"), "phone": self.phone, "externalId": self("PatientId")}


FIELDS = (
    *("conversationId", "body", "caption", "clientId", "externalId", "kind", "at", "reason"),
    *("feed", "key", "version", "query", "search", "who", "status", "cursor", "nonce", "number"),
    *("assigneeId", "expected", "device", "edit", "locale", "ids", "author", "email", "password"),
    *("name", "phone", "patientId", "intoPatientId", "expectedAssigneeId", "channel", "limit"),
    *("next", "clinic", "tookMs", "staleMs", "text", "value", "hashes", "info", "anythingElse"),
    *("url", "description", "eventTypes"),
)
HEADERS = (
    *("User-Agent", "X-Request-ID", "Referer", "Accept-Language", "X-Forwarded-For", "Forwarded"),
    *("X-Forwarded-Proto", "If-None-Match", "Traceparent", "X-Anything"),
    "Idempotency-Key",
)


@dataclass
class Place:
    """The server, who is signed in, and what is said to it."""

    server: Server
    channel: Channel
    marks: Marks
    cookie: str
    patient: Patient
    conversation: str
    read_to: int = 0

    def written(self) -> str:
        """What the server has logged since the last look."""
        text = self.server.log.read_text(errors="replace")
        new, self.read_to = text[self.read_to :], len(text)
        return new

    @property
    def web(self) -> httpx.AsyncClient:
        """A client that nobody knows."""
        return httpx.AsyncClient(base_url=self.server.origin, timeout=30)

    @property
    def session(self) -> dict[str, str]:
        return {"Cookie": f"{COOKIE_NAME}={self.cookie}"}

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.server.token('aurora')}"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(server: Server, channel: Channel) -> Place:
    marks = Marks()
    patient = Patient(marks("Patient"), marks.phone)
    first = await channel.deliver(patient, marks("First"), caption=marks("Caption"))
    cookie = await sign_in(server, ANA)
    return Place(server, channel, marks, cookie, patient, first.conversation_id)


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _nothing_is_told(place: Place) -> AsyncIterator[None]:
    """After each test: no mark in what the server wrote, nor in its metrics."""
    place.written()
    yield
    async with place.web as web:
        metrics = (await web.get("/metrics")).text
    assert "clinic_chat_build_info" in metrics
    assert place.marks.found(metrics) == []
    secret = (place.cookie, place.server.token("aurora"))
    written = place.written()
    assert place.marks.found(written) == []
    assert [word for word in secret if word in written or word in metrics] == []


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    with ready_commands(tmp_path_factory.mktemp("commands")) as ready:
        yield ready


Who = Callable[[Place], dict[str, str]]
WHO: dict[str, Who] = {
    "a stranger": lambda place: {
        "Authorization": f"Bearer {place.marks('Token')}",
        "Cookie": f"{COOKIE_NAME}={place.marks('Cookie')}; {place.marks('Other')}=1",
    },
    "a channel": lambda place: place.bearer,
    "staff": lambda place: place.session,
}


@pytest.mark.parametrize("who", WHO)
async def test_every_route_is_told_marks_in_its_path_query_headers_and_body(
    place: Place, who: str
) -> None:
    marks = place.marks
    json_body = json.dumps(marks.object())
    bodies = {
        "application/json": json_body.encode(),
        "text/plain": json_body[:-5].encode(),
        "application/x-www-form-urlencoded": "&".join(
            f"{name}={marks(name)}" for name in FIELDS
        ).encode(),
    }
    async with place.web as web:
        for method, route in routes():
            if who == "staff" and route == "/auth/logout":
                continue
            path = re.sub(r"\{\w+(:path)?\}", marks("Path"), route)
            for media_type, body in bodies.items():
                headers = marks.headers() | WHO[who](place) | {"Content-Type": media_type}
                address = f"{path}?{marks('Field')}={marks('Query')}&token={marks('Tab')}"
                await web.request(method, address, headers=headers, content=body)
        for path in (
            "{}",
            "c/{}",
            "assets/{}.js",
            "api/v1/{}",
            "auth/{}",
            "_event/{}",
            "metrics/{}",
        ):
            await web.get(f"/{path.format(marks('Missing'))}?next={marks('Next')}")


async def test_a_channel_delivers_marks_in_every_field(place: Place) -> None:
    marks = place.marks
    whole = marks.object() | {"externalId": marks(str(uuid4()))}
    odd: list[dict[str, Any]] = [
        whole,
        {**whole, "at": "2020-01-01T00:00:00Z"},
        {**whole, "patient": marks("NoObject")},
        {**whole, "patient": {"name": marks("Name"), "phone": marks("Phone")}},
        {**whole, "patient": {"name": [marks("List")], "phone": None}},
        {**whole, "body": {marks("Key"): marks("Value")}},
        {**whole, "body": "x" * 70_000 + marks("Long"), "externalId": marks("Long")},
        {**whole, "externalId": marks("Id") * 100},
    ]
    async with place.web as web:
        for body in odd:
            headers = place.bearer | marks.headers()
            answer = await web.post("/api/v1/inbound", json=body, headers=headers)
            assert answer.status_code in {200, 201, 422}, answer.text
        report = {"status": "failed", "reason": marks("Reason"), "at": marks("At")}
        for message in (marks("Message"), str(uuid4())):
            path = f"/api/v1/messages/{message}/status"
            assert (await web.post(path, json=report, headers=place.bearer)).status_code == 404


async def test_a_program_writes_and_asks_for_marks(place: Place) -> None:
    marks = place.marks
    named = {"name": marks("Name"), "externalId": marks("ProgramPatient")}
    message = {"body": marks("Body"), "clientId": marks("Key")}
    async with place.web as web:
        web.headers.update(place.bearer)
        added = await web.post("/api/v1/patients", json={**named, "phone": "+5531977770001"})
        assert added.status_code == 201, added.text
        its = added.json()["patient"]["id"]
        for path, body in (
            ("patients", named),
            (f"patients/{its}/identities", {"kind": "address", "value": marks("Address")}),
            (f"patients/{its}/identities", {"kind": "phone", "value": marks("NoPhone")}),
            (f"patients/{its}/merge", {"intoPatientId": marks("Into")}),
            ("conversations", {"patient": named}),
            (f"conversations/{place.conversation}/messages", message),
            (f"conversations/{marks('Conversation')}/messages", message),
        ):
            answer = await web.post(f"/api/v1/{path}", json=body)
            assert answer.status_code in {200, 201, 404, 409, 422}, answer.text
        await web.patch(f"/api/v1/patients/{its}", json={"name": marks("Renamed")})
        for query in ({"search": marks("Patient")}, {"phone": marks.phone}, {"cursor": marks("C")}):
            for path in ("patients", "conversations"):
                answer = await web.get(f"/api/v1/{path}", params=query)
                assert answer.status_code in {200, 422}, answer.text


async def test_a_write_that_the_database_refuses_tells_no_marks(place: Place) -> None:
    with place.server.locked():
        async with place.web as web:
            body = place.marks.object() | {"externalId": str(uuid4())}
            answer = await web.post("/api/v1/inbound", json=body, headers=place.bearer)
    assert answer.status_code == 503


async def test_people_sign_in_with_marks(place: Place) -> None:
    marks = place.marks
    forms = (
        {"email": f"{marks('Mail')}@clinic.example", "password": marks("Password")},
        {"email": ANA, "password": marks("Wrong"), "next": f"/c/{marks('Next')}"},
        {"email": marks("Long") * 60, "password": marks("Long") * 60, "locale": marks("Locale")},
        {marks("Field"): marks("Value")},
    )
    async with place.web as web:
        for form in forms:
            for accept in ("application/json", "text/html"):
                headers = {"Accept": accept, "User-Agent": marks("Agent")}
                answer = await web.post("/auth/login", data=form, headers=headers)
                assert answer.status_code in {303, 401}
        await web.post("/auth/switch", data={"clinic": marks("Clinic")}, headers=place.session)
        await web.post(
            "/auth/login", data=forms[0], headers={"Origin": f"https://{marks('Origin')}.example"}
        )


async def test_staff_write_draft_and_search_marks(place: Place) -> None:
    marks = place.marks
    wire = await Wire.join(
        place.server, place.cookie, follows(place.conversation), token=marks("Tab")
    )
    await wire.state_event(exposed_events.HYDRATE, path=f"/c/{marks('Path')}")
    here = {"conversationId": place.conversation}

    send = {**here, "body": marks("Answer"), "clientId": marks(str(uuid4()))}
    assert (await wire.ask("message:send", send))["ok"]
    draft = {**here, "body": marks("Draft"), "device": str(uuid4()), "edit": 1}
    await wire.ask("draft:save", draft)
    query = {"search": marks("Patient"), "who": "all", "status": "", "unread": False}
    page = {"feed": "conversations", "key": "inbox", "query": query}
    assert (await wire.ask("feed:page", page))["ok"]
    await wire.wait_for(lambda frame: '"kind":"page"' in frame and marks("Patient") in frame)
    await wire.close()


async def test_every_command_is_given_marks_and_garbage(place: Place) -> None:
    marks = place.marks
    wire = await Wire.join(place.server, place.cookie, follows(place.conversation))
    whole = marks.object()
    for name in exposed_events.commands():
        for arguments in (
            (whole | {"author": None},),
            (whole,),
            (whole | {"author": None, "conversationId": place.conversation},),
            ({**whole, "author": None, "feed": "messages", "key": marks("Key"), "version": 1},),
            (marks("Text"),),
            ([marks("List")], marks("Second")),
            (),
        ):
            answer = await wire.ask(name, *arguments)
            assert answer.get("ok") or answer["error"]["code"] != "internal", (name, answer)
    await wire.close()


async def test_every_state_event_is_given_marks_and_garbage(place: Place) -> None:
    marks = place.marks
    wire = await Wire.join(place.server, place.cookie, follows(place.conversation))
    whole = marks.object()
    forged = ("handle_frontend_exception", "on_load_internal", "update_vars_internal")
    names = [*exposed_events.EXPOSED, exposed_events.HYDRATE, marks("Event")]
    names += [f"{exposed_events.ROOT}.{marks('State')}.{name}" for name in forged]
    names += [name for name in exposed_events.forged_names() if name.rpartition(".")[2] in forged]
    for name in names:
        await wire.state_event(name, whole, path=f"/c/{marks('Path')}?q={marks('Query')}")
        router = {"pathname": f"/{marks('Route')}", "query": whole, "headers": whole}
        for payload in (marks("Payload"), [marks("Payload")], None):
            event = {"name": name, "payload": payload, "router_data": router, "token": marks("T")}
            await wire.send(f"42{NAMESPACE},{json.dumps(['event', event])}")
    assert await wire.ask("markers:get", {"ids": []})
    await wire.close()


async def test_sockets_are_opened_with_marks_and_say_what_is_no_packet(place: Place) -> None:
    marks = place.marks
    with pytest.raises(Refused, match="unauthorized"):
        await Wire.join(place.server, marks("Session"), {"live": {"author": marks("Author")}})
    for live in (
        {"author": marks("Author")},
        {"messages": {"key": marks("Key"), "version": marks("Version")}},
        {marks("Feed"): {"key": marks("Key")}},
        marks("NoObject"),
    ):
        wire = await Wire.open(place.server, place.cookie, token=marks("Tab"))
        auth = {"live": live, "state_schema": marks("Schema"), marks("Field"): marks("Value")}
        with suppress(Refused):
            await wire.enter(auth)
        await wire.close()
    for frame in (
        marks("Frame"),
        f"4{marks('Packet')}",
        f"42{NAMESPACE},{marks('NoJson')}",
        f'42{NAMESPACE},["{marks("Name")}",{{"a":"{marks("Value")}"}}]',
        f"42/{marks('Namespace')},[]",
        f'451-{NAMESPACE},["{marks("Binary")}"]',
        marks("Bytes").encode(),
    ):
        wire = await Wire.join(place.server, place.cookie)
        await wire.send(frame)
        await wire.close()


async def test_polls_carry_marks(place: Place) -> None:
    marks = place.marks
    address = f"{PATH}?EIO=4&transport=polling&token={marks('Tab')}"
    async with place.web as web:
        for cookie in (place.session, {"Cookie": f"{COOKIE_NAME}={marks('Session')}"}):
            headers = marks.headers() | cookie
            greeting = await web.get(address, headers=headers)
            sid = json.loads(greeting.text[1:])["sid"]
            for body in (f"40{NAMESPACE},{{}}", marks("Body"), f"4{marks('Packet')}"):
                await web.post(f"{address}&sid={sid}", content=body, headers=headers)
        await web.get(f"{address}&sid={marks('Sid')}", headers=marks.headers() | place.session)
        await web.get(f"{address}&j={marks('Script')}", headers=marks.headers())
        await web.get(f"{PATH}?EIO={marks('Version')}&transport={marks('Transport')}")


async def test_commands_are_given_marks_and_log_none(
    place: Place, commands: Commands, tmp_path: Path
) -> None:
    marks = place.marks
    file = tmp_path / "dialogues.csv"
    with file.open("w", encoding="utf-8", newline="") as written:
        rows = csv.writer(written)
        rows.writerow(["ID", "section_header", "section_text", "dialogue"])
        rows.writerow([marks("Id"), marks("Header"), marks("Text"), f"Patient: {marks('Said')}"])
        rows.writerow(["2", marks("Header"), "", marks("NobodySpeaks")])
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CLINIC_CHAT_")}
    environment |= SETTINGS
    environment["CLINIC_CHAT_DATABASE_URL"] = f"sqlite+aiosqlite:///{place.server.database}"
    email = f"{marks('mail').lower()}@clinic.example"
    person = ("--email", email, "--name", marks("Person"), "--clinic", "aurora")

    def logged(*arguments: str, stdin: str = "") -> list[str]:
        """The log of a command, which is on standard error among what it says to whoever types."""
        done = commands.run(*arguments, stdin=stdin, environment=environment)
        return [line for line in done.stderr.splitlines() if line.startswith("{")]

    log = logged("import-dialogues", str(file), "--clinic", "aurora")
    log += logged("create-user", *person, stdin=f"{marks.password()}\n")
    log += logged("set-password", "--email", email, stdin=f"{marks.password()}\n")
    log += logged("end-sessions", "--email", email)
    log += logged("deactivate-user", "--email", email)
    log += logged("revoke-token", marks("Token"))
    assert len(log) >= 3
    assert marks.found("\n".join(log)) == []


async def test_a_leak_would_be_found(place: Place) -> None:
    """The search itself: what was said is found where it may be, in what the clinic's staff see."""
    wire = await Wire.join(place.server, place.cookie, follows(place.conversation))
    seen = await wire.wait_for(lambda frame: '"feed":"messages"' in frame)
    await wire.close()

    assert place.marks.found(seen)
    assert place.marks.found(f'{{"event": "x", "body": "{place.marks("Body").upper()}"}}')


async def test_the_server_asks_no_address_but_clinics_identity_providers() -> None:
    package = PROJECT_ROOT / "clinic_chat"
    files = sorted(package.rglob("*.py"))

    assert len(files) > 100
    asking = [str(file.relative_to(package)) for file in files if CLIENTS.search(file.read_text())]
    # `health` is another process, which asks the server beside it. What a clinic's administrator
    # chose is asked by `outbound` alone, which has the rules for it (test_outbound.py). A poll is
    # passed to the process that has its session by a Unix socket, which leads nowhere else.
    assert asking == [
        "cli/server.py",
        "outbound/addresses.py",
        "outbound/client.py",
        "server/polling_relay.py",
        "server/process_metrics.py",
    ]
