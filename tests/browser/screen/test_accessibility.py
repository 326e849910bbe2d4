"""Everyone can use it: axe finds nothing serious, and the keyboard is enough."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
from tests.support.browser.accessibility import accessibility_problems
from tests.support.browser.page_errors import Complaints
from tests.support.browser.pages import (
    PHONE,
    answer,
    composer,
    live,
    menu,
    menus_loaded,
    message,
    messages,
    thread_of,
)
from tests.support.channel import Channel
from tests.support.network.outage import CUT, KEEP_SOCKETS, REFUSED, go_offline
from tests.support.people import ANA, new_patient

DEVICES: dict[str, dict[str, Any]] = {"desktop": {}, "phone": PHONE}


@pytest.mark.parametrize("device", DEVICES)
async def test_no_screen_has_a_serious_accessibility_problem(
    visit: Visit, channel: Channel, complaints: Complaints, device: str
) -> None:
    # The server's answer to a join page without a link.
    complaints.allow("409")
    patient = new_patient()
    first = await channel.deliver(patient, "Bom dia")
    stranger = await visit(path="/login?error=invalid", **DEVICES[device])
    await expect(stranger.get_by_role("alert")).not_to_be_empty()
    problems = await accessibility_problems(stranger, "sign-in")

    await stranger.goto("/login?step=code&error=code_wrong")
    await expect(stranger.get_by_role("alert")).not_to_be_empty()
    problems += await accessibility_problems(stranger, "code")
    await stranger.goto("/join")
    await expect(stranger.get_by_role("alert")).not_to_be_empty()
    problems += await accessibility_problems(stranger, "join")

    page = await visit(ANA, **DEVICES[device])
    problems += await accessibility_problems(page, "list")

    await page.get_by_role("searchbox").fill("ninguém com este nome")
    await expect(page.locator(".conversation-list-pane .empty-state")).to_be_visible()
    problems += await accessibility_problems(page, "empty search")

    await page.goto("/c/00000000-0000-0000-0000-000000000000")
    await expect(page.locator(".empty-state-pane")).to_be_visible()
    problems += await accessibility_problems(page, "not found")

    await page.goto(f"/c/{first.conversation_id}")
    await thread_of(page, patient.name)
    await answer(page, "Bom dia!")
    await expect(message(page, "Bom dia!")).to_have_attribute("data-status", "sent")
    await composer(page).fill(" ")
    await composer(page).press("Enter")
    problems += await accessibility_problems(page, "thread")

    if device == "phone":
        await page.locator(".thread-header-patient-toggle").click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        problems += await accessibility_problems(page, "patient")
    else:
        await page.locator(".conversation-list-header button[aria-haspopup=menu]").click()
        await expect(page.get_by_role("menu")).to_be_visible()
        problems += await accessibility_problems(page, "menu")

    assert not problems, "\n".join(problems)


async def test_what_shows_without_a_connection_has_no_serious_accessibility_problem(
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
    problems = await accessibility_problems(page, "offline")

    await menu(page, "Sair")
    await expect(page.get_by_role("alertdialog")).to_be_visible()
    problems += await accessibility_problems(page, "question", "[role=alertdialog]")

    assert not problems, "\n".join(problems)


async def test_the_keyboard_alone_opens_a_conversation_and_answers(
    visit: Visit, channel: Channel
) -> None:
    patient = new_patient()
    await channel.deliver(patient, "Consigo uma hora hoje?")
    page = await visit(ANA)

    await _tab_to(page, f"[data-testid=conversation-row]:has-text('{patient.name}') a")
    await page.keyboard.press("Enter")
    await expect(messages(page)).to_have_count(1)
    await _tab_to(page, "[data-testid=composer] textarea")
    await page.keyboard.type("Às quatro")
    await _tab_to(page, "[data-testid=send]")
    await page.keyboard.press("Enter")

    await expect(message(page, "Às quatro")).to_have_attribute("data-seq", "2")


async def test_the_keyboard_alone_signs_out(visit: Visit) -> None:
    page = await visit(ANA, fresh=True)

    await _tab_to(page, ".conversation-list-header button[aria-haspopup=menu]")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menu")).to_be_visible()
    await page.keyboard.press("End")
    await expect(page.get_by_role("menuitem", name="Sair")).to_be_focused()
    await page.keyboard.press("Enter")

    await expect(page.get_by_label("Senha", exact=True)).to_be_visible()


async def test_a_new_message_is_announced(visit: Visit, channel: Channel) -> None:
    patient = new_patient()
    first = await channel.deliver(patient, "Olá")
    page = await visit(ANA, f"/c/{first.conversation_id}")
    await thread_of(page, patient.name)

    await channel.deliver(patient, "Alguém aí?")

    log = page.get_by_role("log", name="Mensagens")
    await expect(log).to_contain_text("Alguém aí?")
    await live(page)


async def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus; fail when it never has."""
    target = page.locator(selector)
    await expect(target).to_be_visible()
    for _ in range(await page.locator("a, button, input, textarea, [tabindex]").count() + 1):
        if await target.evaluate("(element) => element === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab never reaches {selector}")
