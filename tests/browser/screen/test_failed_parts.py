"""An error in one part of the screen leaves the rest standing, and there is a way back."""

import re

from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.support.browser.page_errors import Complaints
from tests.support.browser.pages import (
    answer,
    bodies,
    live,
    message,
    messages,
    open_conversation,
    row,
    rows,
    thread_of,
)
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.people import ANA

# Dates cannot be written while `window.broken` has what is being written, in milliseconds.
BREAK_DATES = """
(() => {
  window.broken = () => false;
  const {get} = Object.getOwnPropertyDescriptor(Intl.DateTimeFormat.prototype, "format");
  Object.defineProperty(Intl.DateTimeFormat.prototype, "format", {get() {
    const write = get.call(this);
    return (at) => {
      if (window.broken(Number(at))) throw new RangeError("broken on purpose");
      return write(at);
    };
  }});
})();
"""
BREAK_SCROLLING = """
(() => {
  const Real = window.ResizeObserver;
  window.ResizeObserver = class extends Real {
    observe(element) {
      if (window.broken && element.closest(".thread-pane")) throw new Error("broken on purpose");
      super.observe(element);
    }
  };
})();
"""
BREAK_SIGN_IN = """
(() => {
  const get = URLSearchParams.prototype.get;
  URLSearchParams.prototype.get = function (name) {
    if (name === "error" && !sessionStorage.getItem("mended")) throw new Error("broken on purpose");
    return get.call(this, name);
  };
})();
"""
ON_PURPOSE = "broken on purpose"


async def test_one_message_that_cannot_be_shown(
    visit: Visit, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(ON_PURPOSE)
    talk = await Talk.begin(channel)
    page = await visit(ANA, talk.path, script=BREAK_DATES)
    await thread_of(page, talk.name)

    # What is drawn next is the next message.
    await page.evaluate("() => { const from = Date.now(); window.broken = (at) => at >= from; }")
    await talk.goes_on("Mensagem 2")

    failed = _failed(page.get_by_test_id("message-list"))
    await expect(failed).to_contain_text("Isto não pôde ser mostrado.")
    assert await bodies(page) == ["Mensagem 1"]
    await expect(row(page, talk.name)).to_contain_text("Mensagem 2")
    await live(page)

    await page.evaluate("() => { window.broken = () => false; }")
    await answer(page, "Aqui tudo bem")
    await expect(message(page, "Aqui tudo bem")).to_have_attribute("data-status", "sent")
    await failed.get_by_role("button", name="Carregar de novo").click()

    await expect(messages(page)).to_have_count(3)
    assert await bodies(page) == ["Mensagem 1", "Mensagem 2", "Aqui tudo bem"]
    await expect(_failed(page)).to_have_count(0)


async def test_what_guards_each_message_has_none_drawn_again(
    visit: Visit, channel: Channel
) -> None:
    talk = await Talk.begin(channel, messages=5)
    page = await visit(ANA, talk.path, script=BREAK_DATES)
    await thread_of(page, talk.name)
    await page.evaluate(
        """() => {
          window.written = new Set();
          window.broken = (at) => { window.written.add(at); return false; };
        }"""
    )

    sent_from = await page.evaluate("Date.now()")
    await answer(page, "A sexta")
    await expect(message(page, "A sexta")).to_have_attribute("data-seq", "6")

    # Times are written as rows are drawn. One is of before: since when the patient is one.
    written = await page.evaluate("() => [...window.written]")
    assert any(at >= sent_from for at in written)
    assert sum(at < sent_from for at in written) <= 1


async def test_a_thread_that_cannot_be_shown(
    visit: Visit, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(ON_PURPOSE)
    talk, other = await Talk.begin(channel), await Talk.begin(channel)
    page = await visit(ANA, script=BREAK_SCROLLING)

    await page.evaluate("() => { window.broken = true; }")
    await row(page, talk.name).click()
    failed = _failed(page.locator(".thread-pane"))
    await expect(failed).to_contain_text("Isto não pôde ser mostrado.")
    await expect(page.locator(".thread-header")).to_contain_text(talk.name)
    await expect(rows(page).first).to_be_visible()

    # Another conversation is another try, and so is the button.
    await page.evaluate("() => { window.broken = false; }")
    await open_conversation(page, other.name)
    assert await bodies(page) == ["Mensagem 1"]
    await open_conversation(page, talk.name)
    await expect(_failed(page)).to_have_count(0)


async def test_the_button_loads_the_page_again_where_a_second_try_fails(
    visit: Visit, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(ON_PURPOSE)
    talk = await Talk.begin(channel)
    page = await visit(ANA, script=BREAK_SCROLLING)
    await page.evaluate("() => { window.broken = true; }")
    await row(page, talk.name).click()
    again = _failed(page).get_by_role("button", name="Carregar de novo")

    await again.click()
    await expect(again).to_be_visible()
    await again.click()

    await thread_of(page, talk.name)
    await expect(_failed(page)).to_have_count(0)


async def test_a_page_that_cannot_be_shown_at_all(visit: Visit, complaints: Complaints) -> None:
    complaints.allow(ON_PURPOSE)

    page = await visit(path="/login", script=BREAK_SIGN_IN, locale="en-US")

    await expect(_failed(page)).to_contain_text("This could not be shown.")
    await expect(page.locator("body")).not_to_contain_text(re.compile("Application Error|purpose"))
    await page.evaluate("() => sessionStorage.setItem('mended', 'yes')")
    await _failed(page).get_by_role("button", name="Load again").click()
    await expect(page.get_by_label("Password", exact=True)).to_be_visible()


def _failed(inside: Page | Locator) -> Locator:
    return inside.get_by_test_id("failed-part")
