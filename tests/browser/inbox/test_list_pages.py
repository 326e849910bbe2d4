"""The list comes in pages: each further one is loaded when its place comes into view."""

import asyncio
from contextlib import closing

from playwright.async_api import Page, expect

from clinic_chat.storage.sqlite.library import sqlite3
from tests.browser.conftest import Visit
from tests.support.browser.pages import rows
from tests.support.channel import Channel
from tests.support.people import ANA, new_patient
from tests.support.servers.server import Server

LIST = "[data-testid=conversation-list]"
PAGE_SIZE = 30
# What came into view is told late and together, as a busy browser does.
TOLD_LATE = """
(() => {
  const held = [];
  window.seenChanges = () => held.length;
  window.tellSeen = () => { for (const tell of held.splice(0)) tell(); };
  window.IntersectionObserver = class extends IntersectionObserver {
    constructor(heard, options) {
      let entries = [];
      super((found, observer) => {
        entries.push(...found);
        held.push(() => {
          if (entries.length > 0) heard(entries, observer);
          entries = [];
        });
      }, options);
    }
  };
})();
"""


async def test_the_list_loads_further_pages_as_one_scrolls(
    visit: Visit, channel: Channel, server: Server
) -> None:
    await _fill_a_page(channel, server)
    ana = await visit(ANA)
    everyone = int(
        await ana.get_by_test_id("filter-all").get_by_test_id("filter-count").inner_text()
    )
    assert everyone > PAGE_SIZE
    await expect(rows(ana)).to_have_count(PAGE_SIZE)
    newest = await rows(ana).locator(".conversation-row-name").all_text_contents()

    while (shown := await rows(ana).count()) < everyone:
        await _scroll_to_the_end(ana)
        await expect(rows(ana)).not_to_have_count(shown)

    names = await rows(ana).locator(".conversation-row-name").all_text_contents()
    assert names[:PAGE_SIZE] == newest
    assert len(set(names)) == len(names) == everyone
    await expect(ana.locator(".conversation-list-scroll .load-more-button")).to_have_count(0)


async def test_a_page_is_loaded_when_out_of_view_and_into_view_are_told_at_once(
    visit: Visit, channel: Channel, server: Server
) -> None:
    await _fill_a_page(channel, server)
    ana = await visit(ANA, script=TOLD_LATE)
    await expect(rows(ana)).to_have_count(PAGE_SIZE)
    await ana.wait_for_function("() => window.seenChanges() === 1")
    await _scroll_to_the_end(ana)
    await ana.wait_for_function("() => window.seenChanges() === 2")

    await ana.evaluate("window.tellSeen()")
    await expect(rows(ana)).not_to_have_count(PAGE_SIZE)


async def _fill_a_page(channel: Channel, server: Server) -> None:
    """Have more conversations than a page shows; other tests count what is unread."""
    with closing(sqlite3.connect(server.database)) as database:
        (there,) = database.execute(
            "SELECT count(*) FROM conversations JOIN clinics ON clinics.id = clinic_id "
            "WHERE slug = 'aurora'"
        ).fetchone()
    await asyncio.gather(
        *(channel.deliver(new_patient(), "Bom dia") for _ in range(there, PAGE_SIZE + 10))
    )


async def _scroll_to_the_end(page: Page) -> None:
    await rows(page).last.scroll_into_view_if_needed()
    await page.locator(LIST).evaluate("(list) => { list.scrollTop = list.scrollHeight; }")
