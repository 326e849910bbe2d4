"""Nothing of one clinic is in another's hands, not for a moment and in no map of the process."""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import pytest

from clinic_chat.domain.clinics.actors import SYSTEM
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.messages.sending import Sends
from clinic_chat.realtime.connections import Connection
from clinic_chat.realtime.feeds import thread as thread_feed
from tests.conftest import Clinics
from tests.integration.realtime.sockets import TEXT, Place, enters, limits, place
from tests.support.connections import workspace_feeds
from tests.support.sending import conversation_with
from tests.support.servers.own_server import Raw, eventually

pytestmark = pytest.mark.usefixtures("any_database")

__all__ = ["limits", "place"]
AN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TURNS = 200
PING, PONG = "2", b"3"


async def _enters(place: Place, stack: AsyncExitStack, who: str) -> tuple[Raw, Connection]:
    raw = await stack.enter_async_context(place.socket(await place.cookie(who)))
    await enters(raw)
    connection = next(c for c in place.live.connections.all() if c.identity.email.startswith(who))
    await place.live.subscriptions.follow(connection, workspace_feeds())
    return raw, connection


@pytest.mark.parametrize("foreign", ["boreal's", "nobody's", "no id", "long"])
async def test_a_conversation_that_is_not_the_clinics_is_open_for_no_moment(
    clinics: Clinics, place: Place, foreign: str
) -> None:
    keys = {"boreal's": await conversation_with(clinics.boreal, "+5511987654321")}
    keys |= {"nobody's": str(uuid4()), "no id": "../x", "long": "x" * 100_000}
    key = keys[foreign]
    acts = place.live.commands.by_name()
    async with AsyncExitStack() as stack:
        _, carla = await _enters(place, stack, "carla")
        _, ana = await _enters(place, stack, "ana")
        if foreign == "boreal's":
            await place.live.subscriptions.follow(carla, workspace_feeds(key))

        opening = asyncio.create_task(place.live.subscriptions.follow(ana, workspace_feeds(key)))
        while not opening.done():
            assert thread_feed.FEED not in ana.feeds
            for name in ("viewing:start", "typing:start"):
                answer = await acts[name](ana.sid, {"conversationId": key})
                assert answer["error"]["code"] == "not_open"
            await asyncio.sleep(0)
        await opening

        rooms = place.live.sio.manager.get_rooms(ana.sid, "/_event")
        assert not any(room.startswith("conversation:") for room in rooms)
        assert place.live.activity.viewers(carla.identity.clinic_id, key) == []
        assert place.live.activity.typing(ana.identity.clinic_id) == []


async def test_while_a_conversation_is_looked_for_the_one_before_is_closed(
    clinics: Clinics, place: Place
) -> None:
    own = await conversation_with(clinics.aurora, "+5511987654321")
    async with AsyncExitStack() as stack:
        _, ana = await _enters(place, stack, "ana")
        await place.live.subscriptions.follow(ana, workspace_feeds(own))
        await place.live.commands.by_name()["viewing:start"](ana.sid, {"conversationId": own})
        assert place.live.activity.viewers(ana.identity.clinic_id, own)

        await place.live.subscriptions.follow(ana, workspace_feeds(str(uuid4())))

        assert ana.feeds.get(thread_feed.FEED) is None
        assert place.live.activity.viewers(ana.identity.clinic_id, own) == []


async def test_no_patch_is_lost_while_a_conversation_is_opened(
    clinics: Clinics, place: Place
) -> None:
    async with AsyncExitStack() as stack:
        raw, ana = await _enters(place, stack, "ana")
        keys = [await conversation_with(clinics.aurora, f"+55119876500{n:02}") for n in range(10)]
        scope = ClinicScope(place.services.database, clinics.aurora.clinic_id, SYSTEM)
        versions: dict[str, int] = {}
        for key, number in zip(keys, range(10), strict=True):
            early: list[Any] = []
            writes = asyncio.create_task(conversation_with(scope, f"+55119876500{number:02}"))
            for _ in range(number):
                await asyncio.sleep(0)
            await place.live.subscriptions.follow(ana, workspace_feeds(key))
            await writes
            while versions.get(key) != 2:
                frame = await raw.text()
                assert frame, versions
                if frame == PING:
                    # On a slow machine this takes longer than the server waits for an answer.
                    await raw.frame(TEXT, PONG)
                    continue
                _take(versions, early, json.loads(frame.partition(",")[2] or "[0,{}]"))


def _take(versions: dict[str, int], early: list[Any], event: Any) -> None:
    """Apply what came of a conversation, as a tab does; a hole is never filled here.

    A patch may come before the snapshot that it continues: `early` keeps it until then.
    """
    name, data = event
    if name != "feed" or data.get("feed") != thread_feed.FEED:
        return
    key = data["key"]
    if data["kind"] == "snapshot":
        versions[key] = max(versions.get(key, 0), data["version"])
        for patch in early:
            _take(versions, [], patch)
    elif data["from"] <= versions.get(key, -1):
        versions[key] = max(versions[key], data["to"])
    else:
        early.append(event)


async def test_every_map_that_clinics_share_has_the_clinic_in_its_key(
    clinics: Clinics, place: Place
) -> None:
    async with AsyncExitStack() as stack:
        for who, scope in (("ana", clinics.aurora), ("carla", clinics.boreal)):
            key = await conversation_with(scope, "+5511987654321")
            _, connection = await _enters(place, stack, who)
            await _works(place, connection, key)
        clinic_ids = {clinics.aurora.clinic_id, clinics.boreal.clinic_id}
        roots = {"live": place.live, "services": place.services}

        seen: set[str] = set()
        assert list(_without_clinic(roots, clinic_ids, seen)) == []
        # What is looked for is there at all.
        found = " ".join(sorted(seen))
        for place_of in ("_viewing", "_pages", "_sockets", "_windows", "_delivered", "_accounts"):
            assert f".{place_of}" in found, found

        place.live.activity.left_by = {str(uuid4()): "x"}  # type: ignore[attr-defined]
        (fault,) = _without_clinic(roots, clinic_ids, set())
        assert fault.endswith("left_by")


async def _works(place: Place, connection: Connection, key: str) -> None:
    """A person does everything once, and two things are under way when it is looked at."""
    await place.live.subscriptions.follow(connection, workspace_feeds(key))
    acts = place.live.commands.by_name()
    commands: dict[str, dict[str, object]] = {
        "message:send": {"body": "bom dia", "clientId": str(uuid4())},
        "message:read": {"seq": 1},
        "draft:save": {"body": "b"},
        "counts:get": {},
        "markers:get": {"ids": [key]},
        "viewing:start": {},
        "typing:start": {},
        "feed:check": {"nonce": 1},
    }
    for name, more in commands.items():
        answer = await acts[name](connection.sid, {"conversationId": key, **more})
        assert answer.get("ok"), (name, answer)
    await eventually(lambda: place.live.bus.delivered(connection.identity.clinic_id) >= 2)
    await place.services.sessions.find(connection.visitor.cookie)
    assert isinstance(place.live.commands.context.sends, Sends)


def _without_clinic(
    value: Any, clinics: set[UUID], seen: set[str], path: str = "", visited: set[int] | None = None
) -> Iterator[str]:
    """Where there is a map with an id in its keys, and no clinic in them or on the way there."""
    visited = set() if visited is None else visited
    if id(value) in visited or isinstance(value, str | bytes | int | float | UUID):
        return
    visited.add(id(value))
    if isinstance(value, Mapping):
        seen.add(path)
        if any(_is_id(key) and not _names(key, clinics) for key in value):
            yield path
        for key, item in list(value.items()):
            if not _names(key, clinics):
                inner = f"{path}.{key}" if isinstance(key, str) and not _is_id(key) else path
                yield from _without_clinic(item, clinics, seen, inner, visited)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _without_clinic(item, clinics, seen, path, visited)
    elif type(value).__module__.startswith("clinic_chat."):
        names = [*getattr(value, "__dict__", {}), *getattr(type(value), "__slots__", ())]
        for name in names:
            item = getattr(value, name, None)
            yield from _without_clinic(item, clinics, seen, f"{path}.{name}", visited)


def _is_id(key: Any) -> bool:
    if isinstance(key, tuple):
        return any(_is_id(part) for part in key)
    return isinstance(key, UUID) or (isinstance(key, str) and bool(AN_ID.search(key)))


def _names(key: Any, clinics: set[UUID]) -> bool:
    if isinstance(key, tuple):
        return any(_names(part, clinics) for part in key)
    if isinstance(key, UUID):
        return key in clinics
    return isinstance(key, str) and any(str(clinic) in key for clinic in clinics)
