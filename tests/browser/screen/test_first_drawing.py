"""What a page shows from its first moment until the list and the conversation are there."""

import asyncio
import re
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Visit
from tests.support.browser.pages import PHONE, live, message, messages, thread_of
from tests.support.browser.timers import milliseconds, never_after
from tests.support.channel import Channel
from tests.support.network.frames import Questions
from tests.support.people import ANA, new_patient
from tests.support.servers.server import Server

# Each state that the page was in after a change, once.
RECORD_DRAWING = """
(() => {
  const count = (selector) => document.querySelectorAll(selector).length;
  window.drawing = [];
  new MutationObserver(() => {
    const state = JSON.stringify({
      listWaits: count(".conversation-list-scroll.skeleton"),
      rows: count("[data-testid=conversation-row]"),
      threadWaits: count(".thread .thread-skeleton"),
      messages: count("[data-testid=message]"),
      composer: count("[data-testid=composer]"),
      patient: document.querySelector(".thread-header h2")?.textContent ?? null,
      headerButtons: count(".thread-header button"),
    });
    if (state !== window.drawing.at(-1)) window.drawing.push(state);
  }).observe(document, { childList: true, subtree: true });
})();
"""
# React draws in slices of 5 ms and sends itself a message for the next one. Once the conversation's
# head is there, the time of the slice is over, however quick the machine is, and messages wait.
HOLD_DRAWING = """
(() => {
  const onMessage = Object.getOwnPropertyDescriptor(MessagePort.prototype, "onmessage");
  const setAttribute = Element.prototype.setAttribute;
  const now = performance.now.bind(performance);
  const held = [];
  let later = 0;
  window.holds = false;
  performance.now = () => now() + later;
  Object.defineProperty(MessagePort.prototype, "onmessage", {
    set(handler) {
      onMessage.set.call(this, (event) => {
        if (window.holds) held.push(() => handler.call(this, event));
        else handler.call(this, event);
      });
    },
  });
  window.letGo = () => {
    window.holds = false;
    for (const go of held.splice(0)) go();
  };
  Element.prototype.setAttribute = function (name, value) {
    setAttribute.call(this, name, value);
    if (name !== "data-phase" || value !== "ready") return;
    Element.prototype.setAttribute = setAttribute;
    window.messagesWhenHeld = document.querySelectorAll("[data-testid=message]").length;
    window.holds = true;
    later = 50;
  };
})();
"""
NEVER_AT_ONCE = never_after(milliseconds("components/react/deferred.js", "AT_ONCE_AFTER_MS"))
FOCUS_SEARCH = """
(() => {
  const observer = new MutationObserver(() => {
    document.querySelector("#search")?.focus();
    if (document.activeElement?.id === "search") observer.disconnect();
  });
  observer.observe(document, { childList: true, subtree: true });
})();
"""
RECORD_FRAMES = """
(() => {
  window.seen = new Set();
  const look = () => {
    for (const selector of [".thread-skeleton", ".empty-state-pane", ".conversation-list-pane"]) {
      for (const found of document.querySelectorAll(selector)) {
        if (found.getClientRects().length > 0) window.seen.add(selector);
      }
    }
    requestAnimationFrame(look);
  };
  look();
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


async def test_there_is_nothing_to_press_before_it_is_known_whose_conversation_it_is(
    visit: Visit, channel: Channel
) -> None:
    patient = new_patient()
    sent = await channel.deliver(patient, "Bom dia")

    ana = await visit(ANA, f"/c/{sent.conversation_id}", script=RECORD_DRAWING)
    await expect(message(ana, "Bom dia")).to_be_visible()

    states = await _drawing(ana)
    assert {state["patient"] for state in states} == {None, patient.name}
    assert all(bool(state["headerButtons"]) == bool(state["patient"]) for state in states)


async def test_the_browser_reads_its_tables_of_dates_beside_the_page(visit: Visit) -> None:
    ana = await visit(ANA)

    async with ana.expect_event("worker") as started:
        await ana.reload()

    assert "date_tables" in (await started.value).url


async def test_drawing_that_is_put_off_again_and_again_is_done_at_once_in_the_end(
    visit: Visit, channel: Channel
) -> None:
    sent = await channel.deliver(new_patient(), "Bom dia")

    ana = await visit(ANA, f"/c/{sent.conversation_id}", script=HOLD_DRAWING)

    await expect(message(ana, "Bom dia")).to_be_visible()
    assert await ana.evaluate("window.messagesWhenHeld") == 0
    assert await ana.evaluate("window.holds")


async def test_a_conversation_that_is_not_drawn_yet_is_not_read(
    visit: Visit, channel: Channel
) -> None:
    sent = await channel.deliver(new_patient(), "Bom dia")
    ana = await visit(ANA, script=HOLD_DRAWING + NEVER_AT_ONCE)
    asked = Questions(ana)

    await ana.goto(f"/c/{sent.conversation_id}")
    await expect(ana.locator(".workspace")).to_have_attribute("data-phase", "ready")
    await expect(messages(ana)).to_have_count(0)
    assert "message:read" not in asked.names

    await ana.evaluate("window.letGo()")
    await asked.answered("message:read")
    await expect(message(ana, "Bom dia")).to_be_visible()


async def test_who_types_elsewhere_goes_on_there_when_a_conversation_is_drawn(
    visit: Visit, channel: Channel
) -> None:
    sent = await channel.deliver(new_patient(), "Bom dia")

    ana = await visit(ANA, f"/c/{sent.conversation_id}", script=FOCUS_SEARCH)

    await expect(message(ana, "Bom dia")).to_be_visible()
    await expect(ana.locator("#search")).to_be_focused()


async def test_the_connection_begins_before_the_screen_s_code_is_there(visit: Visit) -> None:
    ana = await visit(ANA)
    release = asyncio.Event()

    async def hold(route: Route) -> None:
        await release.wait()
        await route.continue_()

    await ana.route("**/assets/_-*.js", hold)
    async with ana.expect_websocket():
        await ana.reload(wait_until="commit")

    release.set()
    await live(ana)


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
async def test_a_conversation_s_address_looks_like_one_that_opens_before_any_code_runs(
    visit: Visit, device: dict[str, Any]
) -> None:
    ana = await visit(ANA, **device)
    await _without_code(ana)

    await ana.goto("/c/anything")

    await expect(ana.locator(".thread-opening .thread-skeleton")).to_be_visible()
    await expect(ana.locator(".empty-state-pane")).to_be_hidden()
    await expect(ana.locator(".conversation-list-pane")).to_be_visible(visible=device is not PHONE)


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
async def test_nothing_else_shows_while_a_conversation_opens(
    visit: Visit, channel: Channel, device: dict[str, Any]
) -> None:
    sent = await channel.deliver(new_patient(), "Bom dia")

    ana = await visit(ANA, f"/c/{sent.conversation_id}", script=RECORD_FRAMES, **device)
    await expect(message(ana, "Bom dia")).to_be_visible()

    seen = set(await ana.evaluate("[...window.seen]"))
    assert ".thread-skeleton" in seen
    assert ".empty-state-pane" not in seen
    assert (".conversation-list-pane" in seen) == (device is not PHONE)


async def test_the_list_s_address_does_not(visit: Visit) -> None:
    ana = await visit(ANA)
    await _without_code(ana)

    await ana.goto("/")

    await expect(ana.locator(".empty-state-pane")).to_be_visible()
    await expect(ana.locator(".thread-opening")).to_be_hidden()


async def test_only_addresses_of_conversations_are_answered_with_the_inbox(
    server: Server,
) -> None:
    async with httpx.AsyncClient(base_url=server.origin) as client:
        inbox, conversation, deeper, unknown = [
            await client.get(path) for path in ("/", "/c/anything", "/c/any/thing", "/nothing")
        ]

    assert conversation.status_code == inbox.status_code == HTTPStatus.OK
    assert conversation.text == inbox.text
    assert "conversation-list-scroll" in inbox.text
    assert "conversation-list-scroll" not in deeper.text + unknown.text


async def test_the_sign_in_page_is_answered_where_it_is(server: Server) -> None:
    async with httpx.AsyncClient(base_url=server.origin) as client:
        page = await client.get("/login?error=invalid")
        with_slash = await client.get("/login/")

    assert page.status_code == HTTPStatus.OK
    assert page.text == with_slash.text
    assert 'name="password"' in page.text
    assert re.search('<link [^>]*href="/favicon.svg"[^>]* rel="icon"', page.text)


async def _without_code(page: Page) -> None:
    await page.route(
        "**/assets/*.js", lambda route: route.fulfill(body="", content_type="text/javascript")
    )


async def _drawing(page: Page) -> list[dict[str, Any]]:
    states: list[dict[str, Any]] = await page.evaluate("window.drawing.map(JSON.parse)")
    return states
