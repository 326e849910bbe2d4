"""What a person aims at opens: nothing slides under a pointer, a finger or the keyboard's focus."""

import re

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from clinic_chat.domain.patients.phones import format_phone
from tests.browser.conftest import Visit
from tests.support.browser.pages import PHONE, composer, open_conversation, row, rows, thread_of
from tests.support.browser.talk import Talk
from tests.support.browser.timers import milliseconds, never_after
from tests.support.channel import Channel
from tests.support.people import ANA, Patient, new_patient

ROWS = 6
AIMED = 4
"""The fifth row."""
SETTLED_MS = milliseconds("inbox/order.js", "SETTLE_MS")
FAR_DOWN = 24
# The browser's own clock: a timer of the page is not late by what a slow test takes.
RECORD_ORDER = """
() => {
  const names = () =>
    [...document.querySelectorAll(".conversation-row-name")].map((name) => name.textContent);
  window.order = {before: names().join(), changedAt: null, startedAt: performance.now()};
  const list = document.querySelector("[data-testid=conversation-list]");
  new MutationObserver(() => {
    if (names().join() !== window.order.before) window.order.changedAt ??= performance.now();
  }).observe(list, {childList: true, subtree: true, characterData: true});
}
"""
# A click in the very frame in which the rows have changed their places.
CLICK_WHEN_MOVED = """
() => {
  const list = document.querySelector("[data-testid=conversation-list]");
  const names = () =>
    [...list.querySelectorAll(".conversation-row-name")].map((n) => n.textContent).join();
  const before = names();
  window.moved = new Promise((done) => {
    new MutationObserver((_, observer) => {
      if (names() === before) return;
      observer.disconnect();
      requestAnimationFrame(() => done(true));
    }).observe(list, {childList: true, subtree: true});
  });
}
"""


@pytest_asyncio.fixture(loop_scope="session")
async def talks(channel: Channel) -> list[Talk]:
    """The newest conversations of the list, the newest first."""
    begun = [await Talk.begin(channel) for _ in range(ROWS)]
    return begun[::-1]


async def test_what_arrives_just_before_a_click_does_not_change_who_opens(
    visit: Visit, talks: list[Talk]
) -> None:
    ana = await visit(ANA)
    await _at(ana, AIMED, talks[AIMED])
    await _point_at(ana, rows(ana).nth(AIMED))

    await talks[-1].goes_on("Agora")
    await expect(row(ana, talks[-1].name)).to_contain_text("Agora")
    await ana.mouse.down()
    await ana.mouse.up()

    await thread_of(ana, talks[AIMED].name)
    await expect(ana).to_have_url(re.compile(talks[AIMED].path))
    await expect(composer(ana)).to_be_focused()


async def test_the_order_holds_still_under_the_pointer_and_says_what_is_new(
    visit: Visit, talks: list[Talk], channel: Channel
) -> None:
    # However slow the test is, it is the press on what is new that settles the order.
    ana = await visit(ANA, script=never_after(SETTLED_MS))
    await _at(ana, 0, talks[0])
    before = await _names(ana)
    await _point_at(ana, rows(ana).nth(AIMED))

    await talks[-1].goes_on("Primeira")
    await talks[-2].goes_on("Segunda")
    late = await Talk.begin(channel)
    # Rows say what is new where they stand.
    await expect(row(ana, talks[-1].name)).to_contain_text("Primeira")
    news = ana.get_by_test_id("list-news")
    await expect(news).to_have_text("3 novas")
    assert (await _names(ana))[: len(before)] == before
    await expect(row(ana, late.name)).to_have_count(0)
    said = ana.get_by_role("status").filter(has_text="Mensagens novas no alto da lista")
    await expect(said).to_have_count(1)

    await news.click()
    await _at(ana, 0, late)
    await _at(ana, 1, talks[-2])
    await expect(news).to_have_count(0)


@pytest.mark.parametrize("device", ["pointer", "keyboard"])
async def test_what_says_what_is_new_stays_while_it_is_aimed_at(
    visit: Visit, talks: list[Talk], device: str
) -> None:
    ana = await visit(ANA, script=never_after(SETTLED_MS))
    await _at(ana, 0, talks[0])
    before = await _names(ana)
    if device == "pointer":
        await _point_at(ana, rows(ana).nth(AIMED))
    else:
        await ana.locator("#search").focus()
        await ana.keyboard.press("ArrowDown")
    await talks[-1].goes_on("Oi")
    news = ana.get_by_test_id("list-news")
    await expect(news).to_have_text("1 nova")

    if device == "pointer":
        await _point_at(ana, news)
    else:
        await news.focus()
    await talks[-2].goes_on("Oi")

    await expect(news).to_have_text("2 novas")
    assert (await _names(ana))[: len(before)] == before
    if device == "pointer":
        await ana.mouse.down()
        await ana.mouse.up()
    else:
        await ana.keyboard.press("Enter")
    await _at(ana, 0, talks[-2])
    await expect(news).to_have_count(0)
    await expect(rows(ana).first.get_by_role("link")).to_be_focused()


async def test_the_order_settles_when_the_pointer_leaves(visit: Visit, talks: list[Talk]) -> None:
    ana = await visit(ANA)
    await _at(ana, 0, talks[0])
    await _point_at(ana, rows(ana).nth(AIMED))
    await talks[-1].goes_on("Oi")
    await expect(ana.get_by_test_id("list-news")).to_have_text("1 nova")

    await ana.mouse.move(900, 400)

    await _at(ana, 0, talks[-1])
    await expect(ana.get_by_test_id("list-news")).to_have_count(0)


async def test_a_pointer_that_rests_lets_the_order_settle_and_a_click_then_means_what_was_there(
    visit: Visit, talks: list[Talk]
) -> None:
    ana = await visit(ANA)
    await _at(ana, AIMED, talks[AIMED])
    await ana.evaluate(RECORD_ORDER)
    await ana.evaluate(CLICK_WHEN_MOVED)
    await _point_at(ana, rows(ana).nth(AIMED))

    await talks[-1].goes_on("Agora")
    await ana.evaluate("window.moved")
    await ana.mouse.down()
    await ana.mouse.up()

    await thread_of(ana, talks[AIMED].name)
    waited = await ana.evaluate("window.order.changedAt - window.order.startedAt")
    assert waited >= SETTLED_MS


async def test_after_the_persons_own_scrolling_a_click_means_what_is_there_now(
    visit: Visit, talks: list[Talk], channel: Channel
) -> None:
    for _ in range(FAR_DOWN):
        await Talk.begin(channel)
    ana = await visit(ANA)
    target = rows(ana).nth(AIMED)
    await _point_at(ana, target)
    box = await target.bounding_box()
    assert box is not None
    for _ in range(2):
        await ana.mouse.wheel(0, box["height"])
    await ana.wait_for_function(
        """([height]) =>
          document.querySelector(".conversation-list-scroll").scrollTop >= 2 * height - 1""",
        arg=[box["height"]],
    )
    await ana.mouse.down()
    await ana.mouse.up()
    name = await rows(ana).nth(AIMED + 2).locator(".conversation-row-name").inner_text()
    await thread_of(ana, name)


async def test_the_keyboards_focus_holds_the_order_and_stays_on_its_row(
    visit: Visit, talks: list[Talk]
) -> None:
    ana = await visit(ANA)
    await _at(ana, 0, talks[0])
    await ana.locator("#search").focus()
    await ana.keyboard.press("ArrowDown")
    for _ in range(2):
        await ana.keyboard.press("ArrowDown")
    await expect(rows(ana).nth(2).get_by_role("link")).to_be_focused()

    await talks[2].goes_on("Sou a mesma")
    await talks[-1].goes_on("Sou outra")
    await expect(ana.get_by_test_id("list-news")).to_have_text("2 novas")
    await _at(ana, 2, talks[2])
    # It settles, and the row has the focus at its new place.
    await _at(ana, 1, talks[2])
    await expect(row(ana, talks[2].name).get_by_role("link")).to_be_focused()
    await ana.keyboard.press("Enter")
    await thread_of(ana, talks[2].name)


async def test_a_finger_holds_the_order_and_means_what_was_under_it(
    visit: Visit, talks: list[Talk]
) -> None:
    phone = await visit(ANA, **PHONE)
    await _at(phone, AIMED, talks[AIMED])
    box = await rows(phone).nth(AIMED).bounding_box()
    assert box is not None
    await phone.evaluate(CLICK_WHEN_MOVED)

    await talks[-1].goes_on("Agora")
    await phone.evaluate("window.moved")
    await phone.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    await thread_of(phone, talks[AIMED].name)


async def test_buttons_of_another_patients_header_do_not_take_a_click(
    visit: Visit, talks: list[Talk]
) -> None:
    one, other = talks[:2]
    ana = await one.opened_by(visit, ANA)
    button = ana.get_by_test_id("status")
    await _point_at(ana, button)

    # The address changes without the pointer: a key, a notification, another person's link.
    await ana.evaluate("(path) => document.querySelector(`a[href='${path}']`).click()", other.path)
    await expect(ana.locator(".thread-header")).to_contain_text(other.name)
    await ana.mouse.down()
    await ana.mouse.up()
    await expect(ana.get_by_role("menu")).to_have_count(0)

    await button.click()
    await expect(ana.get_by_role("menu")).to_be_visible()


async def test_the_message_box_says_who_is_answered(
    visit: Visit, talks: list[Talk], channel: Channel
) -> None:
    ana = await talks[0].opened_by(visit, ANA)
    await expect(composer(ana)).to_have_attribute("placeholder", "Responder a Pessoa…")
    phone = new_patient().phone
    number = format_phone(phone)
    for patient, shown, first in (
        (Patient("Dra. Conceição Lima", new_patient().phone), "Dra. Conceição Lima", "Conceição"),
        (Patient("+55 21 9000", phone), number, number),
    ):
        await channel.deliver(patient, "Oi")
        await open_conversation(ana, shown)
        await expect(composer(ana)).to_have_attribute("placeholder", f"Responder a {first}…")


TRANSLATE = """
() => {
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    if (!text.data.trim() || text.parentElement.closest("script, style, textarea")) continue;
    const outer = document.createElement("font");
    const inner = document.createElement("font");
    text.replaceWith(outer);
    outer.append(inner);
    inner.append(text.data);
  }
}
"""


NAMES_TRANSLATED = """
(names) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const places = [];
  while (texts.nextNode()) {
    if (names.some((name) => texts.currentNode.data.includes(name)))
      places.push(texts.currentNode.parentElement);
  }
  const translated = places.filter((place) => !place.closest("[translate=no]"));
  return {seen: places.length, translated: translated.map((place) => place.outerHTML)};
}
"""


async def test_a_page_translator_leaves_no_other_patients_name(
    visit: Visit, talks: list[Talk], channel: Channel
) -> None:
    one, other = talks[:2]
    ana = await one.opened_by(visit, ANA)
    await ana.evaluate(TRANSLATE)

    await row(ana, other.name).click()
    header, panel = ana.locator(".thread-header"), ana.locator(".patient-panel")
    for place in (header, panel):
        await expect(place).to_contain_text(other.name)
        await expect(place).not_to_contain_text(one.name)
    await expect(header).to_contain_text(format_phone(other.patient.phone))
    await expect(composer(ana)).to_have_attribute("aria-label", re.compile(other.name))
    # What changes in place as well: previews, unread, counts, who types.
    await expect(row(ana, other.name).get_by_test_id("unread-badge")).to_have_count(0)
    await ana.evaluate(TRANSLATE)
    # Of all, because what was just opened may be counted as unread for a moment longer.
    count = ana.get_by_test_id("filter-all").get_by_test_id("filter-count")
    conversations = int(await count.inner_text())
    await open_conversation(ana, one.name)
    await Talk.begin(channel)
    await expect(count).to_have_text(str(conversations + 1))
    await talks[3].goes_on("Depois da tradução")
    await expect(row(ana, talks[3].name)).to_contain_text("Depois da tradução")
    await expect(row(ana, talks[3].name).get_by_test_id("unread-badge")).to_contain_text("2")
    for name in (
        ana.locator(".thread-header h2"),
        row(ana, one.name).locator(".conversation-row-name"),
    ):
        await expect(name).to_have_attribute("translate", "no")


async def test_no_name_of_anybody_is_translated(visit: Visit, channel: Channel) -> None:
    talk = await Talk.begin(channel)
    ana = await talk.opened_by(visit, ANA)
    await composer(ana).fill("Da equipe")
    await composer(ana).press("Enter")
    await ana.get_by_test_id("assignee").click()
    await ana.get_by_role("menuitem", name="Bruno Tavares").click()
    await ana.locator(".presence summary").click()
    await ana.get_by_test_id("assignee").click()
    await expect(ana.get_by_role("menu")).to_be_visible()

    found = await ana.evaluate(NAMES_TRANSLATED, [talk.name, "Bruno Tavares", "Ana Beatriz Moura"])
    assert found == {"seen": 8, "translated": []}


async def _names(page: Page) -> list[str]:
    return await rows(page).locator(".conversation-row-name").all_text_contents()


async def _at(page: Page, place: int, talk: Talk) -> None:
    """Return when a conversation is at this place of the list."""
    await expect(rows(page).nth(place)).to_contain_text(talk.name)


async def _point_at(page: Page, target: Locator) -> None:
    """Move the pointer there, as a person does, and let it rest."""
    box = await target.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.move(x - 3, y)
    await page.mouse.move(x, y)


async def test_a_row_opens_by_a_click_in_the_instant_in_which_it_scrolls_into_view(
    visit: Visit, channel: Channel
) -> None:
    talk = await Talk.begin(channel)
    for _ in range(FAR_DOWN):
        await Talk.begin(channel)
    # One that was not drawn yet: browsers skip the contents of rows that are out of view.
    for width, height in ((720, 450), (844, 390), (360, 320)):
        ana = await visit(ANA, viewport={"width": width, "height": height})
        await _at(ana, FAR_DOWN, talk)
        await row(ana, talk.name).click()
        await thread_of(ana, talk.name)
