"""Feeds at connect and by commands: opening, paging and leaving them, without Reflex."""

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest

from tests.conftest import Clinics
from tests.integration.realtime.sockets import TEXT, Place, enters, limits, place
from tests.support.sending import conversation_with
from tests.support.servers.own_server import Raw, event, eventually
from tests.support.socket_client import follows

pytestmark = pytest.mark.usefixtures("any_database")

__all__ = ["limits", "place"]
ASKED = 7


async def ask(raw: Raw, name: str, data: dict[str, Any]) -> tuple[Any, list[dict[str, Any]]]:
    """A command's answer, and what was said of feeds before it."""
    said = event(name, data).decode().replace("42/_event,", f"42/_event,{ASKED}", 1)
    await raw.frame(TEXT, said.encode())
    told: list[dict[str, Any]] = []
    while text := await raw.text():
        if text.startswith(f"43/_event,{ASKED}"):
            return json.loads(text.partition(str(ASKED))[2])[0], told
        if text.startswith('42/_event,["feed"'):
            told.append(json.loads(text.partition(",")[2])[1])
    raise AssertionError("the connection ended")


async def told(raw: Raw, feed: str) -> dict[str, Any]:
    """What is said of a feed next."""
    while text := await raw.text():
        if text.startswith('42/_event,["feed"'):
            said: dict[str, Any] = json.loads(text.partition(",")[2])[1]
            if said["feed"] == feed:
                return said
    raise AssertionError("the connection ended")


async def test_a_tab_gets_what_it_follows_with_its_connection(
    clinics: Clinics, place: Place
) -> None:
    key = await conversation_with(clinics.aurora, "+5511987654321")
    async with place.socket(await place.cookie("ana")) as ana:
        await enters(ana, follows(key))

        inbox = await told(ana, "conversations")
        thread = await told(ana, "messages")

        (connection,) = place.live.connections.all()
        assert connection.feeds == {"conversations": "inbox", "messages": key}
        # Nobody has to be there for a tab that comes back by itself.
        assert connection.active_at is None
    assert [inbox["kind"], thread["kind"]] == ["snapshot", "snapshot"]
    held = {
        "conversations": {"key": "inbox", "version": inbox["version"]},
        "messages": {"key": key, "version": thread["version"]},
    }
    async with place.socket(await place.cookie("ana")) as ana:
        await enters(ana, {"live": held})

        for feed, version in (("conversations", inbox["version"]), ("messages", thread["version"])):
            patch = await told(ana, feed)
            assert (patch["kind"], patch["from"], patch["to"]) == ("patch", version, version)


@pytest.mark.parametrize(
    "auth",
    [
        None,
        [],
        {"live": None},
        {"live": []},
        {"live": {"conversations": None, "messages": "x", "nothing": {"key": "inbox"}}},
        {"live": {"messages": {"key": "x" * 65}, "personal": {"key": "mine", "version": 1}}},
        {"live": {"conversations": {"key": None, "version": -1}}},
    ],
    ids=repr,
)
async def test_a_tab_that_names_no_feed_follows_none(place: Place, auth: object) -> None:
    async with place.socket(await place.cookie("ana")) as ana:
        await enters(ana, auth)

        answer, said = await ask(ana, "feed:check", {"nonce": 1})
        assert (answer, said) == ({"ok": True}, [])
        (connection,) = place.live.connections.all()
        assert connection.feeds == {}


async def test_a_tab_that_closes_while_its_lists_are_read_is_nowhere(
    clinics: Clinics, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = place.live.bus.watch
    reached, closed = asyncio.Event(), asyncio.Event()

    async def slow(clinic_id: UUID) -> None:
        reached.set()
        await closed.wait()
        await watch(clinic_id)

    monkeypatch.setattr(place.live.bus, "watch", slow)
    async with place.socket(await place.cookie("ana")) as ana:
        await enters(ana, follows())
        await reached.wait()
    await eventually(lambda: not place.live.connections.all())
    closed.set()
    await asyncio.gather(*place.live.starting)

    assert place.live.presence.online(clinics.aurora.clinic_id) == []


async def test_a_change_that_is_overtaken_by_a_later_one_changes_nothing(
    clinics: Clinics, place: Place
) -> None:
    first = await conversation_with(clinics.aurora, "+5511987654321")
    second = await conversation_with(clinics.aurora, "+5511987654322")
    async with place.socket(await place.cookie("ana")) as ana:
        await enters(ana)
        (connection,) = place.live.connections.all()

        await ask(ana, "feed:open", {"feed": "messages", "key": second, "order": 2})
        answer, said = await ask(ana, "feed:open", {"feed": "messages", "key": first, "order": 1})

        assert (answer, said) == ({"ok": True}, [])
        assert connection.feeds == {"messages": second}
        for field, value in (("order", "1"), ("around", 1.5), ("around", True)):
            wrong = {"feed": "messages", "key": first, field: value}
            assert "error" in (await ask(ana, "feed:open", wrong))[0]


async def test_a_view_of_the_list_is_a_page_with_the_number_of_its_question(
    clinics: Clinics, place: Place
) -> None:
    keys = [await conversation_with(clinics.aurora, f"+551198765432{n}") for n in range(3)]
    inbox = {"feed": "conversations", "key": "inbox"}
    everything = {"search": "", "who": "all", "status": "", "unread": False}
    async with place.socket(await place.cookie("ana")) as ana:
        await enters(ana)
        query = everything | {"search": " 5432-2 ", "number": 7}
        not_followed, _ = await ask(ana, "feed:page", inbox | {"query": query})
        await ask(ana, "feed:open", inbox)

        _, (page,) = await ask(ana, "feed:page", inbox | {"query": query})
        wrong, said = await ask(
            ana, "feed:page", inbox | {"query": everything | {"who": "nobody's"}}
        )

    assert not_followed["error"]["code"] == "feed_invalid"
    assert [row["id"] for row in page["items"]] == [keys[2]]
    assert (page["number"], page["more"], page["view"]["search"]) == (7, False, "5432-2")
    assert (wrong["error"]["code"], said) == ("filter_invalid", [])


async def test_a_tab_opens_a_feed_pages_it_and_leaves_it(clinics: Clinics, place: Place) -> None:
    key = await conversation_with(clinics.aurora, "+5511987654321")
    async with place.socket(await place.cookie("ana")) as ana:
        await enters(ana)

        answer, (inbox,) = await ask(ana, "feed:open", {"feed": "conversations", "key": "inbox"})
        assert answer == {"ok": True}
        assert (inbox["kind"], [row["id"] for row in inbox["items"]]) == ("snapshot", [key])
        _, (thread,) = await ask(ana, "feed:open", {"feed": "messages", "key": key})
        assert (thread["kind"], thread["row"]["id"]) == ("snapshot", key)
        page = {"feed": "messages", "key": key, "query": {"after": 0}}
        _, (further,) = await ask(ana, "feed:page", page)
        assert (further["kind"], len(further["items"])) == ("page", len(thread["items"]))
        answer, told = await ask(ana, "feed:open", {"feed": "messages", "key": None})
        assert (answer, told) == ({"ok": True}, [])
        refused, _ = await ask(ana, "feed:page", page)
        assert refused["error"]["code"] == "feed_invalid"


@pytest.mark.parametrize("feed", ["conversations", "messages"])
async def test_what_is_not_there_is_refused_in_the_feeds_own_words(
    clinics: Clinics, place: Place, feed: str
) -> None:
    theirs = await conversation_with(clinics.boreal, "+5511987654321")
    async with place.socket(await place.cookie("ana")) as ana:
        await enters(ana)

        answer, (refusal,) = await ask(ana, "feed:open", {"feed": feed, "key": theirs})

    assert answer == {"ok": True}
    assert refusal == {"feed": feed, "key": theirs, "kind": "refused", "code": "not_found"}
