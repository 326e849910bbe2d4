"""What the style sheet leaves out of Radix Themes is used by nothing that opens."""

import re

from playwright.async_api import Page, expect

from clinic_chat.ui.stylesheet import COMPONENTS
from tests.browser.channel import Channel
from tests.browser.conftest import Visit
from tests.browser.outage import CUT, KEEP_SOCKETS, REFUSED, go_offline
from tests.browser.pages import answer, menu, message, thread_of
from tests.browser.people import ANA, new_patient
from tests.browser.watch import Complaints

KEPT = re.compile(rf"rt-({'|'.join(COMPONENTS)})(?![a-z])")
COMPONENT = re.compile(r"rt-[A-Z]\w*")
# Radix has no rule for it.
BARE = {"rt-PopperContent"}
_CLASSES = """
() => [...document.querySelectorAll("[class*='rt-']")].flatMap(({classList}) => [...classList])
"""
_SELECTORS = """
() => {
  const rulesOf = ({cssRules, selectorText}) =>
    [selectorText ?? "", ...[...(cssRules ?? [])].flatMap(rulesOf)];
  return [...document.styleSheets].flatMap(rulesOf);
}
"""


async def test_every_menu_and_dialog_has_the_rules_of_its_components(
    visit: Visit, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(CUT)
    complaints.allow(REFUSED)
    patient = new_patient()
    first = await channel.deliver(patient, "Bom dia")
    page = await visit(ANA, f"/c/{first.conversation_id}", script=KEEP_SOCKETS)
    await thread_of(page, patient.name)
    shown: set[str] = set()

    for sub_menu in ("Idioma", "Aparência", "Notificações"):
        await menu(page, sub_menu)
        await expect(page.get_by_role("menu")).to_have_count(2)
        shown |= await _components(page)
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("menu")).to_have_count(0)
    for button in ("assignee", "status"):
        await page.get_by_test_id(button).click()
        await expect(page.get_by_role("menu")).to_be_visible()
        shown |= await _components(page)
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("menu")).to_have_count(0)
    await go_offline(page)
    await answer(page, "Nunca enviada")
    await expect(message(page, "Nunca enviada")).to_be_visible()
    await menu(page, "Sair")
    await expect(page.get_by_role("alertdialog")).to_be_visible()
    shown |= await _components(page)

    assert {"rt-BaseMenuSubTrigger", "rt-AlertDialogContent"} <= shown
    assert {name for name in shown if not KEPT.match(name)} == BARE
    styled = {name for rule in await page.evaluate(_SELECTORS) for name in COMPONENT.findall(rule)}
    assert {"rt-BaseMenuContent", "rt-BaseDialogContent"} <= styled
    assert {name for name in styled if not KEPT.match(name)} == set()


async def _components(page: Page) -> set[str]:
    """The classes of Radix Themes' components in the page."""
    return {name for name in await page.evaluate(_CLASSES) if COMPONENT.fullmatch(name)}
