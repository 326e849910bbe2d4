"""A restart of the server, as everybody with an open tab sees it."""

import asyncio
from collections.abc import Callable

from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.support.browser.badge import LIVE, WAITING, badge, badge_is, now, told, told_in_time
from tests.support.browser.page_errors import Complaints
from tests.support.browser.pages import message
from tests.support.channel import Channel
from tests.support.network.bad_network_scene import NETWORK, Scene
from tests.support.network.connect_attempts import attempts
from tests.support.network.proxy import Proxy
from tests.support.servers.restartable_server import QuickServer

BACK_SECONDS = 2.0


async def test_a_killed_server_is_found_again_within_two_seconds_of_the_attempt(
    visit: Visit,
    quick: QuickServer,
    complaints: Complaints,
    record_property: Callable[[str, object], None],
) -> None:
    complaints.allow(NETWORK)
    channel = Channel(quick)
    async with Proxy(quick.port) as proxy:
        scene = await Scene.open(visit, proxy, quick, channel)
        await scene.talk()
        killed = now()
        await proxy.refuse()
        quick.kill()
        seen = await told_in_time(scene.ana, WAITING, killed)
        text = await scene.ana_writes()
        await expect(message(scene.ana, text)).to_have_attribute("data-status", "waiting")
        # The first attempt fails; the server is back before the next.
        await expect(badge(scene.ana)).to_contain_text("Reconectando em 2 s")
        quick.start()
        await proxy.accept()
        accepts = now()
        made = len(await attempts(scene.ana))
        await badge_is(scene.ana, LIVE)
        live_at = await told(scene.ana, LIVE, killed) + killed
        due = max(accepts, (await attempts(scene.ana))[made].at)
        took = live_at - due
        assert took < BACK_SECONDS
        await expect(message(scene.ana, text)).to_have_attribute("data-status", "sent")
        await scene.others_write()
        await scene.agree()
    await channel.close()
    record_property("killed server: the badge says so after", f"{seen:.2f} s")
    record_property("killed server: live again after the attempt that was due", f"{took:.2f} s")


async def test_a_stopped_server_says_why_it_goes_and_nobody_has_to_do_anything(
    visit: Visit, quick: QuickServer, complaints: Complaints
) -> None:
    complaints.allow(NETWORK)
    channel = Channel(quick)
    async with Proxy(quick.port) as proxy:
        scene = await Scene.open(visit, proxy, quick, channel)
        await scene.talk()
        # Said until the next attempt, which comes while the server ends.
        code, *_ = await asyncio.gather(
            asyncio.to_thread(quick.stop),
            *(
                expect(badge(page)).to_contain_text("Servidor reiniciando")
                for page in (scene.ana, scene.bruno)
            ),
        )
        assert code == 0
        quick.start()
        for page in (scene.ana, scene.bruno):
            await badge_is(page, LIVE)
        await scene.talk()
        await scene.agree()
    await channel.close()
