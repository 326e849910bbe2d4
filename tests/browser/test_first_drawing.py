"""What a page shows from its first moment until the list and the conversation are there."""

from http import HTTPStatus
from typing import Any

import httpx
from playwright.async_api import Page, expect

from tests.browser.channel import Channel
from tests.browser.conftest import Visit
from tests.browser.pages import PHONE, messages, thread_of
from tests.browser.people import ANA, new_patient
from tests.browser.server import Server

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


async def test_a_conversation_s_address_looks_like_one_that_opens_before_any_code_runs(
    visit: Visit,
) -> None:
    for options in ({}, PHONE):
        ana = await visit(ANA, **options)
        await _without_code(ana)

        await ana.goto("/c/anything")

        await expect(ana.locator(".opening .thread-skeleton")).to_be_visible()
        await expect(ana.locator(".notice")).to_be_hidden()
        await expect(ana.locator(".list-pane")).to_be_visible(visible=options is not PHONE)


async def test_the_list_s_address_does_not(visit: Visit) -> None:
    ana = await visit(ANA)
    await _without_code(ana)

    await ana.goto("/")

    await expect(ana.locator(".notice")).to_be_visible()
    await expect(ana.locator(".opening")).to_be_hidden()


async def test_only_addresses_of_conversations_are_answered_with_the_inbox(
    server: Server,
) -> None:
    async with httpx.AsyncClient(base_url=server.origin) as client:
        inbox, conversation, deeper, unknown = [
            await client.get(path) for path in ("/", "/c/anything", "/c/any/thing", "/nothing")
        ]

    assert conversation.status_code == inbox.status_code == HTTPStatus.OK
    assert conversation.text == inbox.text
    assert "rows-scroll" in inbox.text
    assert "rows-scroll" not in deeper.text + unknown.text


async def _without_code(page: Page) -> None:
    await page.route(
        "**/assets/*.js", lambda route: route.fulfill(body="", content_type="text/javascript")
    )


async def _drawing(page: Page) -> list[dict[str, Any]]:
    states: list[dict[str, Any]] = await page.evaluate("window.drawing.map(JSON.parse)")
    return states
