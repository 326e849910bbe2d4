"""Feeds by commands: opening, paging and leaving them, without Reflex."""

import json
from typing import Any

import pytest

from tests.conftest import Clinics
from tests.integration.realtime.sockets import TEXT, Place, enters, limits, place
from tests.support.sending import conversation_with
from tests.support.servers.own_server import Raw, event

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
