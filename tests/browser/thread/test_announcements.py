"""What a screen reader is told of the open conversation: what arrives, and not what is loaded."""

from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.support.browser.pages import answer, messages
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.long_conversation import fill
from tests.support.people import ANA, BRUNO
from tests.support.servers.server import Server

_WATCH_LIVE_REGIONS = """
() => {
  const regions = document.querySelectorAll(
    ".message-list-view :is([role=log], [role=status], [role=alert], [aria-live=polite])",
  );
  window.announced = [];
  for (const region of regions) {
    new MutationObserver((changes) => {
      for (const {addedNodes} of changes) {
        for (const node of addedNodes) window.announced.push(node.textContent);
      }
    }).observe(region, {childList: true, subtree: true});
  }
  return regions.length;
}
"""


async def test_a_colleagues_answer_is_announced_and_ones_own_is_not(
    visit: Visit, channel: Channel
) -> None:
    talk = await Talk.begin(channel)
    ana = await talk.opened_by(visit, ANA)
    bruno = await talk.opened_by(visit, BRUNO)

    await answer(ana, "Da Ana")
    await answer(bruno, "Do Bruno")

    log = ana.get_by_role("log")
    await expect(log).to_contain_text("Do Bruno")
    await expect(log.locator("p")).to_have_count(1)
    await expect(log).not_to_contain_text("Mensagem 1")


async def test_loading_earlier_messages_is_announced_once(
    visit: Visit, channel: Channel, server: Server
) -> None:
    talk = await Talk.begin(channel)
    fill(server, talk, 75)
    page = await talk.opened_by(visit, ANA)
    await expect(page.get_by_test_id("announcements").locator("p")).to_have_count(0)
    live_regions = await page.evaluate(_WATCH_LIVE_REGIONS)
    assert live_regions > 0

    await page.get_by_test_id("load-more").dispatch_event("click")
    await expect(messages(page)).to_have_count(60)

    log = page.get_by_role("log", name="Mensagens")
    await expect(log).to_have_text("30 mensagens anteriores carregadas")
    assert await page.evaluate("() => window.announced") == ["30 mensagens anteriores carregadas"]
