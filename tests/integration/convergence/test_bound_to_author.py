"""What a tab has under way is its author's: the server, the tab and its storage each hold to it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from time import time
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from socketio.exceptions import ConnectionRefusedError as Refused
from sqlalchemy import select

from clinic_chat.domain.accounts.browser_key import browser_key
from clinic_chat.domain.conversations.conversation import Conversation
from clinic_chat.domain.conversations.read_marker import ReadMarker
from clinic_chat.domain.messages.drafts import Draft
from clinic_chat.domain.messages.message import Message
from clinic_chat.realtime import identity
from tests.integration.convergence.world import Page, World

pytestmark = pytest.mark.usefixtures("any_database")

if TYPE_CHECKING:
    pass

ANA, BRUNO = 0, 2
DESK = "device 0"
WRITTEN, UNFINISHED = "Sua receita está pronta", "Volte em"
WRITING: dict[str, dict[str, object]] = {
    "message:send": {"clientId": "k", "body": "oi"},
    "message:read": {"seq": 1},
    "conversation:unread": {},
    "conversation:status": {"status": "resolved"},
    "conversation:assign": {"assigneeId": "", "expected": ""},
    "draft:save": {"body": "oi"},
    "account:preferences": {"sound": False},
    "typing:start": {},
    "viewing:start": {},
}
WEEK_MS = 7 * 24 * 60 * 60_000


def author(world: World, who: str, clinic: str = "aurora") -> str:
    return f"{world.scopes[who].user_id}:{clinic}"


async def outbound(world: World) -> list[tuple[UUID | None, str]]:
    """Author and text of what staff wrote."""
    async with world.scopes["channel"].read() as session:
        rows = await session.execute(
            select(Message.author_id, Message.body).where(Message.direction == "outbound")
        )
        return [(writer, body) for writer, body in rows]


async def drafts(world: World) -> dict[UUID, str]:
    """What people are about to write."""
    async with world.scopes["channel"].read() as session:
        rows = (await session.scalars(select(Draft))).all()
        return {draft.user_id: draft.body for draft in rows if draft.body}


def waiting(world: World) -> dict[str, str]:
    """What the browser at the desk keeps of messages on their way and of drafts."""
    kept = world.browser.stored(DESK)
    return {name: text for name, text in kept.items() if re.search("outbox|draft", name)}


async def contents(world: World) -> list[dict[str, Any]]:
    """Every row that an act could change."""
    async with world.scopes["channel"].read() as session:
        return [
            {column.key: getattr(row, column.key) for column in row.__table__.columns}
            for model in (Message, Conversation, Draft, ReadMarker)
            for row in await session.scalars(select(model))
        ]


async def sits_down(world: World, number: int, who: str, device: str = DESK) -> Page:
    """Somebody loads the page at a desk, at the first patient's conversation."""
    page = world.pages[number] = Page(world, number, who, device)
    page.path = f"/c/{world.conversations[0]}"
    await page.open()
    await world.all_arrives()
    return page


async def away_with_something_to_say(world: World) -> Page:
    """Ana's tab loses its connection; then she writes."""
    page = world.pages[ANA]
    await page.cut()
    await page.do("send", text=WRITTEN)
    await page.do("type", text=UNFINISHED)
    return page


# The server.


async def test_a_tab_learns_whose_it_is_before_anything_else(world: World) -> None:
    network = world.network
    told = []
    for sid, who in (("a", "ana"), ("b", "ana"), ("c", "bruno")):
        network.plug(sid)
        await network.handlers["connect"](sid, await world.handshake(who), {})
        event, data = network.first(sid)[0]
        assert event == "session:identity"
        assert data["author"] == author(world, who)
        told.append(data["key"])

    assert told[0] == told[1]
    assert told[0] != told[2]


def test_the_key_is_a_person_s_in_a_clinic_and_the_server_s() -> None:
    person, clinic = uuid4(), uuid4()
    key = browser_key(b"secret", person, clinic)

    assert len(key) == 32
    assert key == browser_key(b"secret", person, clinic)
    others = [
        (b"other", person, clinic),
        (b"secret", uuid4(), clinic),
        (b"secret", person, uuid4()),
    ]
    assert key not in [browser_key(*other) for other in others]


@pytest.mark.parametrize("named", ["bruno", "ana in another clinic", "nonsense", 7, {}, ""])
async def test_a_tab_of_somebody_else_is_not_let_in(world: World, named: Any) -> None:
    authors = {"bruno": author(world, "bruno"), "ana in another clinic": author(world, "ana", "x")}
    network = world.network
    network.plug("tab")
    environ = await world.handshake("ana")
    auth = {"live": {"author": authors.get(named, named) if isinstance(named, str) else named}}

    with pytest.raises(Refused, match="wrong_author"):
        await network.handlers["connect"]("tab", environ, auth)

    assert network.first("tab") == []
    assert "tab" not in {connection.sid for connection in world.live.connections.all()}


@pytest.mark.parametrize("act", WRITING)
async def test_an_act_of_somebody_else_is_refused_and_changes_nothing(
    world: World, act: str
) -> None:
    sid = world.pages[BRUNO].sid
    conversation = world.conversations[0]
    before = await contents(world)
    data = {"conversationId": conversation, **WRITING[act]}

    for wrong in (author(world, "ana"), author(world, "bruno", "boreal"), 1, ""):
        answer = await world.network.handlers[act](sid, {**data, "author": wrong})
        assert answer["error"]["code"] == "wrong_author"
    assert await contents(world) == before

    own = await world.network.handlers[act](sid, {**data, "author": author(world, "bruno")})
    assert own["ok"]


# The tab and its storage.


async def test_every_act_of_a_tab_names_its_author(world: World) -> None:
    page = world.pages[ANA]
    mine = author(world, "ana")
    await page.do("look", focused=True, hidden=False)
    await page.do("send", text="Bom dia")
    await page.do("type", text="Até")
    await page.do("pass", ms=1500)
    await page.do("markUnread")
    named = {sent.event: sent.data.get("author") for sent in page.uplink}

    assert {"message:send", "draft:save", "conversation:unread"} <= set(named)
    assert set(named.values()) == {mine}


async def test_nothing_is_sent_before_it_is_known_whose_tab_it_is(world: World) -> None:
    page = await away_with_something_to_say(world)
    heard = await page.do("connected", first=[])
    assert heard.sent == []

    told = {"author": author(world, "ana"), "key": "", "now": 0}
    await page.do("receive", event="session:identity", data=told)
    heard = await page.do("connected", first=[])
    assert {"message:send", "draft:save"} <= {sent.event for sent in heard.sent}


async def test_a_tab_that_is_told_of_another_author_sends_nothing_and_begins_again(
    world: World,
) -> None:
    page = await away_with_something_to_say(world)
    told = {"author": author(world, "bruno"), "key": "", "now": 0}

    heard = await page.do("connected", first=[("session:identity", told)])

    assert heard.sent == []
    assert page.left == "/"


async def test_a_tab_that_another_person_s_session_would_take_over_begins_again(
    world: World,
) -> None:
    page = await away_with_something_to_say(world)
    # Bruno has signed in in another tab: the browser sends his cookie from now on.
    world.cookies["ana"], anas = world.cookies["bruno"], world.cookies["ana"]

    await page.do("online")

    assert page.left == "/"
    assert await outbound(world) == []
    assert await drafts(world) == {}

    bruno = await sits_down(world, 3, "bruno")
    shown = (await bruno.do("vars")).result
    assert WRITTEN not in json.dumps(shown)
    assert shown["draft"] == ""
    assert len(waiting(world)) == 2
    assert WRITTEN not in str(waiting(world))
    assert UNFINISHED not in str(waiting(world))
    await world.settles()
    assert await outbound(world) == []
    await bruno.cut()

    world.cookies["ana"] = anas
    ana = await sits_down(world, 4, "ana")
    await world.settles()
    assert await outbound(world) == [(world.scopes["ana"].user_id, WRITTEN)]
    assert await drafts(world) == {world.scopes["ana"].user_id: UNFINISHED}
    assert (await ana.do("vars")).result["draft"] == UNFINISHED
    assert waiting(world) == {}


async def test_what_is_refused_as_another_s_waits_and_the_tab_begins_again(world: World) -> None:
    page = world.pages[ANA]
    await page.do("send", text=WRITTEN)
    (sent,) = [sent for sent in page.uplink if sent.event == "message:send"]
    page.uplink.clear()

    refusal = {"error": {"code": "wrong_author", "message": ""}}
    await page.do("answer", number=sent.number, data=refusal)

    assert page.left == "/"
    assert any("outbox" in name for name in waiting(world))


async def test_a_tab_without_a_connection_hears_who_has_signed_in(world: World) -> None:
    page = await away_with_something_to_say(world)
    bruno = await sits_down(world, 3, "bruno")
    assert world.browser.stored(DESK)["clinic-chat:author"] == author(world, "bruno")

    await page.do("shares", key="clinic-chat:author", value=author(world, "ana"))
    assert page.left is None
    await page.do("shares", key="clinic-chat:author", value=author(world, "bruno"))
    assert page.left == "/"
    assert bruno.left is None


async def test_leaving_with_something_waiting_is_asked_about_in_every_browser(
    world: World,
) -> None:
    page = world.pages[ANA]
    assert (await page.do("asksToStay")).result == [False, False]
    await page.cut()
    await page.do("send", text=WRITTEN)
    assert (await page.do("asksToStay")).result == [True, True]


async def test_a_key_that_opens_nothing_leaves_what_waits_for_a_week(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await away_with_something_to_say(world)
    kept = waiting(world)
    monkeypatch.setattr(world.live, "_secret", b"another secret")

    page = await sits_down(world, 3, "ana")
    assert waiting(world) == kept
    assert (await page.do("vars")).result["draft"] == ""

    now = time() * 1000 + WEEK_MS + 1000
    monkeypatch.setattr(identity, "milliseconds_now", lambda: now)
    await sits_down(world, 4, "ana")
    assert waiting(world) == {}
    assert await outbound(world) == []


async def test_what_waited_for_more_than_a_week_goes_out_only_when_its_author_says_so(
    world: World,
) -> None:
    kept_before(world, "ana", written_at=time() - WEEK_MS / 1000 - 60)
    ana = await sits_down(world, 3, "ana")
    await world.settles()

    assert await outbound(world) == []
    shown = (await ana.do("vars")).result["shown"]["thread"]["messages"]
    assert [(row["status"], row["failure"]) for row in shown if row["direction"] == "outbound"] == [
        ("failed", "too_old")
    ]

    await ana.do("retry", clientId="k")
    await world.settles()
    assert await outbound(world) == [(world.scopes["ana"].user_id, WRITTEN)]


async def test_what_earlier_versions_kept_as_it_was_is_sealed_and_sent_by_its_author_only(
    world: World,
) -> None:
    kept_before(world, "ana", written_at=time())
    bruno = await sits_down(world, 3, "bruno")
    await world.settles()
    assert await outbound(world) == []
    assert (await bruno.do("vars")).result["draft"] == ""
    await bruno.cut()

    # Nothing that she sends is answered yet.
    ana = world.pages[4] = Page(world, 4, "ana", DESK)
    await ana.open()
    assert len(waiting(world)) == 2
    assert WRITTEN not in str(waiting(world))
    assert UNFINISHED not in str(waiting(world))

    await world.settles()
    assert await outbound(world) == [(world.scopes["ana"].user_id, WRITTEN)]
    assert await drafts(world) == {world.scopes["ana"].user_id: UNFINISHED}
    assert waiting(world) == {}


async def test_what_nobody_came_back_for_goes_after_a_week(world: World) -> None:
    kept_before(world, "ana", written_at=time() - WEEK_MS / 1000 - 60)
    await sits_down(world, 3, "bruno")
    assert waiting(world) == {}


def kept_before(world: World, who: str, written_at: float) -> None:
    """The desk's browser keeps a message and a draft as earlier versions did."""
    entry = {
        "clientId": "k",
        "conversationId": world.conversations[0],
        "body": WRITTEN,
        "at": datetime.fromtimestamp(written_at, UTC).isoformat(),
        "place": 1,
        "state": "sending",
    }
    draft = [world.conversations[0], UNFINISHED, int(written_at * 1000)]
    whose = author(world, who)
    world.browser.stored(
        DESK,
        **{
            f"clinic-chat:outbox:{whose}:k": json.dumps(entry),
            f"clinic-chat:drafts:{whose}": json.dumps([draft]),
        },
    )
