"""Conversations that were open show from the page's memory, for whom they were open."""

from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
from tests.support.browser.page_errors import Complaints
from tests.support.browser.pages import answer, composer, message, messages, open_conversation, row
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.network.outage import CUT, KEEP_SOCKETS, REFUSED, go_offline, go_online
from tests.support.people import ANA

WATCH_SKELETONS = """
() => {
  window.skeletons = 0;
  const look = () => {
    window.skeletons += document.querySelectorAll(".thread-skeleton").length;
    requestAnimationFrame(look);
  };
  new MutationObserver(() => {
    window.skeletons += document.querySelectorAll(".thread-skeleton").length;
  }).observe(document.body, {childList: true, subtree: true});
  look();
}
"""


async def test_going_back_to_a_conversation_shows_it_at_once(
    visit: Visit, channel: Channel
) -> None:
    one, other = await Talk.begin(channel, 3), await Talk.begin(channel, 2)
    ana = await one.opened_by(visit, ANA)
    await open_conversation(ana, other.name)
    await expect(messages(ana)).to_have_count(2)
    await ana.evaluate(WATCH_SKELETONS)

    for talk, count in ((one, 3), (other, 2), (one, 3)):
        await row(ana, talk.name).click()
        await expect(ana.locator(".thread-header")).to_contain_text(talk.name)
        await expect(messages(ana)).to_have_count(count)
    assert await ana.evaluate("window.skeletons") == 0
    # It is live, not a picture.
    await one.goes_on("Ainda aí?")
    await expect(message(ana, "Ainda aí?")).to_be_visible()


async def test_without_a_connection_what_was_open_shows_and_the_rest_says_why_not(
    visit: Visit, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(CUT)
    complaints.allow(REFUSED)
    complaints.allow("WebSocket is closed")
    one, other, never = [await Talk.begin(channel, number) for number in (3, 2, 1)]
    ana = await one.opened_by(visit, ANA, script=KEEP_SOCKETS)
    await open_conversation(ana, other.name)
    await go_offline(ana)
    await expect(ana.get_by_test_id("connection-badge")).to_have_attribute("data-status", "offline")

    await row(ana, one.name).click()
    await _shows(ana, one, 3)
    await answer(ana, "Escrito sem internet")
    await row(ana, never.name).click()
    await expect(ana.locator(".thread-pane")).to_contain_text("Sem internet: abre quando voltar.")
    await expect(ana.locator(".thread-header")).to_contain_text(never.name)
    await expect(ana.locator(".patient-panel")).to_contain_text(never.name)
    await expect(composer(ana)).to_have_count(0)
    await row(ana, other.name).click()
    await _shows(ana, other, 2)
    await row(ana, never.name).click()

    await go_online(ana)
    await expect(message(ana, "Mensagem 1")).to_be_visible()
    await row(ana, one.name).click()
    await _shows(ana, one, 4)
    await expect(message(ana, "Escrito sem internet")).to_have_attribute("data-status", "sent")


async def _shows(page: Page, talk: Talk, count: int) -> None:
    await expect(page.locator(".thread-header")).to_contain_text(talk.name)
    await expect(messages(page)).to_have_count(count)
    await expect(page.get_by_test_id("composer")).to_be_visible()
