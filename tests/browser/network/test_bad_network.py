"""Each way a network fails: the badge tells the truth, and nothing is lost, doubled or moved."""

from collections.abc import Callable

from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
from tests.support.browser.badge import (
    LIVE,
    LOST,
    POLLING,
    STALE,
    WAITING,
    badge,
    badge_is,
    now,
    synced,
    told,
    told_in_time,
)
from tests.support.browser.page_errors import Complaints
from tests.support.browser.pages import live, message, thread_of
from tests.support.channel import Channel
from tests.support.network.bad_network_scene import NETWORK, Scene
from tests.support.network.connect_attempts import attempts
from tests.support.network.proxy import Proxy, Upgrades
from tests.support.servers.server import Server

BLACKHOLE_SECONDS = 30
NOTICED_SECONDS = 15
LATENCY = 2.0

Report = Callable[[str, object], None]


async def test_a_connection_cut_in_the_middle_of_a_frame(
    visit: Visit,
    server: Server,
    channel: Channel,
    complaints: Complaints,
    record_property: Report,
) -> None:
    complaints.allow(NETWORK)
    async with Proxy(server.port) as proxy:
        scene = await Scene.open(visit, proxy, server, channel)
        await synced(scene.ana)
        seen = []
        for _ in range(2):
            proxy.cut_mid_frame()
            cut = now()
            await scene.talk()
            seen.append(await told_in_time(scene.ana, WAITING, cut))
            await scene.talk()
            await badge_is(scene.ana, LIVE)
        await scene.agree()
    record_property("cut in a frame: the badge says so after", f"{max(seen):.2f} s")


async def test_websockets_refused_and_allowed_again(
    visit: Visit,
    server: Server,
    channel: Channel,
    complaints: Complaints,
    record_property: Report,
) -> None:
    complaints.allow(NETWORK)
    async with Proxy(server.port) as proxy:
        scene = await Scene.open(visit, proxy, server, channel)
        await synced(scene.ana)
        await _drive_clock(scene.ana)
        await synced(scene.ana)
        proxy.upgrades = Upgrades.REFUSED
        proxy.cut()
        cut = now()
        seen = await told_in_time(scene.ana, WAITING, cut)
        await scene.talk()

        # After 1 and 2 seconds by websocket, after 4 by long-polling.
        while not await _is(scene.ana, POLLING):
            await scene.ana.clock.run_for(500)
        tried = [attempt.transport for attempt in await attempts(scene.ana)]
        assert tried == ["websocket", "websocket", "websocket", "polling"]
        await scene.talk()
        await scene.agree()

        proxy.upgrades = Upgrades.PASS
        begun = await _clock(scene.ana)
        while not await _is(scene.ana, LIVE):
            await scene.ana.clock.run_for(1000)
            # Messages go back and forth all through the change.
            await scene.talk()
        took = await _clock(scene.ana) - begun
        await scene.agree()
    assert took <= 30 + 5
    record_property("websockets refused: the badge says so after", f"{seen:.2f} s")
    record_property("websockets allowed again: used after", f"{took:.0f} s of the page's clock")


async def test_upgrades_that_hang(
    visit: Visit, server: Server, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(NETWORK)
    async with Proxy(server.port) as proxy:
        scene = await Scene.open(visit, proxy, server, channel)
        await synced(scene.ana)
        await _drive_clock(scene.ana)
        await synced(scene.ana)
        proxy.upgrades = Upgrades.HANGING
        proxy.cut()
        cut = now()
        await told_in_time(scene.ana, WAITING, cut)
        await scene.talk()

        while (status := await badge(scene.ana).get_attribute("data-status")) != POLLING:
            assert status == WAITING
            await scene.ana.clock.run_for(500)
        assert [attempt.transport for attempt in await attempts(scene.ana)][-1] == "polling"
        await scene.talk()
        await scene.agree()


async def test_a_blackhole_of_30_seconds(
    visit: Visit,
    server: Server,
    channel: Channel,
    complaints: Complaints,
    record_property: Report,
) -> None:
    complaints.allow(NETWORK)
    async with Proxy(server.port) as proxy, Proxy(server.port) as without_websockets:
        scene = await Scene.open(visit, proxy, server, channel)
        without_websockets.upgrades = Upgrades.REFUSED
        polling = await _polling_twin(scene, without_websockets)
        await synced(scene.ana)
        begun = now()
        with proxy.blackhole(), without_websockets.blackhole():
            await scene.talk()
            for page in (scene.ana, polling):
                # Nothing arrives, so nothing can be known before an answer is overdue.
                await badge_is(page, LOST, within=NOTICED_SECONDS)
            await scene.talk()
            await scene.bruno.wait_for_function(
                "(until) => Date.now() / 1000 >= until",
                arg=begun + BLACKHOLE_SECONDS,
                timeout=2000 * BLACKHOLE_SECONDS,
            )
        ended = now()
        await badge_is(scene.ana, LIVE, within=15)
        back = await told(scene.ana, LIVE, ended)
        await scene.agree()
        await expect(message(polling, f"Ana {scene.rounds}")).to_be_visible()
    noticed = await told(scene.ana, WAITING, begun)
    record_property("blackhole: noticed after", f"{noticed:.1f} s; live again after {back:.1f} s")


async def test_two_seconds_of_latency(
    visit: Visit,
    server: Server,
    channel: Channel,
    complaints: Complaints,
    record_property: Report,
) -> None:
    async with Proxy(server.port) as proxy:
        scene = await Scene.open(visit, proxy, server, channel)
        await synced(scene.ana)
        made = len(await attempts(scene.ana))
        proxy.latency = LATENCY
        await scene.talk()
        await scene.agree()
        # Slow is not lost: after the next proof of freshness it is still the same connection.
        await _next_proof(scene.ana)
        assert len(await attempts(scene.ana)) == made
        assert not await scene.ana.evaluate(
            "() => badgeLog.some(({status}) => status === 'waiting')"
        )
        proxy.cut()
        cut = now()
        await told_in_time(scene.ana, WAITING, cut)
        await scene.talk()
        await badge_is(scene.ana, LIVE, within=20)
        back = await told(scene.ana, LIVE, cut)
        await scene.agree()
    record_property("cut with 2 s of latency each way: live again after", f"{back:.1f} s")


async def test_patches_that_stop_while_pings_still_work(
    visit: Visit,
    server: Server,
    channel: Channel,
    complaints: Complaints,
    record_property: Report,
) -> None:
    complaints.allow(NETWORK)
    async with Proxy(server.port) as proxy:
        scene = await Scene.open(visit, proxy, server, channel)
        await synced(scene.ana)
        proxy.dropped = '"feed"'
        begun = now()
        await scene.talk()
        await badge_is(scene.ana, STALE, within=NOTICED_SECONDS)
        noticed = await told(scene.ana, STALE, begun)
        await expect(message(scene.ana, "Paciente 1")).to_have_count(0)
        proxy.dropped = ""
        await badge_is(scene.ana, LIVE)
        await scene.agree()
        assert await told(scene.ana, LIVE, begun) - noticed < NOTICED_SECONDS
    record_property("patches stop: the badge says so after", f"{noticed:.1f} s")


async def test_one_lost_patch_is_noticed_and_asked_for_without_a_new_connection(
    visit: Visit, server: Server, channel: Channel, complaints: Complaints
) -> None:
    async with Proxy(server.port) as proxy:
        scene = await Scene.open(visit, proxy, server, channel)
        await synced(scene.ana)
        made = len(await attempts(scene.ana))
        proxy.dropped = "Paciente 1"
        await scene.talk()
        proxy.dropped = ""
        await scene.talk()
        await scene.agree()
        assert len(await attempts(scene.ana)) == made


async def _drive_clock(page: Page) -> None:
    """Load the page again with a clock that the test can move on."""
    await page.clock.install()
    await page.reload()
    await live(page)


async def _clock(page: Page) -> float:
    seconds: float = await page.evaluate("() => Date.now() / 1000")
    return seconds


async def _is(page: Page, status: str) -> bool:
    badge = page.get_by_test_id("connection-badge")
    return await badge.get_attribute("data-status") == status


async def _polling_twin(scene: Scene, proxy: Proxy) -> Page:
    """Ana's second window, behind a proxy without websockets."""
    page = await scene.ana.context.new_page()
    await page.goto(f"{proxy.origin}/c/{scene.conversation_id}")
    await badge_is(page, POLLING)
    await thread_of(page, scene.patient.name)
    return page


async def _next_proof(page: Page) -> None:
    await page.evaluate(
        """() => new Promise((resolve) => {
          const badge = document.querySelector("[data-testid=connection-badge]");
          new MutationObserver(() => resolve()).observe(badge, {
            attributes: true, attributeFilter: ["data-synced-at"],
          });
        })"""
    )
