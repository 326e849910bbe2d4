"""Someone with a valid account elsewhere, or none, and a socket that says what it likes.

Carla of the clinic Boreal attacks; Ana of the clinic Aurora works on meanwhile. After every
attack nothing of Aurora has reached Carla, and Ana still gets what a patient writes.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiohttp
import httpx
import pytest
import pytest_asyncio

from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from clinic_chat.realtime.gate import FRAMEWORK_EVENTS
from clinic_chat.storage.sqlite.library import sqlite3
from clinic_chat.web.refusals import LOG_SECONDS
from tests.support import exposed_events
from tests.support.channel import Channel
from tests.support.people import ANA, CARLA, Patient, new_patient
from tests.support.servers.fixtures import sign_in
from tests.support.servers.server import Server
from tests.support.socket_client import NAMESPACE, PATH, Refused, Wire, follows

LOOK_SECONDS = 0.2
TWO_MEGABYTES = 2 * 1024 * 1024
DEEP = 100_000
BAD_VALUES: list[Any] = [
    None,
    True,
    -1,
    0,
    2**70,
    1.5,
    "",
    " ",
    "x" * 5000,
    "nul\0",
    "half \ud800 a pair",
    "' OR 1=1 --",
    "../../etc/passwd",
    "{{7*7}}",
    [],
    [None] * 500,
    [["nested"]],
    {},
    {"$ne": None},
]
# The loop of the server that all tests share.
pytestmark = pytest.mark.asyncio(loop_scope="session")
INBOX = {"feed": "conversations", "key": "inbox"}
REFUSALS = ("event.refused", "gate.unknown_event")
# The libraries complain about what is no packet, a handler about its arguments, and a browser
# about itself.
HARMLESS = (
    '"logger": "clinic_chat.sockets"',
    '"event": "handler.failed", "level": "error", "logger": "clinic_chat.clinic_chat"',
    '"event": "browser.failed"',
)


@dataclass
class Aurora:
    """The clinic that is attacked: its server, and what must not leave it."""

    server: Server
    channel: Channel
    cookie: str
    ana: Wire
    patient: Patient
    conversation_id: str
    secrets: list[str] = field(default_factory=list)

    async def works(self) -> None:
        """Ana gets a new message, and the server says that it is ready."""
        body = f"Segredo {uuid4()}"
        self.secrets.append(body)
        since = len(self.ana.frames)
        await self.channel.deliver(self.patient, body)
        await self.ana.wait_for(lambda frame: body in frame, since)
        assert self.server.ready()

    def stored(self) -> list[tuple[Any, ...]]:
        """The conversation and its messages as they are in the database."""
        connection = sqlite3.connect(self.server.database)
        try:
            key = self.conversation_id.replace("-", "")
            return [
                *connection.execute("SELECT * FROM conversations WHERE id = ?", (key,)),
                *connection.execute("SELECT * FROM messages WHERE conversation_id = ?", (key,)),
                *connection.execute("SELECT * FROM read_markers WHERE conversation_id = ?", (key,)),
            ]
        finally:
            connection.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def aurora(server: Server, channel: Channel) -> AsyncIterator[Aurora]:
    cookie = await sign_in(server, ANA)
    ana = await Wire.join(server, cookie, follows(), token=str(uuid4()))
    await ana.state_event(exposed_events.HYDRATE)
    patient = new_patient()
    first = await channel.deliver(patient, "Segredo da Aurora")
    await ana.wait_for(lambda frame: "Segredo da Aurora" in frame)
    secrets = [patient.name, patient.phone, "Segredo", ANA, "Ana Beatriz", "Clínica Aurora"]
    yield Aurora(server, channel, cookie, ana, patient, first.conversation_id, secrets)
    await ana.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def carla_cookie(server: Server) -> str:
    return await sign_in(server, CARLA)


@pytest_asyncio.fixture(loop_scope="session")
async def carla(aurora: Aurora, carla_cookie: str) -> AsyncIterator[Wire]:
    """The attacker's socket, on her own inbox; what it received is checked after the test."""
    wire = await Wire.join(aurora.server, carla_cookie, follows())
    await wire.state_event(exposed_events.HYDRATE)
    await wire.wait_for(lambda frame: '"is_hydrated_rx_state_":true' in frame)
    yield wire
    await aurora.works()
    if not wire.over:
        # Whatever was on its way to her by mistake comes before this answer.
        assert await wire.ask("markers:get", {"ids": []})
    _expect_nothing_of(aurora, wire)
    assert carla_cookie not in "".join(wire.frames)
    await wire.close()


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _nothing_unexpected(aurora: Aurora) -> AsyncIterator[None]:
    """Whatever came in was refused on purpose: no handler fell over it."""
    before = len(aurora.server.log.read_text())
    yield
    await aurora.works()
    written = aurora.server.log.read_text()[before:]
    assert [secret for secret in (*aurora.secrets, aurora.cookie) if secret in written] == []
    errors = [line for line in written.splitlines() if '"level": "error"' in line]
    ours = [line for line in errors if '"logger": "clinic_chat' in line]
    accidents = [line for line in ours if not any(known in line for known in HARMLESS)]
    assert accidents == []
    assert "Traceback" not in written


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.parametrize("cookie", [None, "", "garbage", "é", "x" * 3000])
async def test_without_a_session_there_is_no_way_in(
    aurora: Aurora, cookie: str | None, transport: str
) -> None:
    if transport == "polling":
        assert "unauthorized" in await _poll_in(aurora.server, cookie)
        return
    with pytest.raises(Refused, match="unauthorized"):
        await Wire.join(aurora.server, cookie)


async def test_a_signed_out_cookie_is_worth_nothing(aurora: Aurora) -> None:
    cookie = await sign_in(aurora.server, CARLA)
    wire = await Wire.join(aurora.server, cookie)

    async with httpx.AsyncClient(cookies={COOKIE_NAME: cookie}) as browser:
        await browser.post(f"{aurora.server.origin}/auth/logout")

    await wire.wait_for(lambda frame: frame.startswith(f"41{NAMESPACE}"))
    with pytest.raises(Refused, match="unauthorized"):
        await wire.enter()
    with pytest.raises(Refused, match="unauthorized"):
        await Wire.join(aurora.server, cookie)


async def test_a_socket_that_never_entered_gets_no_answers(aurora: Aurora) -> None:
    wire = await Wire.open(aurora.server, aurora.cookie)

    await wire.send(f'42{NAMESPACE},1["markers:get",{{"ids":[]}}]')
    await wire.send(f'42{NAMESPACE},["event",{json.dumps({"name": exposed_events.HYDRATE})}]')
    await wire.enter()
    assert await wire.ask("markers:get", {"ids": []})

    events = [frame for frame in wire.frames if frame.startswith("42")]
    assert [event for event in events if '"session:identity"' not in event] == []
    await wire.close()


@pytest.mark.parametrize("namespace", ["/", "/admin", "/clinic/aurora", "/_event/x"])
async def test_no_other_namespace_can_be_entered_with_a_session(
    aurora: Aurora, namespace: str
) -> None:
    wire = await Wire.open(aurora.server, aurora.cookie)

    await wire.send(f"40{namespace},{{}}" if namespace != "/" else "40{}")

    prefix = "44" if namespace == "/" else f"44{namespace},"
    await wire.wait_for(lambda frame: frame.startswith(prefix))
    await wire.close()


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://127.0.0.1", "https://127.0.0.1:{port}", "file://"],
)
async def test_another_origin_is_refused_although_the_cookie_is_good(
    aurora: Aurora, origin: str
) -> None:
    origin = origin.format(port=aurora.server.port)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await Wire.open(aurora.server, aurora.cookie, origin=origin)

    async with httpx.AsyncClient(cookies={COOKIE_NAME: aurora.cookie}) as browser:
        answer = await browser.get(
            f"{aurora.server.origin}{PATH}?EIO=4&transport=polling", headers={"Origin": origin}
        )
    assert answer.status_code >= 400
    assert "sid" not in answer.text
    assert "access-control-allow-origin" not in answer.headers


async def test_the_own_origin_is_let_in(aurora: Aurora) -> None:
    wire = await Wire.join(aurora.server, aurora.cookie, origin=aurora.server.origin)

    assert (await wire.ask("markers:get", {"ids": []}))["ok"]
    await wire.close()


async def test_no_handler_that_is_not_exposed_can_be_called(carla: Wire, aurora: Aurora) -> None:
    names = exposed_events.forged_names()
    assert len(names) > 100
    since, logged = len(carla.frames), len(aurora.server.log.read_text())

    for name in names:
        await carla.state_event(name, {"info": "forged", "component_stack": "forged"})
    await _events_handled(carla)

    # They are counted, and told together after some seconds.
    written = ""
    for _ in range(int(4 * LOG_SECONDS / LOOK_SECONDS)):
        written = aurora.server.log.read_text()[logged:]
        if _refused(written) >= len(names):
            break
        await asyncio.sleep(LOOK_SECONDS)
    assert _refused(written) == len(names)
    assert sum(written.count(event) for event in REFUSALS) < 10
    assert "browser.failed" not in written

    deltas = [
        frame for frame in carla.frames[since:] if frame.startswith(f'42{NAMESPACE},["event"')
    ]
    # Those of the two that came behind them.
    assert len(deltas) == 2


@pytest.mark.parametrize("value", BAD_VALUES, ids=repr)
async def test_handlers_take_any_value_and_no_argument_at_all(carla: Wire, value: Any) -> None:
    for name in (*exposed_events.EXPOSED, *FRAMEWORK_EVENTS):
        await carla.state_event(name, dict.fromkeys(("value", "hashes", "text"), value))
    await _events_handled(carla)

    assert await _finds(carla, "Priya") == ["Priya Raghunathan"]


@pytest.mark.parametrize("value", BAD_VALUES, ids=repr)
async def test_a_search_takes_any_value_and_says_what_is_wrong(carla: Wire, value: Any) -> None:
    for name in ("search", "who", "status", "unread", "cursor", "number"):
        query = {"search": "", "who": "all", "status": "", "unread": False} | {name: value}
        answer = await carla.ask("feed:page", {**INBOX, "query": query})
        _expect_no_accident("feed:page", answer)

    assert await _finds(carla, "Priya") == ["Priya Raghunathan"]


async def test_handlers_can_be_called_with_wrong_arguments_only_in_vain(carla: Wire) -> None:
    for name in sorted(exposed_events.EXPOSED):
        for payload in ({}, {"nonsense": 1}, {"self": 1, "text": "x", "cursor": "y"}):
            await carla.state_event(name, payload)

    await _events_handled(carla)


@pytest.mark.parametrize("value", BAD_VALUES, ids=repr)
async def test_commands_answer_any_value_with_a_reason(carla: Wire, value: Any) -> None:
    fields: tuple[str, ...] = (
        "conversationId",
        "body",
        "clientId",
        "seq",
        "ids",
        "feed",
        "key",
        "version",
    )
    fields += ("locale", "status", "assigneeId", "userId", "nonce", "sound", "read", "around")
    for act in exposed_events.commands():
        for arguments in ((value,), (dict.fromkeys(fields, value),)):
            _expect_no_accident(act, await carla.ask(act, *arguments))


async def test_commands_answer_a_wrong_number_of_arguments_with_a_reason(carla: Wire) -> None:
    for act in exposed_events.commands():
        several: tuple[tuple[Any, ...], ...] = ((), ({}, {}), tuple({} for _ in range(300)))
        for arguments in several:
            answer = await carla.ask(act, *arguments)
            _expect_no_accident(act, answer)
            assert "error" in answer


async def test_commands_on_another_clinics_conversation_find_nothing(
    carla: Wire, aurora: Aurora
) -> None:
    before = aurora.stored()
    theirs = aurora.conversation_id
    own = {"body": "x", "clientId": str(uuid4()), "seq": 1, "version": 0, "status": "resolved"}
    own |= {"ids": [theirs], "feed": "messages", "key": theirs, "locale": "en"}
    own |= {"assigneeId": _user_id(carla), "expected": ""}

    answers = {
        act: await carla.ask(act, {**own, "conversationId": theirs})
        for act in exposed_events.commands()
    }

    assert aurora.stored() == before
    for act, answer in answers.items():
        _expect_no_accident(act, answer)
        about_one = act.startswith(("message:", "conversation:", "draft:"))
        assert not about_one or answer["error"]["code"] == "not_found", act
    # The same as for an id that nobody has.
    nobodys = str(uuid4())
    assert answers["markers:get"]["markers"] == {theirs: 0}
    assert (await carla.ask("markers:get", {"ids": [nobodys]}))["markers"] == {nobodys: 0}
    assert answers["feed:catch-up"]["error"]["code"] == "feed_invalid"


async def test_what_is_made_in_somebody_elses_name_is_refused(
    carla: Wire, carla_cookie: str, aurora: Aurora
) -> None:
    identity = await carla.wait_for(lambda frame: '"session:identity"' in frame)
    # Before the answer to its connect, so that nothing can be sent before it is known.
    entered = await carla.wait_for(lambda frame: frame.startswith(f"40{NAMESPACE}"))
    assert carla.frames.index(identity) < carla.frames.index(entered)
    carlas = json.loads(identity.removeprefix(f"42{NAMESPACE},"))[1]
    anas = json.loads(
        (await aurora.ana.wait_for(lambda frame: '"session:identity"' in frame)).removeprefix(
            f"42{NAMESPACE},"
        )
    )[1]
    assert carlas["key"] != anas["key"]

    for act in exposed_events.commands():
        answer = await carla.ask(act, {"author": anas["author"]})
        assert answer["error"]["code"] == "wrong_author"
        answer = await carla.ask(act, {"author": carlas["author"]})
        assert answer.get("error", {}).get("code") != "wrong_author"

    wire = await Wire.open(aurora.server, carla_cookie)
    with pytest.raises(Refused, match="wrong_author"):
        await wire.enter({"live": {"author": anas["author"]}})


@pytest.mark.parametrize("around", ["", "?m=1", "?at=1", "#1"])
async def test_another_clinics_conversation_as_an_address_opens_nothing(
    carla: Wire, carla_cookie: str, aurora: Aurora, around: str
) -> None:
    path = f"/c/{aurora.conversation_id}"
    for name in (exposed_events.LOAD, exposed_events.HYDRATE):
        for variant in (path, f"{path}/", f"{path.upper()}", f"/c/../c/{aurora.conversation_id}"):
            await carla.state_event(name, path=f"{variant}{around}")
    again = await Wire.join(aurora.server, carla_cookie, follows(aurora.conversation_id))
    await again.wait_for(lambda frame: '"kind":"refused"' in frame)
    _expect_nothing_of(aurora, again)
    await again.close()
    opened = await carla.ask("feed:open", {"feed": "messages", "key": aurora.conversation_id})
    assert opened == {"ok": True}
    await carla.wait_for(lambda frame: '"kind":"refused"' in frame)
    for feed in ("personal", "check", "x", "", None, 7, ["messages"]):
        refused = await carla.ask("feed:open", {"feed": feed, "key": "inbox"})
        assert refused["error"]["code"] == "feed_invalid", feed
    for argument in ("before", "after"):
        page = {"feed": "messages", "key": aurora.conversation_id, "query": {argument: 1}}
        assert "error" in await carla.ask("feed:page", page)

    await _events_handled(carla)
    await aurora.works()


async def test_nobody_enters_a_second_time_on_the_same_connection(carla: Wire) -> None:
    since = len(carla.frames)
    await carla.send(f"40{NAMESPACE},{{}}")
    answer = await carla.wait_for(lambda frame: frame.startswith("4"), since)
    assert answer.startswith(f"44{NAMESPACE},")


async def test_another_persons_tab_token_opens_none_of_their_state(
    carla_cookie: str, aurora: Aurora
) -> None:
    token = str(uuid4())
    ana = await Wire.join(aurora.server, aurora.cookie, follows(), token=token)
    await ana.state_event(exposed_events.HYDRATE)
    assert await _finds(ana, aurora.patient.name) == [aurora.patient.name]
    await _events_handled(ana)

    for _ in ("while her tab is open", "after it has closed"):
        thief = await Wire.join(aurora.server, carla_cookie, token=token)
        await thief.state_event(exposed_events.HYDRATE)
        await _events_handled(thief)
        _expect_nothing_of(aurora, thief)
        await thief.close()
        await ana.close()


@pytest.mark.parametrize("frame", ["text", "binary", "event"])
async def test_a_frame_of_two_megabytes_ends_its_socket_alone(carla: Wire, frame: str) -> None:
    frames: dict[str, str | bytes] = {
        "text": "4" + "x" * TWO_MEGABYTES,
        "binary": b"\x04" * TWO_MEGABYTES,
        "event": f'42{NAMESPACE},["event",{json.dumps({"name": "x" * TWO_MEGABYTES})}]',
    }
    await carla.send(frames[frame])

    await carla.closed()


async def test_a_polled_body_of_two_megabytes_is_refused(aurora: Aurora) -> None:
    async with httpx.AsyncClient(base_url=aurora.server.origin) as client:
        where = await _polling_session(client)

        answer = await client.post(where, content="4" + "x" * TWO_MEGABYTES)
        unknown = await client.post(where, content=_without_length("4" + "x" * TWO_MEGABYTES))

    assert (answer.status_code, unknown.status_code) == (413, 411)


@pytest.mark.parametrize("brackets", ["[]", "{}"], ids=["lists", "objects"])
async def test_json_that_is_nested_too_deeply_harms_nobody(carla: Wire, brackets: str) -> None:
    opening, closing = ('{"a":', "}") if brackets == "{}" else ("[", "]")
    depth = DEEP // len(opening)

    await carla.send(f'42{NAMESPACE},["event",{opening * depth}0{closing * depth}]')

    await _events_handled(carla)


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "9",
        "4",
        "42",
        "4{}",
        "5probe",
        "6",
        "1",
        f"42{NAMESPACE},",
        f"42{NAMESPACE},[]",
        f"42{NAMESPACE},{{}}",
        f"42{NAMESPACE},[1]",
        f"42{NAMESPACE},[null,{{}}]",
        f'42{NAMESPACE},["event"',
        f'42{NAMESPACE},["event"]',
        f'42{NAMESPACE},["event","not json"]',
        f'42{NAMESPACE},["event",null]',
        f'42{NAMESPACE},["event",[1,2]]',
        f'42{NAMESPACE},["event",{{"name":1,"payload":2,"router_data":3}}]',
        f'42{NAMESPACE},["event",{{"name":"x","payload":{{}},"router_data":{{"pathname":[]}}}}]',
        f'42{NAMESPACE},["connect",{{}}]',
        f'42{NAMESPACE},["disconnect","x"]',
        f'42{NAMESPACE},["client_error",{{"message":["Segr","edo"]}}]',
        f'42{NAMESPACE},{"9" * 400}["markers:get",{{"ids":[]}}]',
        f'42{NAMESPACE},1["markers:get",{{"ids":NaN}}]',
        f"43{NAMESPACE},1[]",
        f"44{NAMESPACE},{{}}",
        f"40{NAMESPACE},[]",
        f'45{NAMESPACE},1-["event",{{"_placeholder":true,"num":0}}]',
        f'451000000-{NAMESPACE},["event",{{"_placeholder":true,"num":0}}]',
        f'451-{NAMESPACE},["event",{{"_placeholder":true,"num":7}}]',
        b"",
        b"\x00\xff\xfe",
        b"b4AAAA",
    ],
    ids=lambda frame: repr(frame)[:60],
)
async def test_a_packet_that_is_none_harms_only_its_sender(
    aurora: Aurora, carla_cookie: str, frame: str | bytes
) -> None:
    wire = await Wire.join(aurora.server, carla_cookie)

    await wire.send(frame)
    await wire.send(b"an attachment" if isinstance(frame, str) else frame)

    await aurora.works()
    _expect_nothing_of(aurora, wire)
    await wire.close()


async def test_sockets_that_come_and_go_leave_nothing_behind(
    aurora: Aurora, carla_cookie: str
) -> None:
    open_before = aurora.server.open_files()

    for _ in range(50):
        wire = await Wire.join(aurora.server, carla_cookie)
        await wire.state_event(exposed_events.HYDRATE)
        await wire.close()
    await aurora.works()

    assert aurora.server.open_files() <= open_before + 10


def _refused(written: str) -> int:
    """How many events were refused, as the log has it."""
    lines = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    return sum(int(line["times"]) for line in lines if line["event"] in REFUSALS)


def _expect_nothing_of(aurora: Aurora, wire: Wire) -> None:
    # With the escapes resolved too, so that a name with an accent is found.
    received = "".join(
        frame + frame.encode().decode("unicode_escape", errors="replace") for frame in wire.frames
    )
    assert [secret for secret in aurora.secrets if secret in received] == []


def _expect_no_accident(act: str, answer: Any) -> None:
    assert isinstance(answer, dict), act
    assert answer.get("ok") is True or answer["error"]["code"] != "internal", act


async def _events_handled(wire: Wire) -> None:
    """Return when the state events sent before are done: these two's effects come after theirs."""
    since = len(wire.frames)
    for value in (False, True):
        await wire.state_event(f"{exposed_events.ROOT}.set_is_hydrated", {"value": value})
    await wire.wait_for(lambda frame: '"is_hydrated_rx_state_":false' in frame, since)
    await wire.wait_for(lambda frame: '"is_hydrated_rx_state_":true' in frame, since)


async def _finds(wire: Wire, text: str) -> list[str]:
    """The names of the patients whom a search finds."""
    since = len(wire.frames)
    query = {"search": text, "who": "all", "status": "", "unread": False}
    assert (await wire.ask("feed:page", {**INBOX, "query": query}))["ok"]
    page = await wire.wait_for(lambda frame: '"kind":"page"' in frame, since)
    return [row["patient_name"] for row in json.loads(page.partition(",")[2])[1]["items"]]


def _user_id(wire: Wire) -> str:
    """The person's own id, as the server has told them."""
    found = re.search(r'"user_id_rx_state_":"([0-9a-f-]{36})"', "".join(wire.frames))
    assert found
    return found[1]


async def _polling_session(client: httpx.AsyncClient) -> str:
    opened = await client.get(f"{PATH}?EIO=4&transport=polling&token={uuid4()}")
    sid = json.loads(opened.text[1:])["sid"]
    return f"{PATH}?EIO=4&transport=polling&sid={sid}"


async def _without_length(body: str) -> AsyncIterator[bytes]:
    yield body.encode()


async def _poll_in(server: Server, cookie: str | None) -> str:
    """What the server says to someone who enters by HTTP long-polling."""
    headers = [] if cookie is None else [(b"Cookie", f"{COOKIE_NAME}={cookie}".encode())]
    async with httpx.AsyncClient(base_url=server.origin, headers=headers) as client:
        where = await _polling_session(client)
        await client.post(where, content=f"40{NAMESPACE},{{}}")
        return (await client.get(where)).text
