"""What each person has not read yet, the same on all of their screens."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.support.browser.attention import CAN_LOOK_AWAY, look_away, look_back
from tests.support.browser.pages import message, open_conversation, row
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.people import ANA, BRUNO
from tests.support.servers.fixtures import SitDown

TITLE = "Clínica Aurora"


async def test_only_what_the_patient_writes_is_unread(
    visit: Visit, channel: Channel, sit_down: SitDown
) -> None:
    talk = await Talk.begin(channel, 2)
    ana = await visit(ANA)
    await expect(_badge(ana, talk)).to_have_text("2 não lidas")
    bruno = await sit_down(BRUNO, talk.conversation_id)

    assert (await bruno.does("message:send", body="Bom dia", clientId=talk.name))["ok"]
    await expect(row(ana, talk.name)).to_contain_text("Bruno: Bom dia")
    await expect(_badge(ana, talk)).to_have_text("2 não lidas")
    await talk.goes_on("Oi")
    await expect(_badge(ana, talk)).to_have_text("3 não lidas")


async def test_reading_clears_it_on_my_screens_and_not_on_my_colleagues(
    visit: Visit, channel: Channel
) -> None:
    talk = await Talk.begin(channel, 3)
    ana, phone, bruno = [await visit(who) for who in (ANA, ANA, BRUNO)]
    tab = await ana.context.new_page()
    await tab.goto("/")
    for page in (ana, phone, tab, bruno):
        await expect(_badge(page, talk)).to_have_text("3 não lidas")
    unread = await _unread(phone)

    await open_conversation(ana, talk.name)

    for page in (ana, phone, tab):
        await expect(_badge(page, talk)).to_have_count(0)
        await _counts(page, unread - 1)
    await expect(_badge(bruno, talk)).to_have_text("3 não lidas")
    # Also what arrives while it is open and looked at, and while it is open on two screens.
    await open_conversation(phone, talk.name)
    await talk.goes_on("Mais uma coisa")
    await expect(message(phone, "Mais uma coisa")).to_be_visible()
    await expect(_badge(bruno, talk)).to_have_text("4 não lidas")
    for page in (ana, phone, tab):
        await expect(_badge(page, talk)).to_have_count(0)
        await _counts(page, unread - 1)


async def test_what_nobody_looks_at_stays_unread_until_they_do(
    visit: Visit, channel: Channel
) -> None:
    talk = await Talk.begin(channel)
    ana = await talk.opened_by(visit, ANA, script=CAN_LOOK_AWAY)
    phone = await visit(ANA)
    await expect(_badge(phone, talk)).to_have_count(0)

    await look_away(ana)
    await talk.goes_on("Alguém aí?")
    await expect(message(ana, "Alguém aí?")).to_be_visible()
    for page in (ana, phone):
        await expect(_badge(page, talk)).to_have_text("1 não lida")
    await look_back(ana)

    for page in (ana, phone):
        await expect(_badge(page, talk)).to_have_count(0)


async def test_the_tabs_title_and_icon_say_how_many_conversations_are_unread(
    visit: Visit, channel: Channel
) -> None:
    talk = await Talk.begin(channel)
    ana = await visit(ANA)
    unread = await _unread(ana)
    await expect(ana).to_have_title(_title(unread))
    # It is drawn from an image that has to load first.
    icon = ana.locator('link[rel="icon"]')
    await expect(icon).to_have_attribute("href", re.compile("^data:image/png"))

    other = await Talk.begin(channel)
    await expect(ana).to_have_title(_title(unread + 1))
    # A second message of the same patient makes no second conversation.
    await other.goes_on("Oi?")
    await expect(_badge(ana, other)).to_have_text("2 não lidas")
    await expect(ana).to_have_title(_title(unread + 1))
    for read in (other, talk):
        await open_conversation(ana, read.name)
    await expect(ana).to_have_title(_title(unread - 1))
    await expect(icon).to_have_count(1)


async def test_a_conversation_can_be_marked_unread_and_read_again(
    visit: Visit, channel: Channel
) -> None:
    talk = await Talk.begin(channel, 2)
    ana = await talk.opened_by(visit, ANA)
    phone = await visit(ANA)
    bruno = await talk.opened_by(visit, BRUNO)
    for page in (ana, phone, bruno):
        await expect(_badge(page, talk)).to_have_count(0)
    unread = await _unread(phone)

    await ana.get_by_test_id("status").click()
    await ana.get_by_role("menuitem", name="Marcar como não lida").click()

    for page in (ana, phone):
        await expect(_badge(page, talk)).to_have_text("1 não lida")
        await _counts(page, unread + 1)
    await expect(_badge(bruno, talk)).to_have_count(0)
    await open_conversation(ana, talk.name)
    for page in (ana, phone):
        await expect(_badge(page, talk)).to_have_count(0)
        await _counts(page, unread)


async def test_marked_unread_elsewhere_it_is_read_when_one_looks_again(
    visit: Visit, channel: Channel
) -> None:
    talk = await Talk.begin(channel)
    ana = await talk.opened_by(visit, ANA, script=CAN_LOOK_AWAY)
    phone = await visit(ANA)
    await expect(_badge(phone, talk)).to_have_count(0)
    unread = await _unread(phone)
    await look_away(ana)

    await open_conversation(phone, talk.name)
    await phone.get_by_test_id("status").click()
    await phone.get_by_role("menuitem", name="Marcar como não lida").click()
    await expect(_badge(ana, talk)).to_have_text("1 não lida")
    await look_back(ana)

    for page in (ana, phone):
        await expect(_badge(page, talk)).to_have_count(0)
        await _counts(page, unread)


async def test_the_unread_filter_follows(visit: Visit, channel: Channel) -> None:
    talk, other = await Talk.begin(channel), await Talk.begin(channel)
    ana, phone = [await visit(ANA) for _ in range(2)]
    await ana.get_by_test_id("filter-unread").click()
    for one in (talk, other):
        await expect(row(ana, one.name)).to_be_visible()
    await open_conversation(phone, other.name)
    await expect(row(ana, other.name)).to_have_count(0)

    # What one reads stays under the pointer until one opens another.
    await open_conversation(ana, talk.name)
    await expect(_badge(phone, talk)).to_have_count(0)
    await expect(row(ana, talk.name)).to_be_visible()
    late = await Talk.begin(channel)
    await open_conversation(ana, late.name)
    await expect(row(ana, talk.name)).to_have_count(0)

    await talk.goes_on("Oi")
    await expect(row(ana, talk.name)).to_be_visible()


@pytest.mark.parametrize("seq", [10**9, 2**61, -1, "1", None, True, 1.5])
async def test_marking_beyond_the_last_message_reads_what_is_there_and_no_more(
    channel: Channel, sit_down: SitDown, seq: object
) -> None:
    talk = await Talk.begin(channel, 2)
    ana = await sit_down(ANA, talk.conversation_id)

    answer = await ana.does("message:read", seq=seq)

    if isinstance(seq, int) and seq > 1:
        assert answer == {"ok": True, "inboundRead": 2}
    else:
        assert answer["error"]["code"] == "seq_invalid"
    await talk.goes_on("Oi")
    markers = await ana.wire.ask("markers:get", {"ids": [talk.conversation_id]})
    assert markers["markers"] == {talk.conversation_id: answer.get("inboundRead", 0)}


def _badge(page: Page, talk: Talk) -> Locator:
    """How much of a conversation is unread, as its row says."""
    return row(page, talk.name).get_by_test_id("unread-badge")


def _filter(page: Page) -> Locator:
    return page.get_by_test_id("filter-unread").get_by_test_id("filter-count")


async def _unread(page: Page) -> int:
    """How many conversations are unread."""
    return int(await _filter(page).inner_text())


async def _counts(page: Page, number: int) -> None:
    """Return when the filter and the tab's title say that so many are unread."""
    await expect(_filter(page)).to_have_text(str(number))
    await expect(page).to_have_title(_title(number))


def _title(number: int) -> re.Pattern[str]:
    """The tab's title with so many unread; other tests leave some of their own."""
    count = f"({number if number < 100 else '99+'}) " if number else ""
    # With a conversation open, also the patient's first name.
    return re.compile(f"^{re.escape(count)}(Pessoa · )?{TITLE}$")
