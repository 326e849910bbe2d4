"""A conversation opens at the first unread message, and only what was in view is read."""

import re

from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.support.browser.pages import message, messages, open_conversation, row
from tests.support.browser.scroll_position import is_at_bottom, scroll_to
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.long_conversation import body_of, fill
from tests.support.people import ANA, BRUNO
from tests.support.servers.server import Server

UNREAD = 25
TOP_SHARE = 0.4


async def test_many_unread_open_at_the_first_and_are_read_as_they_are_shown(
    visit: Visit, channel: Channel
) -> None:
    talk, other = await Talk.begin(channel, UNREAD), await Talk.begin(channel)
    ana = await visit(ANA, other.path)
    await expect(_badge(ana, talk)).to_have_text(f"{UNREAD} não lidas")

    await open_conversation(ana, talk.name)
    line = ana.get_by_test_id("unread-line")
    await expect(line).to_be_in_viewport()
    height, box = await ana.evaluate("innerHeight"), await line.bounding_box()
    assert box is not None
    assert box["y"] < TOP_SHARE * height
    pill = ana.get_by_test_id("jump-to-latest")
    below = int(await pill.get_attribute("data-new") or 0)
    assert 0 < below < UNREAD
    # The badge says the same as the pill: nobody has seen those.
    await expect(_badge(ana, talk)).to_have_text(f"{below} não lidas")

    await scroll_to(ana, -200)
    await expect(_badge(ana, talk)).not_to_have_text(f"{below} não lidas")
    await pill.click()
    await is_at_bottom(ana)
    await expect(_badge(ana, talk)).to_have_count(0)


async def test_few_unread_show_at_the_bottom_and_are_read(visit: Visit, channel: Channel) -> None:
    talk = await Talk.begin(channel, 3)
    ana = await talk.opened_by(visit, ANA)
    await is_at_bottom(ana)
    await expect(message(ana, "Mensagem 1")).to_be_in_viewport()
    await expect(_badge(ana, talk)).to_have_count(0)


async def test_what_comes_while_one_reads_further_up_is_not_read_yet(
    visit: Visit, channel: Channel, server: Server
) -> None:
    talk = await Talk.begin(channel)
    fill(server, talk, 30)
    ana = await talk.opened_by(visit, ANA)
    await expect(_badge(ana, talk)).to_have_count(0)
    await scroll_to(ana, 200)
    await talk.goes_on("Mais uma coisa")
    await expect(_badge(ana, talk)).to_have_text(re.compile("^1 não lidas?$"))
    await scroll_to(ana, -1)
    await expect(_badge(ana, talk)).to_have_count(0)


async def test_more_unread_than_are_loaded_have_a_pill_that_leads_to_the_first(
    visit: Visit, channel: Channel, server: Server
) -> None:
    talk = await Talk.begin(channel)
    fill(server, talk, 60)
    bruno = await talk.opened_by(visit, BRUNO)
    await expect(messages(bruno).last).to_be_in_viewport()
    pill = bruno.get_by_test_id("jump-to-unread")
    await expect(pill).to_have_text("40 mensagens novas")
    await expect(_badge(bruno, talk)).to_have_text("40 não lidas")

    await pill.click()
    await expect(bruno.get_by_test_id("unread-line")).to_be_in_viewport()
    await expect(message(bruno, body_of(1))).to_be_in_viewport()
    await expect(pill).to_have_count(0)


def _badge(page: Page, talk: Talk) -> Locator:
    return row(page, talk.name).get_by_test_id("unread-badge")
