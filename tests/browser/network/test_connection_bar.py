"""The bar that says on every screen that the connection is not live."""

import re

from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.support.browser.badge import LIVE, WAITING, badge_is
from tests.support.browser.page_errors import Complaints
from tests.support.browser.pages import PHONE, answer, composer, message
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.network.outage import CUT, KEEP_SOCKETS, REFUSED, go_offline, go_online
from tests.support.network.proxy import Proxy
from tests.support.people import ANA
from tests.support.servers.server import Server

# Everything that the live regions say.
LISTEN = """
(() => {
  window.said = [];
  const look = () => {
    for (const region of document.querySelectorAll(".connection-bar [role=status]")) {
      const text = region.checkVisibility() ? region.textContent : "";
      if (text && text !== window.said.at(-1)) window.said.push(text);
    }
  };
  new MutationObserver(look).observe(document, {
    attributes: true, childList: true, subtree: true, characterData: true,
  });
})();
"""
# Where everything is that somebody may aim at.
PLACES = """
() => [
  ...document.querySelectorAll(".thread-header *, .message, .composer *, .conversation-row-link"),
]
  .filter((element) => element.checkVisibility())
  .map((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return [element.className, x, y, width, height].join(" ");
  })
"""


async def test_it_lies_over_every_screen_and_moves_nothing(
    visit: Visit, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(CUT)
    complaints.allow(REFUSED)
    talk = await Talk.begin(channel, 3)
    for text, options in (("Do celular", PHONE), ("Do computador", {})):
        page = await talk.opened_by(visit, ANA, script=KEEP_SOCKETS, **options)
        await expect(_bar(page)).to_have_count(0)
        before = await page.evaluate(PLACES)

        await go_offline(page)

        await expect(_bar(page)).to_contain_text("Sem internet")
        await expect(_bar(page)).to_be_in_viewport(ratio=1)
        assert await page.evaluate(PLACES) == before
        await answer(page, text)
        await expect(_bar(page)).to_contain_text("1 mensagem na fila")

        await go_online(page)
        await expect(_bar(page)).to_have_count(0)
        await expect(message(page, text)).to_have_attribute("data-status", "sent")
        await page.context.close()


async def test_a_phones_list_has_it_too(visit: Visit, complaints: Complaints) -> None:
    complaints.allow(CUT)
    complaints.allow(REFUSED)
    page = await visit(ANA, script=KEEP_SOCKETS, **PHONE)
    before = await page.evaluate(PLACES)

    await go_offline(page)

    await expect(_bar(page)).to_be_in_viewport(ratio=1)
    assert await page.evaluate(PLACES) == before


async def test_it_counts_down_tries_when_told_and_is_read_out_once(
    visit: Visit, server: Server, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(REFUSED)
    talk = await Talk.begin(channel)
    async with Proxy(server.port) as proxy:
        page = await talk.opened_by(visit, ANA, at=proxy, script=LISTEN, **PHONE)
        await proxy.refuse()
        proxy.cut()

        await badge_is(page, WAITING)
        await expect(_bar(page)).to_contain_text(re.compile("Sem conexão.*tentando em [2-4] s"))
        await proxy.accept()
        await _bar(page).get_by_role("button", name="Tentar agora").tap()

        await badge_is(page, LIVE)
        await expect(_bar(page)).to_have_count(0)
        said = await page.evaluate("() => window.said")
    assert said == ["Conectando…", "Ao vivo", "Sem conexão", "Ao vivo"]


async def test_a_send_that_goes_well_moves_nothing(visit: Visit, channel: Channel) -> None:
    talk = await Talk.begin(channel)
    page = await talk.opened_by(visit, ANA)
    await page.evaluate(
        """
        () => {
          window.seen = new Set();
          const look = () => {
            const badge = document.querySelector("[data-testid=connection-badge]");
            const header = document.querySelector(".conversation-list-header");
            const { height } = header.getBoundingClientRect();
            const { top } = document.querySelector(".filter-bar").getBoundingClientRect();
            window.seen.add(`${height} ${top} ${badge.textContent}`);
            window.frame = requestAnimationFrame(look);
          };
          look();
          new MutationObserver(() => {
            const badge = document.querySelector("[data-testid=connection-badge]");
            window.seen.add(`- ${badge.textContent.includes("fila")}`);
          }).observe(document.body, {childList: true, subtree: true, characterData: true});
        }
        """
    )

    for number in range(5):
        await answer(page, f"Resposta {number}")
        await expect(message(page, f"Resposta {number}")).to_have_attribute("data-status", "sent")

    seen = await page.evaluate("() => [...window.seen]")
    heights = {" ".join(entry.split()[:2]) for entry in seen if not entry.startswith("-")}
    assert len(heights) == 1
    assert "- true" not in seen


async def test_what_waits_fits_the_header_of_the_list(
    visit: Visit, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(CUT)
    complaints.allow(REFUSED)
    talk = await Talk.begin(channel)
    page = await talk.opened_by(visit, ANA, script=KEEP_SOCKETS)
    height = await _height(page.locator(".conversation-list-header"))
    await go_offline(page)
    await answer(page, "Uma")
    await composer(page).focus()

    badge = page.get_by_test_id("connection-badge")
    await expect(badge).to_contain_text("1 na fila")

    assert await _height(page.locator(".conversation-list-header")) == height
    assert await badge.evaluate("(badge) => badge.getClientRects()[0].height") < 24


def _bar(page: Page) -> Locator:
    """The bar, while it shows more than its words for screen readers."""
    return (
        page.get_by_test_id("connection-bar")
        .filter(visible=True)
        .and_(page.locator(":not([data-status=live], [data-status=connecting])"))
    )


async def _height(element: Locator) -> float:
    box = await element.bounding_box()
    assert box
    return box["height"]
