"""Three people write while the network and the server fail again and again: nothing is lost."""

import asyncio
import random
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import Any

from playwright.async_api import Page, expect

from clinic_chat.storage.sqlite.library import sqlite3
from tests.browser.conftest import Visit
from tests.support.browser.badge import CONNECTED, badge, badge_is, now
from tests.support.browser.page_errors import Complaints
from tests.support.browser.pages import answer, bodies, composer, messages, thread_of
from tests.support.channel import Channel
from tests.support.network.bad_network_scene import NETWORK, stored_bodies
from tests.support.network.proxy import Proxy
from tests.support.people import ANA, BRUNO, RENATA, new_patient
from tests.support.servers.restartable_server import QuickServer

PEOPLE = {"Ana": ANA, "Bruno": BRUNO, "Renata": RENATA}
FAULTS = 20
MESSAGES = 300
EACH = MESSAGES // len(PEOPLE)
IN_A_ROUND = EACH // FAULTS
SEED = 4
PATIENCE_MS = 60_000


async def test_three_people_write_300_messages_through_twenty_faults(
    visit: Visit,
    quick: QuickServer,
    complaints: Complaints,
    record_property: Callable[[str, object], None],
) -> None:
    complaints.allow(NETWORK)
    chance = random.Random(SEED)  # noqa: S311 - a reproducible test, not a secret
    channel = Channel(quick)
    patient = new_patient()
    async with Proxy(quick.port) as proxy:
        conversation = (await channel.deliver(patient, "Bom dia")).conversation_id
        desks = {
            name: await visit(who, f"/c/{conversation}", at=proxy) for name, who in PEOPLE.items()
        }
        for page in desks.values():
            await thread_of(page, patient.name)
        begun = now()
        accepted: dict[str, list[str]] = {name: [] for name in desks}
        faults = [chance.choice(_FAULTS) for _ in range(FAULTS)]
        for fault in faults:
            await _round(chance, fault, proxy, quick, desks, accepted)
            if chance.random() < 0.6:
                await badge_is(chance.choice(list(desks.values())), CONNECTED, within=60)
        for page in desks.values():
            await badge_is(page, CONNECTED, within=60)
            await expect(badge(page)).not_to_contain_text("na fila", timeout=PATIENCE_MS)
        took = now() - begun
        stored = stored_bodies(quick, conversation)
        for page in desks.values():
            last = messages(page).last.locator(".message-body")
            await expect(last).to_have_text(stored[-1], timeout=PATIENCE_MS)
            newest = await bodies(page)
            assert newest == stored[-len(newest) :]
            await _go_to_the_beginning(page)
            # A page never shows more than 300 at once, so the last one may have made way.
            oldest = await bodies(page)
            assert oldest == stored[: len(oldest)]
            assert len(newest) + len(oldest) >= len(stored)
    await channel.close()

    assert len(stored) == 1 + MESSAGES
    for name, written in accepted.items():
        assert len(written) == EACH
        assert [body for body in stored if body.startswith(name)] == written
    assert _client_ids(quick, conversation) == MESSAGES
    names = [fault.__name__.strip("_") for fault in faults]
    record_property(
        f"{MESSAGES} messages through {FAULTS} faults",
        f"{took:.0f} s; {', '.join(f'{names.count(name)} {name}' for name in sorted(set(names)))}",
    )


async def _round(
    chance: random.Random,
    fault: "Fault",
    proxy: Proxy,
    server: QuickServer,
    desks: dict[str, Page],
    accepted: dict[str, list[str]],
) -> None:
    """Everybody writes a few messages at once; somewhere among them the fault begins."""
    before_the_fault = chance.randrange(len(desks) * IN_A_ROUND)
    written = 0
    with ExitStack() as until_the_end:

        async def write(name: str) -> None:
            nonlocal written
            for _ in range(IN_A_ROUND):
                written += 1
                if written == before_the_fault + 1:
                    await fault(proxy, server, until_the_end)
                text = f"{name} {len(accepted[name]) + 1}"
                await answer(desks[name], text)
                # The composer takes it when it is empty again.
                await expect(composer(desks[name])).to_have_value("")
                accepted[name].append(text)

        await asyncio.gather(*(write(name) for name in desks))
    await proxy.accept()


async def _cut(proxy: Proxy, _server: QuickServer, _end: ExitStack) -> None:
    proxy.cut()


async def _cut_in_a_frame(proxy: Proxy, _server: QuickServer, _end: ExitStack) -> None:
    proxy.cut_mid_frame()


async def _refused(proxy: Proxy, _server: QuickServer, _end: ExitStack) -> None:
    await proxy.refuse()


async def _blackhole(proxy: Proxy, _server: QuickServer, end: ExitStack) -> None:
    end.enter_context(proxy.blackhole())


async def _killed(_proxy: Proxy, server: QuickServer, end: ExitStack) -> None:
    await asyncio.to_thread(server.kill)
    end.callback(server.start)


async def _restarted(_proxy: Proxy, server: QuickServer, _end: ExitStack) -> None:
    assert await asyncio.to_thread(server.stop) == 0
    await asyncio.to_thread(server.start)


Fault = Callable[[Proxy, QuickServer, ExitStack], "asyncio.Future[None]"]
_FAULTS: list[Callable[..., Any]] = [
    _cut,
    _cut_in_a_frame,
    _refused,
    _blackhole,
    _killed,
    _restarted,
]


async def _go_to_the_beginning(page: Page) -> None:
    # Its pages load by themselves when the top is in view, so there may be no button to click.
    first = messages(page).first
    while (seq := await first.get_attribute("data-seq")) != "1":
        await page.get_by_test_id("message-list").evaluate("(area) => { area.scrollTop = 0; }")
        await expect(first).not_to_have_attribute("data-seq", str(seq))


def _client_ids(server: QuickServer, conversation: str) -> int:
    with closing(sqlite3.connect(server.database)) as connection:
        (count,) = connection.execute(
            "SELECT count(DISTINCT client_id) FROM messages WHERE conversation_id = ?"
            " AND direction = 'outbound'",
            [conversation.replace("-", "")],
        ).fetchone()
        return int(count)
