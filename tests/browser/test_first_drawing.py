"""What a page shows from its first moment until the list and the conversation are there."""

from typing import Any

from playwright.async_api import Page, expect

from tests.browser.channel import Channel
from tests.browser.conftest import Visit
from tests.browser.pages import messages, thread_of
from tests.browser.people import ANA, new_patient

# Each state that the page was in after a change, once.
RECORD_DRAWING = """
(() => {
  const count = (selector) => document.querySelectorAll(selector).length;
  window.drawing = [];
  new MutationObserver(() => {
    const state = JSON.stringify({
      listWaits: count(".rows-scroll.skeleton"),
      rows: count("[data-testid=conversation-row]"),
      threadWaits: count(".thread .thread-skeleton"),
      messages: count("[data-testid=message]"),
      composer: count("[data-testid=composer]"),
    });
    if (state !== window.drawing.at(-1)) window.drawing.push(state);
  }).observe(document, { childList: true, subtree: true });
})();
"""
MESSAGES = 12


async def test_list_and_conversation_show_whole_in_the_place_of_what_stood_for_them(
    visit: Visit, channel: Channel
) -> None:
    patient = new_patient()
    for number in range(MESSAGES):
        sent = await channel.deliver(patient, f"Mensagem {number}")
    ana = await visit(ANA, f"/c/{sent.conversation_id}", script=RECORD_DRAWING)
    await thread_of(ana, patient.name)
    await expect(messages(ana)).to_have_count(MESSAGES)

    states = await _drawing(ana)
    listed = [state for state in states if state["rows"] or state["listWaits"]]
    opened = [state for state in states if state["messages"] or state["threadWaits"]]
    assert all(bool(state["rows"]) != bool(state["listWaits"]) for state in listed)
    assert len({state["rows"] for state in listed if state["rows"]}) == 1
    assert all(bool(state["messages"]) != bool(state["threadWaits"]) for state in opened)
    assert {state["messages"] for state in opened} == {0, MESSAGES}
    # Nobody answers what they do not see.
    assert all(state["composer"] == bool(state["messages"]) for state in states)


async def test_the_browser_reads_its_tables_of_dates_beside_the_page(visit: Visit) -> None:
    ana = await visit(ANA)

    async with ana.expect_event("worker") as started:
        await ana.reload()

    assert "date_tables" in (await started.value).url


async def _drawing(page: Page) -> list[dict[str, Any]]:
    states: list[dict[str, Any]] = await page.evaluate("window.drawing.map(JSON.parse)")
    return states
