"""Everyone can use it: axe finds nothing serious, and the keyboard is enough."""

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
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

BLOCKING = {"serious", "critical"}
# What fades in has less contrast until it is there.
_ANIMATIONS_END = """
() => Promise.all(
  document.getAnimations()
    .filter((animation) => animation.effect.getComputedTiming().endTime !== Infinity)
    .map((animation) => animation.finished),
)
"""
# The rule is experimental in axe: people who speak what they read on a button have to hit it.
_OPTIONS = {
    "resultTypes": ["violations"],
    "rules": {"label-content-name-mismatch": {"enabled": True}},
}
DEVICES: dict[str, dict[str, Any]] = {"desktop": {}, "phone": PHONE}


@pytest.mark.parametrize("device", DEVICES)
async def test_no_screen_has_a_serious_accessibility_problem(
    visit: Visit, channel: Channel, device: str
) -> None:
    patient = new_patient()
    first = await channel.deliver(patient, "Bom dia")
    stranger = await visit(path="/login?error=invalid", **DEVICES[device])
    await expect(stranger.get_by_role("alert")).not_to_be_empty()
    problems = await _problems(stranger, "sign-in")

    page = await visit(ANA, **DEVICES[device])
    problems += await _problems(page, "list")

    await page.get_by_role("searchbox").fill("ninguém com este nome")
    await expect(page.locator(".conversation-list-pane .empty-state")).to_be_visible()
    problems += await _problems(page, "empty search")

    await page.goto("/c/00000000-0000-0000-0000-000000000000")
    await expect(page.locator(".empty-state-pane")).to_be_visible()
    problems += await _problems(page, "not found")

    await page.goto(f"/c/{first.conversation_id}")
    await thread_of(page, patient.name)
    await answer(page, "Bom dia!")
    await expect(message(page, "Bom dia!")).to_have_attribute("data-status", "sent")
    await composer(page).fill(" ")
    await composer(page).press("Enter")
    problems += await _problems(page, "thread")

    if device == "phone":
        await page.locator(".thread-header-patient-toggle").click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        problems += await _problems(page, "patient")
    else:
        await page.locator(".conversation-list-header button[aria-haspopup=menu]").click()
        await expect(page.get_by_role("menu")).to_be_visible()
        problems += await _problems(page, "menu")

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
    problems = await _problems(page, "offline")

    await menu(page, "Sair")
    await expect(page.get_by_role("alertdialog")).to_be_visible()
    problems += await _problems(page, "question", "[role=alertdialog]")

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


async def _problems(page: Page, screen: str, part: str = "body") -> list[str]:
    """The blocking rules that the screen breaks in light and in dark, with the elements."""
    problems = []
    for scheme in ("dark", "light"):
        await page.emulate_media(color_scheme=scheme)
        await expect(page.locator("html")).to_have_class(scheme)
        await page.evaluate(_ANIMATIONS_END)
        result = await Axe().run(page, part, options=_OPTIONS)
        problems += [
            f"{screen}, {scheme}: {found['id']}: {node['html']}: {node['failureSummary']}"
            for found in result.response["violations"]
            if found["impact"] in BLOCKING
            for node in found["nodes"]
        ]
    return problems


async def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus; fail when it never has."""
    target = page.locator(selector)
    await expect(target).to_be_visible()
    for _ in range(await page.locator("a, button, input, textarea, [tabindex]").count() + 1):
        if await target.evaluate("(element) => element === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab never reaches {selector}")
