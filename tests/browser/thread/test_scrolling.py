"""What one reads stays where it is; at the bottom the newest message stays in view."""

from datetime import timedelta

import pytest_asyncio
from playwright.async_api import Locator, Page, ViewportSize, expect

from tests.browser.conftest import Visit
from tests.support.browser.pages import answer, message, messages, open_conversation, row, thread_of
from tests.support.browser.scroll_position import (
    AREA,
    STILL_PX,
    is_at_bottom,
    moved,
    scroll_as_the_beginning_grows,
    scroll_to,
    watch_place,
)
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.long_conversation import fill
from tests.support.people import ANA, BRUNO
from tests.support.servers.server import Server

TALL = "\n".join(["Uma linha"] * 30)
SMALL_SCREEN: ViewportSize = {"width": 700, "height": 420}
LEAVE_A_MOVING_BOTTOM = """
(area) => new Promise((done) => {
  const element = document.querySelector(area);
  const added = document.createElement("div");
  added.style.height = "600px";
  element.firstElementChild.append(added);
  new ResizeObserver((_, sizes) => {
    sizes.disconnect();
    element.scrollTop -= 100;
    const place = element.scrollTop;
    requestAnimationFrame(() => requestAnimationFrame(() => done(element.scrollTop - place)));
  }).observe(element.firstElementChild);
})
"""
LARGE_TEXT = ".message-body { font-size: 22px !important; line-height: 1.9 !important; }"


@pytest_asyncio.fixture(loop_scope="session")
async def talk(channel: Channel, server: Server) -> Talk:
    """A conversation of a few screens' length."""
    talk = await Talk.begin(channel)
    fill(server, talk, 30)
    return talk


async def test_at_the_bottom_it_stays_at_the_bottom(visit: Visit, talk: Talk) -> None:
    ana = await talk.opened_by(visit, ANA)
    await is_at_bottom(ana)

    for text in ("Oi", TALL, "Tchau"):
        await talk.goes_on(text)
        await expect(messages(ana).last).to_contain_text(text.split("\n")[0])
        await is_at_bottom(ana)
    # Also when the letters, the window or the keyboard of a phone change what fits.
    await ana.add_style_tag(content=LARGE_TEXT)
    await is_at_bottom(ana)
    await ana.set_viewport_size(SMALL_SCREEN)
    await is_at_bottom(ana)
    await expect(message(ana, "Tchau")).to_be_in_viewport()


async def test_what_comes_before_a_scroll_is_told_of_does_not_leave_the_bottom(
    visit: Visit, talk: Talk
) -> None:
    ana = await talk.opened_by(visit, ANA)
    await scroll_to(ana, -20)

    # A burst of messages does this: one is added before the event of the scroll to the last.
    await ana.evaluate(
        """(area) => {
          const element = document.querySelector(area);
          element.scrollTop = element.scrollHeight;
          const added = document.createElement("div");
          added.style.height = "300px";
          element.firstElementChild.append(added);
        }""",
        AREA,
    )

    await is_at_bottom(ana)


async def test_what_is_added_above_before_a_scroll_is_told_of_moves_nothing(
    visit: Visit, talk: Talk
) -> None:
    ana = await talk.opened_by(visit, ANA)
    # A turning wheel does this: an earlier page comes between two of its steps.
    for before, growth in ((600, 500), (900, 300), (-300, 500)):
        await scroll_to(ana, before)
        await scroll_as_the_beginning_grows(ana, 300, growth)
        assert await _settled(ana) <= STILL_PX


async def test_leaving_the_bottom_as_it_moves_is_the_readers(visit: Visit, talk: Talk) -> None:
    ana = await talk.opened_by(visit, ANA)
    await is_at_bottom(ana)

    # What came has been scrolled to, and the event of that is still to come.
    assert await ana.evaluate(LEAVE_A_MOVING_BOTTOM, AREA) == 0


async def test_further_up_nothing_moves_and_the_pill_counts_what_is_new(
    visit: Visit, talk: Talk, channel: Channel
) -> None:
    ana = await talk.opened_by(visit, ANA)
    pill = ana.get_by_test_id("jump-to-latest")
    await scroll_to(ana, 300)
    await expect(pill).to_have_text("Mensagens mais recentes")
    await watch_place(ana)

    for number, label in ((1, "1 mensagem nova"), (2, "2 mensagens novas")):
        await talk.goes_on(TALL)
        await expect(pill).to_have_attribute("data-new", str(number))
        await expect(pill).to_have_text(label)
    # A new conversation is no reason either (chatwoot #5107).
    other = await Talk.begin(channel)
    await expect(row(ana, other.name)).to_be_visible()
    assert await moved(ana) <= STILL_PX

    await talk.goes_on("A última")
    await expect(pill).to_have_attribute("data-new", "3")
    await pill.click()
    await expect(message(ana, "A última")).to_be_in_viewport()
    await is_at_bottom(ana)


async def test_late_layout_does_not_move_what_one_reads(visit: Visit, talk: Talk) -> None:
    ana = await talk.opened_by(visit, ANA)
    await scroll_to(ana, 400)
    await watch_place(ana)

    await ana.add_style_tag(content=LARGE_TEXT)
    assert await _settled(ana) <= STILL_PX
    await ana.set_viewport_size(SMALL_SCREEN)
    assert await _settled(ana) <= STILL_PX


async def test_sending_goes_to_the_bottom(visit: Visit, talk: Talk) -> None:
    ana = await talk.opened_by(visit, ANA)
    await scroll_to(ana, 100)
    await expect(ana.get_by_test_id("jump-to-latest")).to_be_visible()

    await answer(ana, "Já vejo")

    await expect(message(ana, "Já vejo")).to_be_in_viewport()
    await is_at_bottom(ana)


async def test_a_line_marks_the_first_unread_message_on_opening(
    visit: Visit, channel: Channel
) -> None:
    talk, other = await Talk.begin(channel, 2), await Talk.begin(channel)
    bruno = await talk.opened_by(visit, BRUNO)
    await expect(row(bruno, talk.name).get_by_test_id("unread-badge")).to_have_count(0)
    await open_conversation(bruno, other.name)
    for number in (3, 4):
        await talk.goes_on(f"Mensagem {number}")
    await expect(row(bruno, talk.name).get_by_test_id("unread-badge")).to_have_text("2 não lidas")

    await open_conversation(bruno, talk.name)
    await expect(_line(bruno)).to_have_count(1)
    await expect(message(bruno, "Mensagem 3").locator(_line(bruno))).to_have_count(1)
    # It stays where it was when the conversation was opened.
    await talk.goes_on("Mensagem 5")
    await expect(message(bruno, "Mensagem 5")).to_be_visible()
    await expect(message(bruno, "Mensagem 3").locator(_line(bruno))).to_have_count(1)
    await expect(row(bruno, talk.name).get_by_test_id("unread-badge")).to_have_count(0)

    await open_conversation(bruno, other.name)
    await open_conversation(bruno, talk.name)
    await expect(_line(bruno)).to_have_count(0)


async def test_the_line_is_only_where_the_first_unread_message_is(
    visit: Visit, channel: Channel, server: Server
) -> None:
    talk = await Talk.begin(channel)
    fill(server, talk, 50)
    bruno = await talk.opened_by(visit, BRUNO)
    assert await _line(bruno).count() == 0

    await bruno.get_by_test_id("load-more").dispatch_event("click")

    await expect(messages(bruno)).to_have_count(50)
    await expect(messages(bruno).first.locator(_line(bruno))).to_have_count(1)


async def test_days_have_a_line_and_an_author_is_named_once_in_a_row(
    visit: Visit, channel: Channel, server: Server
) -> None:
    talk = await Talk.begin(channel)
    fill(server, talk, 3, apart=timedelta(days=1))
    ana = await talk.opened_by(visit, ANA)
    days = ana.locator(".message-day")
    await expect(days).to_have_count(3)
    names = await days.all_inner_texts()
    assert [name.lower() for name in names[1:]] == ["ontem", "hoje"]
    assert ", " in names[0]

    for text in ("Um", "Dois"):
        await answer(ana, text)
        await expect(message(ana, text)).to_have_attribute("data-status", "sent")
    await talk.goes_on("Três")
    await talk.goes_on("Quatro")
    await expect(message(ana, "Quatro")).to_be_visible()

    starts = {
        text: await message(ana, text).get_attribute("data-starts")
        for text in ("Um", "Dois", "Três", "Quatro")
    }
    # Ana wrote the one before as well, a moment ago.
    assert starts == {"Um": "false", "Dois": "false", "Três": "true", "Quatro": "false"}
    await expect(days).to_have_count(3)
    await ana.reload()
    await thread_of(ana, talk.name)
    await expect(message(ana, "Três")).to_have_attribute("data-starts", "true")


def _line(page: Page) -> Locator:
    return page.get_by_test_id("unread-line")


async def _settled(page: Page) -> float:
    """How far the place has moved when the frame that shows a change was painted."""
    await page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    return await moved(page)
