"""A tab that was open while the server became a newer release."""

import re

from playwright.async_api import WebSocketRoute, expect

from tests.browser.conftest import Visit
from tests.support.browser.badge import LIVE, WAITING, badge_is
from tests.support.browser.page_errors import Complaints
from tests.support.browser.pages import answer, composer, live, message
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.network.outage import REFUSED
from tests.support.people import ANA

SCHEMA = re.compile(r'("state_schema":")[^"]+')
WRITTEN = "Escrito enquanto o servidor mudava"
DRAFT = "E ainda não terminei"


class Line:
    """What lies between a page and the server."""

    def __init__(self) -> None:
        self.down = False
        self.older = False
        """Whether the next connection is an older release's."""
        self.open: list[WebSocketRoute] = []

    async def connect(self, page: WebSocketRoute) -> None:
        """Take a connection of the page."""
        if self.down:
            await page.close()
            return
        server = page.connect_to_server()
        self.open.append(page)

        def pass_on(said: str | bytes) -> None:
            if self.older and isinstance(said, str) and SCHEMA.search(said):
                self.older = False
                said = SCHEMA.sub(r"\1of-the-release-before", said)
            server.send(said)

        page.on_message(pass_on)

    async def cut(self) -> None:
        """End what is open, and let nothing connect."""
        self.down = True
        for page in self.open:
            await page.close()
        self.open.clear()


async def test_it_loads_the_newer_one_and_keeps_the_draft_and_what_waits(
    visit: Visit, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(REFUSED)
    talk, line = await Talk.begin(channel), Line()
    ana = await visit(ANA, talk.path, fresh=True)
    await ana.context.route_web_socket(re.compile("/_event"), line.connect)
    await ana.reload()
    await live(ana)
    await ana.evaluate("() => { window.beforeTheUpgrade = true; }")

    await line.cut()
    await badge_is(ana, WAITING)
    await answer(ana, WRITTEN)
    await expect(message(ana, WRITTEN)).to_have_attribute("data-status", "waiting")
    await composer(ana).press_sequentially(DRAFT)
    line.down, line.older = False, True
    async with ana.expect_event("load"):
        await ana.evaluate("() => window.dispatchEvent(new Event('online'))")

    await badge_is(ana, LIVE)
    assert await ana.evaluate("() => window.beforeTheUpgrade") is None
    await expect(message(ana, WRITTEN)).to_have_attribute("data-status", "sent")
    await expect(message(ana, WRITTEN)).to_have_count(1)
    await expect(composer(ana)).to_have_value(DRAFT)
