"""Behind a proxy that knows no websockets everything works, only a little later."""

import re
from collections.abc import Callable
from statistics import median

from playwright.async_api import expect

from clinic_chat.demo import DEMO_PASSWORD
from tests.browser.conftest import Visit
from tests.support.browser.arrivals import Arrivals
from tests.support.browser.badge import POLLING, badge_is
from tests.support.browser.page_errors import Complaints
from tests.support.browser.pages import (
    answer,
    bodies,
    composer,
    fill_in,
    message,
    messages,
    row,
    thread_of,
)
from tests.support.channel import Channel
from tests.support.network.bad_network_scene import NETWORK, stored_bodies
from tests.support.network.connect_attempts import RECORD_ATTEMPTS, attempts
from tests.support.network.proxy import Proxy, Upgrades
from tests.support.people import ANA, BRUNO, new_patient
from tests.support.servers.server import Server

HISTORY = 40
PAGE = 30
LIVE_MESSAGES = 15
TYPICAL_SECONDS = 1.0
NEVER_LATER_SECONDS = 5.0


async def test_a_working_day_without_websockets(
    visit: Visit,
    server: Server,
    channel: Channel,
    complaints: Complaints,
    record_property: Callable[[str, object], None],
) -> None:
    complaints.allow(NETWORK)
    patient = new_patient()
    history = [await channel.deliver(patient, f"Mensagem {number}") for number in range(HISTORY)]
    path = f"/c/{history[0].conversation_id}"
    bruno = await visit(BRUNO, path)
    async with Proxy(server.port) as proxy:
        proxy.upgrades = Upgrades.REFUSED

        # Signing in.
        ana = await visit(path=path, at=proxy, script=RECORD_ATTEMPTS)
        await expect(ana).to_have_url(re.compile("/login"))
        await fill_in(ana, ANA, DEMO_PASSWORD)
        await thread_of(ana, patient.name)
        await badge_is(ana, POLLING)

        # Reading, and loading what is earlier.
        await expect(messages(ana).last).to_contain_text(f"Mensagem {HISTORY - 1}")
        await ana.get_by_test_id("message-list").evaluate("(list) => (list.scrollTop = 0)")
        await expect(messages(ana)).to_have_count(HISTORY)
        assert await bodies(ana) == [one.body for one in history]

        # Receiving, as one writes to the other and as patients write.
        arrivals = await Arrivals.watch(ana)
        delivered = []
        for number in range(LIVE_MESSAGES):
            delivered.append(await channel.deliver(patient, f"Agora {number}"))
            await expect(message(bruno, f"Agora {number}")).to_be_attached()
        await expect(message(ana, f"Agora {LIVE_MESSAGES - 1}")).to_be_attached()
        seen = await arrivals.times()
        delays = [seen[one.body] - one.answered_at for one in delivered]
        await expect(row(ana, patient.name)).to_contain_text(f"Agora {LIVE_MESSAGES - 1}")

        # Typing, both ways.
        await composer(bruno).press_sequentially("Es")
        await expect(ana.get_by_test_id("typing-indicator")).to_contain_text("Bruno")
        await composer(ana).press_sequentially("Es")
        await expect(bruno.get_by_test_id("typing-indicator")).to_contain_text("Ana")
        await composer(bruno).fill("")

        # Sending.
        for number in range(3):
            await answer(ana, f"Resposta {number}")
        await expect(message(ana, "Resposta 2")).to_have_attribute("data-status", "sent")
        await expect(message(bruno, "Resposta 2")).to_be_visible()
        stored = stored_bodies(server, history[0].conversation_id)
        assert (await bodies(ana))[-len(stored) :] == stored
        assert stored[-3:] == ["Resposta 0", "Resposta 1", "Resposta 2"]

        # Two failures, and perhaps that of Reflex's warming up; then polling for good.
        tried = [attempt.transport for attempt in await attempts(ana)]
        assert tried[-1] == "polling"
        assert tried[:-1] in (["websocket"] * 2, ["websocket"] * 3)
        await ana.reload()
        await badge_is(ana, POLLING)
        await thread_of(ana, patient.name)
        assert [attempt.transport for attempt in await attempts(ana)] == ["polling"]

    assert median(delays) < TYPICAL_SECONDS
    assert max(delays) < NEVER_LATER_SECONDS
    record_property(
        "by long-polling, from the HTTP answer to the row",
        f"median {1000 * median(delays):.0f} ms, worst {1000 * max(delays):.0f} ms",
    )
