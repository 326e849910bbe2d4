"""The person signed in is known from the connection, also while the page's own state is late."""

import re

from playwright.async_api import WebSocketRoute, expect

from tests.browser.conftest import Visit
from tests.support.browser.pages import messages, thread_of
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.long_conversation import fill
from tests.support.people import BRUNO
from tests.support.servers.server import Server

STATE_UPDATE = re.compile(r'^42/_event,\d*\["event"')


class Line:
    """What lies between a page and the server; it keeps back the updates of the page's state."""

    def __init__(self) -> None:
        self.kept: list[tuple[WebSocketRoute, str | bytes]] = []
        self.released = False

    async def connect(self, page: WebSocketRoute) -> None:
        """Take a connection of the page."""
        server = page.connect_to_server()

        def pass_back(told: str | bytes) -> None:
            if not self.released and isinstance(told, str) and STATE_UPDATE.match(told):
                self.kept.append((page, told))
            else:
                page.send(told)

        server.on_message(pass_back)

    def release(self) -> None:
        """Pass on what was kept."""
        self.released = True
        for page, told in self.kept:
            page.send(told)


async def test_the_first_unread_message_is_the_first(
    visit: Visit, channel: Channel, server: Server
) -> None:
    talk, line = await Talk.begin(channel), Line()
    fill(server, talk, 20)
    bruno = await visit(BRUNO, "/", fresh=True)
    await bruno.context.route_web_socket(re.compile("/_event"), line.connect)
    await bruno.goto(talk.path)
    await thread_of(bruno, talk.name)
    assert line.kept
    unread_line = bruno.get_by_test_id("unread-line")
    await expect(messages(bruno).first.locator(unread_line)).to_have_count(1)

    line.release()

    await expect(messages(bruno).first.locator(unread_line)).to_have_count(1)
