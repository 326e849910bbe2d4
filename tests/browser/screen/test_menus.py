"""Menus, whose library comes after the page, and the question before signing out."""

import asyncio
import re
from typing import Literal

from playwright.async_api import Locator, Page, Route, expect

from tests.browser.conftest import Visit
from tests.support.browser.page_errors import Complaints
from tests.support.browser.pages import (
    MENUS_LOADED,
    PHONE,
    answer,
    composer,
    menu,
    menus_loaded,
    message,
    thread_of,
)
from tests.support.browser.timers import milliseconds, never_after
from tests.support.channel import Channel
from tests.support.network.outage import CUT, KEEP_SOCKETS, REFUSED, go_offline
from tests.support.people import ANA, new_patient

LIBRARY = re.compile(r"/assets/menus-[\w-]+\.js")
PRELOAD_MS = milliseconds("menus/menu_library.js", "PRELOAD_MS")
# What the two clocks may differ by.
SLACK_MS = 100
# Without what loads the library when nobody presses anything, and what gives a press up in time.
HOLD_PRELOADING = never_after(PRELOAD_MS)
HOLD_GIVING_UP = never_after(milliseconds("menus/menu.js", "GIVE_UP_MS"))
RECORD_LIVE = """
(() => {
  const observer = new MutationObserver(() => {
    if (!document.querySelector("[data-testid=connection-badge][data-status=live]")) return;
    observer.disconnect();
    window.liveAt = performance.now();
  });
  observer.observe(document, { childList: true, subtree: true, attributes: true });
})();
"""
MENU_BUTTONS = ("assignee", "status")


async def test_the_library_comes_when_the_page_has_been_live_for_a_while(visit: Visit) -> None:
    page = await visit(ANA, script=RECORD_LIVE)

    await menus_loaded(page)
    waited = await page.evaluate(
        """
        () => performance.getEntriesByType("resource")
          .filter(({ name }) => name.includes("/menus-"))
          .map(({ startTime }) => startTime - window.liveAt)
        """
    )
    assert len(waited) == 1
    assert waited[0] > PRELOAD_MS - SLACK_MS


async def test_the_first_press_opens_however_it_is_made(visit: Visit, channel: Channel) -> None:
    for press in ("mouse", "finger", "script", "Enter", " ", "ArrowDown"):
        options = PHONE if press == "finger" else {}
        page = await _at_conversation(visit, channel, **options)
        button = page.get_by_test_id("status")
        assert not await page.evaluate(MENUS_LOADED)
        # The second time, the library is there.
        for _ in range(2):
            await expect(button).to_have_attribute("aria-expanded", "false")
            await _press(page, button, press)
            await expect(page.get_by_role("menu")).to_be_visible()
            await expect(button).to_have_attribute("aria-expanded", "true")
            if press in ("Enter", " ", "ArrowDown"):
                # "Aberta" is what it is already, and cannot be chosen.
                await expect(page.get_by_role("menuitem", name="Pendente")).to_be_focused()
            await page.keyboard.press("Escape")
            await expect(page.get_by_role("menu")).to_have_count(0)
            await expect(button).to_be_focused()
        await page.context.close()


async def test_what_is_chosen_is_done(visit: Visit, channel: Channel) -> None:
    page = await _at_conversation(visit, channel)

    for name, status in (("Pendente", "pending"), ("Resolvida", "resolved")):
        await page.get_by_test_id("status").click()
        await page.get_by_role("menuitem", name=name).click()
        await expect(page.get_by_role("menu")).to_have_count(0)
        await expect(page.get_by_test_id("status")).to_have_attribute("data-status", status)


async def test_a_press_that_waits_is_given_up_for_what_is_done_meanwhile(
    visit: Visit, channel: Channel
) -> None:
    page = await _at_conversation(visit, channel, script=HOLD_PRELOADING + HOLD_GIVING_UP)
    held = await _hold_library(page)
    button = page.get_by_test_id("status")

    await button.click()
    await expect(button).to_have_attribute("aria-busy", "true")
    # Not by what belongs to the press, or silences a screen reader.
    await page.keyboard.press("Control")
    await expect(button).to_have_attribute("aria-busy", "true")
    await composer(page).click()
    await page.keyboard.type("Bom dia, p")
    await expect(button).not_to_have_attribute("aria-busy", "true")
    await (await held.get()).continue_()
    await _loaded_and_drawn(page)

    await page.keyboard.type("ode vir")
    await expect(composer(page)).to_have_value("Bom dia, pode vir")
    await expect(page.get_by_role("menu")).to_have_count(0)


async def test_of_two_menus_that_are_pressed_while_they_load_the_second_opens(
    visit: Visit, channel: Channel
) -> None:
    page = await _at_conversation(visit, channel, script=HOLD_PRELOADING + HOLD_GIVING_UP)
    held = await _hold_library(page)

    await page.get_by_test_id("assignee").click()
    await page.get_by_test_id("status").click()
    await page.get_by_test_id("status").click()
    await (await held.get()).continue_()

    await expect(page.get_by_role("menu")).to_have_count(1)
    await expect(page.get_by_role("menuitem", name="Pendente")).to_be_visible()


async def test_a_key_that_is_held_chooses_nothing(visit: Visit, channel: Channel) -> None:
    page = await _at_conversation(visit, channel)
    held = await _hold_library(page)
    button = page.get_by_test_id("status")

    for key in ("Enter", " "):
        await button.focus()
        for _ in range(3):
            await page.keyboard.down(key)
        if key == "Enter":
            await (await held.get()).continue_()
        await expect(page.get_by_role("menuitem", name="Pendente")).to_be_focused()
        for _ in range(3):
            await page.keyboard.down(key)
        await page.keyboard.up(key)
        await expect(page.get_by_role("menu")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("menu")).to_have_count(0)
    await expect(button).to_have_attribute("data-status", "open")


async def test_a_finger_that_closes_a_menu_presses_nothing_else(
    visit: Visit, channel: Channel
) -> None:
    page = await _at_conversation(visit, channel, **PHONE)
    button, back = page.get_by_test_id("status"), page.locator(".thread-header-back")
    await composer(page).fill("Ainda não")

    for touched in (button, page.get_by_test_id("send"), back):
        await button.tap()
        await expect(page.get_by_role("menu")).to_be_visible()
        # The library looks for presses outside a moment after it shows the menu.
        await _drawn(page)
        box = await touched.bounding_box()
        assert box
        await page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        await expect(page.get_by_role("menu")).to_have_count(0)
        await _drawn(page)
        await expect(page.get_by_role("menu")).to_have_count(0)
        await expect(composer(page)).to_have_value("Ainda não")
    # And then it presses again.
    await back.tap()
    await expect(page).to_have_url(re.compile("/$"))


async def test_a_mouse_that_closes_a_menu_presses_nothing_else(
    visit: Visit, channel: Channel
) -> None:
    page = await _at_conversation(visit, channel)
    button = page.get_by_test_id("status")
    address = page.url

    for pressed in (
        button,
        page.locator(".conversation-row-link").last,
        page.get_by_test_id("assignee"),
    ):
        await button.click()
        await expect(page.get_by_role("menu")).to_be_visible()
        await _drawn(page)
        await pressed.click(force=True)
        await expect(page.get_by_role("menu")).to_have_count(0)
        await _drawn(page)
        await expect(page.get_by_role("menu")).to_have_count(0)
        assert page.url == address
    # And then it presses again.
    await page.locator(".conversation-row-link").last.click()
    await expect(page).not_to_have_url(address)


async def test_an_open_menu_leaves_the_page_as_it_is(visit: Visit, channel: Channel) -> None:
    page = await _at_conversation(visit, channel, script="")
    await menus_loaded(page)
    await page.evaluate(
        """
        () => {
          window.restyled = new Set();
          new MutationObserver((changes) => {
            for (const { target } of changes) {
              if (!target.closest("[data-radix-popper-content-wrapper], .thread-header-button")) {
                window.restyled.add(target.className || target.tagName);
              }
            }
          }).observe(document.documentElement, {
            attributes: true, subtree: true, attributeFilter: ["style", "aria-hidden", "inert"],
          });
        }
        """
    )

    await page.get_by_test_id("status").click()
    await expect(page.get_by_role("menu")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("menu")).to_have_count(0)

    assert await page.evaluate("() => [...window.restyled]") == []


async def test_what_is_chosen_now_has_a_tick(visit: Visit) -> None:
    page = await visit(ANA)
    switches: tuple[tuple[str, str, Literal["menuitemradio", "menuitemcheckbox"]], ...] = (
        ("Idioma", "Português (Brasil)", "menuitemradio"),
        ("Tema", "Igual ao sistema", "menuitemradio"),
        ("Notificações", "Som", "menuitemcheckbox"),
    )
    for sub_menu, name, role in switches:
        await menu(page, sub_menu)
        item = page.get_by_role(role, name=name, exact=True)
        await expect(item).to_have_attribute("aria-checked", "true")
        await expect(item.locator(".menu-check")).to_be_visible()
        for other in await page.locator("[aria-checked=false] .menu-check").all():
            await expect(other).to_be_hidden()
        for _ in range(2):
            await page.keyboard.press("Escape")


async def test_buttons_are_called_what_they_say(visit: Visit, channel: Channel) -> None:
    page = await _at_conversation(visit, channel)

    await expect(page.get_by_test_id("assignee")).to_have_accessible_name(
        "Responsável: Sem responsável"
    )
    await expect(page.get_by_test_id("status")).to_have_accessible_name("Situação: Aberta")


async def test_a_menu_that_does_not_load_says_so_and_opens_later(
    visit: Visit, channel: Channel
) -> None:
    page = await _at_conversation(visit, channel)
    await page.route(LIBRARY, lambda route: route.abort())

    await page.get_by_test_id("status").click()
    await expect(page.get_by_test_id("notices")).to_contain_text("Recarregue a página")
    await expect(page.get_by_role("menu")).to_have_count(0)

    await page.unroute(LIBRARY)
    await page.reload()
    await page.get_by_test_id("status").click()
    await expect(page.get_by_role("menu")).to_be_visible()


async def test_a_menu_that_takes_too_long_says_so(visit: Visit, channel: Channel) -> None:
    page = await _at_conversation(visit, channel)
    held = await _hold_library(page)

    await page.get_by_test_id("status").click()
    await expect(page.get_by_test_id("notices")).to_contain_text("Demorou demais")
    await (await held.get()).continue_()
    await _loaded_and_drawn(page)
    await expect(page.get_by_role("menu")).to_have_count(0)

    await page.get_by_test_id("status").click()
    await expect(page.get_by_role("menu")).to_have_count(1)


async def test_without_a_connection_nothing_is_loaded(
    visit: Visit, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(CUT)
    complaints.allow(REFUSED)
    page = await _at_conversation(visit, channel, script=KEEP_SOCKETS + HOLD_PRELOADING)
    await go_offline(page)
    await expect(page.get_by_test_id("connection-badge")).to_have_attribute(
        "data-status", "offline"
    )

    await page.get_by_test_id("status").hover()
    await page.get_by_test_id("status").click()

    await expect(page.get_by_test_id("notices")).to_contain_text("sem conexão")
    assert not await page.evaluate(MENUS_LOADED)


async def test_every_menu_fits_the_screen(visit: Visit, channel: Channel) -> None:
    for options in ({}, PHONE):
        page = await _at_conversation(visit, channel, **options)
        for button in MENU_BUTTONS:
            await page.get_by_test_id(button).click()
            await _fits(page, 1)
        await page.goto("/")
        for sub_menu in ("Idioma", "Tema", "Notificações"):
            await menu(page, sub_menu)
            await _fits(page, 2)
        await page.context.close()


async def test_languages_are_marked_as_what_they_are(visit: Visit) -> None:
    page = await visit(ANA)

    await menu(page, "Idioma")

    english = page.get_by_role("menuitemradio", name="English", exact=True)
    await expect(english).to_have_attribute("lang", "en")


async def test_escape_answers_the_question_and_nothing_behind_it_can_be_used(
    visit: Visit, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(CUT)
    complaints.allow(REFUSED)
    page = await _at_conversation(visit, channel, script=KEEP_SOCKETS)
    await menus_loaded(page)
    await go_offline(page)
    await answer(page, "Nunca enviada")
    await expect(message(page, "Nunca enviada")).to_be_visible()

    for _ in range(2):
        await menu(page, "Sair")
        question = page.get_by_role("alertdialog", name="Ainda há mensagens na fila")
        await expect(question).to_be_visible()
        await expect(question.get_by_role("button", name="Não sair")).to_be_focused()
        assert await question.evaluate("(dialog) => dialog.matches(':modal')")
        await composer(page).evaluate("(box) => box.focus()")
        await expect(composer(page)).not_to_be_focused()
        await page.keyboard.press("Escape")
        await expect(question).to_have_count(0)
        await expect(
            page.locator(".conversation-list-header button[aria-haspopup=menu]")
        ).to_be_focused()
    await expect(message(page, "Nunca enviada")).to_be_visible()


async def _at_conversation(
    visit: Visit, channel: Channel, script: str = HOLD_PRELOADING, **options: object
) -> Page:
    patient = new_patient()
    first = await channel.deliver(patient, "Bom dia")
    page = await visit(ANA, f"/c/{first.conversation_id}", script=script, **options)
    await thread_of(page, patient.name)
    return page


async def _press(page: Page, button: Locator, press: str) -> None:
    if press == "mouse":
        await button.click()
    elif press == "finger":
        await button.tap()
    elif press == "script":
        # As screen readers and voice control do.
        await button.evaluate("(button) => button.click()")
    else:
        await button.focus()
        await page.keyboard.press(press)


async def _hold_library(page: Page) -> asyncio.Queue[Route]:
    held: asyncio.Queue[Route] = asyncio.Queue()
    await page.route(LIBRARY, held.put)
    return held


async def _loaded_and_drawn(page: Page) -> None:
    await menus_loaded(page)
    await page.evaluate(f"() => import('{await _library(page)}')")
    await _drawn(page)


async def _library(page: Page) -> str:
    address: str = await page.evaluate(
        """
        () => performance.getEntriesByType("resource")
          .find(({ name }) => name.includes("/menus-")).name
        """
    )
    return address


async def _drawn(page: Page) -> None:
    await page.evaluate(
        "() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))"
    )


async def _fits(page: Page, count: int) -> None:
    menus = page.get_by_role("menu")
    await expect(menus).to_have_count(count)
    for found in await menus.all():
        await expect(found).to_be_in_viewport(ratio=1)
    await page.keyboard.press("Escape")
    await expect(menus).to_have_count(0)
