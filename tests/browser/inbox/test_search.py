"""The search box, the filters, and the keys that go through the list."""

import re

import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.support.browser.pages import composer, live, rows, thread_of
from tests.support.channel import Channel
from tests.support.people import ANA, Patient, new_patient

NAMES = ("Generosa de Fátima Quintão", "Maria D’Ávila", "Ana\u2011Lúcia Straße", "So\u00adfia Lima")
TAB_STOPS = """
() => [...document.querySelectorAll("[data-testid=conversation-row] a")]
  .filter((link) => link.tabIndex === 0).length
"""
NOTE_THE_LAST_ROW = """
() => addEventListener("keydown", () => {
  window.lastRow = [...document.querySelectorAll("[data-testid=conversation-row] a")].at(-1);
}, { capture: true, once: true })
"""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def patients(channel: Channel) -> list[Patient]:
    """People whose names and numbers are written in several ways."""
    people = [Patient(name, new_patient().phone) for name in NAMES]
    people.append(Patient("Pessoa de São Paulo", "+5511987650321"))
    for person in people:
        await channel.deliver(person, "Bom dia")
    return people


async def test_enter_that_accepts_a_suggestion_of_the_keyboard_opens_nobody(
    visit: Visit, patients: list[Patient]
) -> None:
    ana = await visit(ANA)
    await _box(ana).fill("Generosa")
    await expect(rows(ana)).to_have_count(1)

    # Safari ends the composition before the key that accepts the suggestion (webkit.org/b/165004).
    prevented = await _box(ana).evaluate(
        """(box) => {
          box.dispatchEvent(new CompositionEvent("compositionend", {data: "a", bubbles: true}));
          return !box.dispatchEvent(new KeyboardEvent("keydown",
            {key: "Enter", keyCode: 229, bubbles: true, cancelable: true}));
        }"""
    )

    assert not prevented
    assert not await ana.evaluate("() => location.pathname.startsWith('/c/')")
    await _box(ana).press("Enter")
    await thread_of(ana, patients[0].name)


async def test_people_are_found_as_one_writes_their_names_and_numbers(
    visit: Visit, patients: list[Patient], channel: Channel
) -> None:
    ana = await visit(ANA)
    generosa, maria, ana_lucia, sofia, paulo = patients
    for text, found in (
        ("generosa quintao", generosa),
        ("QUINTAO gene", generosa),
        ("d'avila", maria),
        ("davila maria", maria),
        ("ana-lucia strasse", ana_lucia),
        ("sofia", sofia),
        ("011 98765-0321", paulo),
        ("00 55 11 8765 0321", paulo),
        ("(11) 98765-0321 pessoa", paulo),
    ):
        await _search(ana, text)
        await expect(rows(ana)).to_contain_text(found.name[-6:])
        # What the browser finds by itself is the same: a row that changes stays.
        await channel.deliver(found, f"Sou eu: {text}")
        await expect(rows(ana)).to_contain_text(f"Sou eu: {text}")
        await expect(rows(ana)).to_have_count(1)
    await _search(ana, "generosa lima", 0)


async def test_what_was_found_is_marked(visit: Visit, patients: list[Patient]) -> None:
    ana = await visit(ANA)
    for text, marked in (
        ("quint fat", ["Fát", "Quint"]),
        ("d'avi", ["D’Ávi"]),
        ("strasse", ["Straße"]),
    ):
        await _search(ana, text)
        await expect(rows(ana).first.locator("mark")).to_have_text(marked)
    await _box(ana).fill("")
    await expect(ana.locator(".conversation-row-name mark")).to_have_count(0)


async def test_enter_opens_the_first_hit_also_before_it_is_there(
    visit: Visit, patients: list[Patient]
) -> None:
    ana = await visit(ANA)
    await _box(ana).fill("fatima quintao")
    await _box(ana).press("Enter")

    await thread_of(ana, NAMES[0])
    await expect(composer(ana)).to_be_focused()
    await expect(_box(ana)).to_have_value("fatima quintao")
    assert "fatima" not in ana.url


async def test_down_goes_from_the_box_into_the_list_and_up_comes_back(
    visit: Visit, patients: list[Patient]
) -> None:
    ana = await visit(ANA)
    await _box(ana).focus()
    await ana.keyboard.press("ArrowDown")
    await expect(_link(ana, 0)).to_be_focused()
    await ana.keyboard.press("ArrowDown")
    await expect(_link(ana, 1)).to_be_focused()
    # More rows may come as soon as the last one is in view: which one it was when the key came.
    await ana.evaluate(NOTE_THE_LAST_ROW)
    await ana.keyboard.press("End")
    assert await ana.evaluate("document.activeElement === window.lastRow")
    await ana.keyboard.press("Home")
    await expect(_link(ana, 0)).to_be_focused()
    assert await ana.evaluate(TAB_STOPS) == 1
    await ana.keyboard.press("ArrowUp")
    await expect(_box(ana)).to_be_focused()

    await ana.keyboard.press("ArrowDown")
    name = await rows(ana).first.locator(".conversation-row-name").inner_text()
    await ana.keyboard.press("Space")
    await thread_of(ana, name)
    # Of the row that is open already, Enter leads to where one writes.
    await rows(ana).first.get_by_role("link").focus()
    await ana.keyboard.press("Enter")
    await expect(composer(ana)).to_be_focused()


async def test_the_list_is_one_stop_for_tab_and_loads_nothing_by_itself_on_the_way(
    visit: Visit, patients: list[Patient], channel: Channel
) -> None:
    for _ in range(40 - len(patients)):
        await channel.deliver(new_patient(), "Bom dia")
    ana = await visit(ANA)
    await rows(ana).first.click()
    await expect(composer(ana)).to_be_focused()
    shown = await rows(ana).count()
    for _ in range(20):
        await ana.keyboard.press("Shift+Tab")
        if await _box(ana).evaluate("(box) => box === document.activeElement"):
            break
    await expect(_box(ana)).to_be_focused()
    assert await rows(ana).count() == shown
    assert await ana.evaluate(TAB_STOPS) == 1


async def test_links_skip_to_the_list_and_to_the_conversation(
    visit: Visit, patients: list[Patient]
) -> None:
    ana = await visit(ANA)
    to_list = ana.get_by_role("link", name="Ir para a lista")
    await ana.keyboard.press("Tab")
    await expect(to_list).to_be_focused()
    await rows(ana).nth(1).click()
    await expect(composer(ana)).to_be_focused()
    address = ana.url

    await to_list.focus()
    await ana.keyboard.press("Enter")
    await expect(_link(ana, 1)).to_be_focused()
    to_conversation = ana.get_by_role("link", name="Ir para a conversa")
    await to_conversation.focus()
    await ana.keyboard.press("Enter")
    await expect(composer(ana)).to_be_focused()
    assert ana.url == address


async def test_no_hit_says_what_is_searched_and_leads_back(
    visit: Visit, patients: list[Patient]
) -> None:
    ana = await visit(ANA)
    await ana.get_by_test_id("filter-mine").click()
    await _search(ana, "ninguém assim", 0)
    empty = ana.locator(".conversation-list-pane .empty-state")
    await expect(empty).to_contain_text("Nenhum paciente encontrado para “ninguém assim”.")
    await expect(empty).to_contain_text("A busca olha nomes e números de telefone.")

    await empty.get_by_role("button", name="Limpar busca").click()
    await expect(_box(ana)).to_have_value("")
    await expect(_box(ana)).to_be_focused()
    await _search(ana, "quintao", 0)
    await ana.get_by_role("button", name="Limpar filtros").click()
    await expect(rows(ana)).to_have_count(1)
    await expect(ana.get_by_test_id("filter-all")).to_have_attribute("aria-pressed", "true")


async def test_filters_are_in_the_address_and_the_search_is_not(
    visit: Visit, channel: Channel
) -> None:
    patient = Patient("Ubirajara Terra", new_patient().phone)
    await channel.deliver(patient, "Bom dia")
    ana = await visit(ANA)
    await ana.get_by_test_id("filter-unassigned").click()
    await ana.get_by_test_id("filter-status").select_option("open")
    await ana.get_by_test_id("filter-unread").click()
    query = re.compile(r"\?who=unassigned&status=open&unread=1$")
    await expect(ana).to_have_url(query)
    await _search(ana, "ubirajara")
    await expect(ana).to_have_url(query)
    await rows(ana).first.click()
    await thread_of(ana, patient.name)
    await expect(ana).to_have_url(
        re.compile(r"/c/[0-9a-f-]+\?who=unassigned&status=open&unread=1$")
    )

    # The box says what filters the list, also after a reload.
    await ana.reload()
    await live(ana)
    await _filtered(ana)
    await expect(_box(ana)).to_have_value("ubirajara")
    await expect(rows(ana)).to_have_count(1)
    tab = await ana.context.new_page()
    await tab.goto(ana.url)
    await live(tab)
    await _filtered(tab)
    await expect(_box(tab)).to_have_value("")


async def test_filters_that_are_none_show_everything(visit: Visit) -> None:
    ana = await visit(ANA, "/?who=everybody&status=closed&unread=yes")
    await expect(ana.get_by_test_id("filter-all")).to_have_attribute("aria-pressed", "true")
    await expect(ana.get_by_test_id("filter-status")).to_have_value("")
    await expect(ana.get_by_test_id("filter-unread")).to_have_attribute("aria-pressed", "false")


async def _filtered(page: Page) -> None:
    for name in ("unassigned", "unread"):
        await expect(page.get_by_test_id(f"filter-{name}")).to_have_attribute(
            "aria-pressed", "true"
        )
    await expect(page.get_by_test_id("filter-status")).to_have_value("open")


async def _search(page: Page, text: str, hits: int = 1) -> None:
    """Type into the box and wait for so many hits."""
    await _box(page).fill(text)
    await expect(rows(page)).to_have_count(hits)


def _box(page: Page) -> Locator:
    return page.get_by_role("searchbox")


def _link(page: Page, place: int) -> Locator:
    return rows(page).nth(place).get_by_role("link")
