"""Menus, whose library comes after the page, and the question before signing out."""

import re

from playwright.async_api import Page, expect

from tests.browser.channel import Channel
from tests.browser.conftest import VIEWPORT, Visit
from tests.browser.outage import CUT, KEEP_SOCKETS, REFUSED, go_offline
from tests.browser.pages import MENUS_LOADED, answer, menu, menus_loaded, message, thread_of
from tests.browser.people import ANA, new_patient
from tests.browser.watch import Complaints

LIBRARY = re.compile(r"/assets/menus-[\w-]+\.js")
# What loads the library when nobody presses anything; the tests press first.
NO_TIMERS = """
const { setTimeout } = window;
window.setTimeout = (call, ms, ...rest) => (ms === 3000 ? 0 : setTimeout(call, ms, ...rest));
"""
PATIENT_MENUS = ("assignee", "status")


async def test_the_library_is_not_loaded_with_the_page_but_soon_after(visit: Visit) -> None:
    page = await visit(ANA)

    assert not await page.evaluate(MENUS_LOADED)
    await menus_loaded(page)


async def test_the_first_press_opens_whether_by_mouse_or_by_key(
    visit: Visit, channel: Channel
) -> None:
    patient = new_patient()
    first = await channel.deliver(patient, "Bom dia")

    for press in ("click", "Enter", " ", "ArrowDown"):
        page = await visit(ANA, f"/c/{first.conversation_id}", script=NO_TIMERS)
        await thread_of(page, patient.name)
        assert not await page.evaluate(MENUS_LOADED)
        button = page.get_by_test_id("status")
        await expect(button).to_have_attribute("aria-expanded", "false")
        if press == "click":
            await button.click()
        else:
            await button.focus()
            await page.keyboard.press(press)
        await expect(page.get_by_role("menu")).to_be_visible()
        await expect(button).to_have_attribute("aria-expanded", "true")
        if press != "click":
            # "Aberta" is what it is already, and cannot be chosen.
            await expect(page.get_by_role("menuitem", name="Pendente")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("menu")).to_have_count(0)
        await expect(button).to_be_focused()
        await expect(button).to_have_attribute("aria-expanded", "false")
        await page.close()


async def test_pressing_again_while_it_loads_does_not_close_it(
    visit: Visit, channel: Channel
) -> None:
    patient = new_patient()
    first = await channel.deliver(patient, "Bom dia")
    page = await visit(ANA, f"/c/{first.conversation_id}", script=NO_TIMERS)
    await thread_of(page, patient.name)

    async with page.expect_request(LIBRARY):
        await page.get_by_test_id("status").evaluate(
            """
            (button) => {
              const press = () =>
                button.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true, button: 0 }));
              press();
              press();
            }
            """
        )

    await expect(page.get_by_role("menu")).to_be_visible()


async def test_a_menu_that_cannot_be_loaded_says_so_and_opens_later(
    visit: Visit, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(r"Failed to load resource: net::ERR_.*/assets/menus-")
    patient = new_patient()
    first = await channel.deliver(patient, "Bom dia")
    page = await visit(ANA, f"/c/{first.conversation_id}", script=NO_TIMERS)
    await thread_of(page, patient.name)
    await page.route(LIBRARY, lambda route: route.abort())

    await page.get_by_test_id("status").click()
    await expect(page.get_by_test_id("notices")).to_contain_text("sem conexão")
    await expect(page.get_by_role("menu")).to_have_count(0)

    await page.unroute(LIBRARY)
    await page.get_by_test_id("status").click()
    await expect(page.get_by_role("menu")).to_be_visible()


async def test_every_menu_has_its_look_and_fits_the_screen(visit: Visit, channel: Channel) -> None:
    patient = new_patient()
    first = await channel.deliver(patient, "Bom dia")
    page = await visit(ANA, f"/c/{first.conversation_id}")
    await thread_of(page, patient.name)

    for sub_menu in ("Idioma", "Aparência", "Notificações"):
        await menu(page, sub_menu)
        await expect(page.get_by_role("menu")).to_have_count(2)
        await _look_like_menus(page)
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("menu")).to_have_count(0)
    for button in PATIENT_MENUS:
        await page.get_by_test_id(button).click()
        await expect(page.get_by_role("menu")).to_have_count(1)
        await _look_like_menus(page)
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("menu")).to_have_count(0)


async def test_languages_are_marked_as_what_they_are(visit: Visit) -> None:
    page = await visit(ANA)

    await menu(page, "Idioma")

    english = page.get_by_role("menuitem", name="English", exact=True)
    await expect(english).to_have_attribute("lang", "en")


async def test_escape_stays_signed_in(
    visit: Visit, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(CUT)
    complaints.allow(REFUSED)
    patient = new_patient()
    first = await channel.deliver(patient, "Bom dia")
    page = await visit(ANA, f"/c/{first.conversation_id}", script=KEEP_SOCKETS)
    await thread_of(page, patient.name)
    await menus_loaded(page)
    await go_offline(page)
    await answer(page, "Nunca enviada")
    await expect(message(page, "Nunca enviada")).to_be_visible()

    for _ in range(2):
        await menu(page, "Sair")
        question = page.get_by_role("alertdialog", name="Ainda há mensagens na fila")
        await expect(question).to_be_visible()
        await expect(question.get_by_role("button", name="Continuar")).to_be_focused()
        # Nothing behind it can be reached, by mouse or by key.
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        assert await page.evaluate("() => !document.activeElement.closest('.inbox')")
        await page.keyboard.press("Escape")
        await expect(question).to_have_count(0)
    await expect(message(page, "Nunca enviada")).to_be_visible()


async def _look_like_menus(page: Page) -> None:
    for found in await page.get_by_role("menu").all():
        style = "(menu) => getComputedStyle(menu).borderRadius"
        assert await found.evaluate(style) == "12px"
        box = await found.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= VIEWPORT["width"]
