"""One person at several devices: each shows what the others did, and none takes a draft away."""

from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
from tests.support.browser.pages import (
    answer,
    bodies,
    composer,
    menu,
    menu_item,
    message,
    row,
    thread_of,
)
from tests.support.browser.talk import Talk, another_tab
from tests.support.channel import Channel
from tests.support.colleague import Colleague
from tests.support.people import ANA, CARLA
from tests.support.servers.fixtures import SitDown

MEGABYTE = 1_000_000


async def test_what_one_sends_is_on_the_other_device(visit: Visit, channel: Channel) -> None:
    talk = await Talk.begin(channel)
    computer, phone = [await talk.opened_by(visit, ANA) for _ in range(2)]

    await answer(computer, "Do computador")
    await expect(message(phone, "Do computador")).to_contain_text("Você")
    await answer(phone, "Do celular")

    await expect(message(computer, "Do celular")).to_have_attribute("data-seq", "3")
    for page in (computer, phone):
        assert await bodies(page) == ["Mensagem 1", "Do computador", "Do celular"]
        await expect(row(page, talk.name)).to_contain_text("Você: Do celular")
        await expect(row(page, talk.name).get_by_test_id("unread-badge")).to_have_count(0)


async def _at_two(
    visit: Visit, channel: Channel, sit_down: SitDown
) -> tuple[Talk, Page, Colleague]:
    """Ana at a computer and at a phone that does what it is told, in the same conversation."""
    talk = await Talk.begin(channel)
    computer = await talk.opened_by(visit, ANA)
    return talk, computer, await sit_down(ANA, talk.conversation_id)


async def test_a_draft_follows_to_the_other_device_and_goes_when_it_is_sent(
    visit: Visit, channel: Channel
) -> None:
    talk = await Talk.begin(channel)
    computer, phone = [await talk.opened_by(visit, ANA) for _ in range(2)]

    await composer(computer).press_sequentially("Metade de uma")
    await expect(composer(phone)).to_have_value("Metade de uma")
    await composer(phone).press_sequentially(" resposta")
    await expect(composer(computer)).to_have_value("Metade de uma resposta")
    # A device that comes later has it too.
    tablet = await talk.opened_by(visit, ANA)
    await expect(composer(tablet)).to_have_value("Metade de uma resposta")

    await composer(tablet).press("Enter")
    for page in (computer, phone):
        await expect(message(page, "Metade de uma resposta")).to_be_visible()
        await expect(composer(page)).to_have_value("")


async def test_a_draft_that_is_being_typed_is_never_overwritten(
    visit: Visit, channel: Channel, sit_down: SitDown
) -> None:
    _, computer, phone = await _at_two(visit, channel, sit_down)
    box = composer(computer)
    await box.evaluate(
        "(box) => { window.values = new Set(); setInterval(() => values.add(box.value), 5); }"
    )

    for number in range(6):
        await box.press_sequentially(f"{number} ")
        assert (await phone.does("draft:save", body=f"Do celular {number}"))["ok"]

    await expect(box).to_have_value("0 1 2 3 4 5 ")
    values = await computer.evaluate("() => [...values]")
    assert not any("celular" in value for value in values)
    # The newest wins: what was typed last is what the other device has now.
    await phone.wire.wait_for(lambda frame: '"body":"0 1 2 3 4 5 "' in frame)


async def test_a_newer_draft_of_another_device_shows_when_the_typing_is_over(
    visit: Visit, channel: Channel, sit_down: SitDown
) -> None:
    _, computer, phone = await _at_two(visit, channel, sit_down)
    await composer(computer).press_sequentially("Do computador")
    await phone.wire.wait_for(lambda frame: '"body":"Do computador"' in frame)

    assert (await phone.does("draft:save", body="Do celular"))["ok"]

    await expect(composer(computer)).to_have_value("Do celular")


async def test_a_draft_is_saved_although_the_clock_was_set_back(
    visit: Visit, channel: Channel, sit_down: SitDown
) -> None:
    _, computer, phone = await _at_two(visit, channel, sit_down)
    for typed in ("Antes", " e depois"):
        await composer(computer).press_sequentially(typed)
        await phone.wire.wait_for(lambda frame, typed=typed: f'{typed}"' in frame)  # type: ignore[misc]
        await computer.evaluate("() => { Date.now = () => 1_000_000; }")


async def test_what_this_device_saved_earlier_replaces_nothing_when_it_comes_late(
    visit: Visit, channel: Channel, sit_down: SitDown
) -> None:
    talk, computer, phone = await _at_two(visit, channel, sit_down)
    await composer(computer).press_sequentially("Escrito por último")
    await phone.wire.wait_for(lambda frame: '"body":"Escrito por último"' in frame)
    device = await computer.evaluate("() => localStorage.getItem('clinic-chat:device')")

    # As of a page that is gone: its connection had not yet said all of it.
    late = await phone.does("draft:save", body="", device=device, edit=1)

    assert late["edit"] > 1
    assert late["body"] == "Escrito por último"
    await computer.reload()
    await thread_of(computer, talk.name)
    await expect(composer(computer)).to_have_value("Escrito por último")


async def test_of_two_tabs_the_one_that_was_typed_in_last_wins(
    visit: Visit, channel: Channel, sit_down: SitDown
) -> None:
    talk = await Talk.begin(channel)
    tab = await talk.opened_by(visit, ANA)
    late = await another_tab(tab, talk)
    phone = await sit_down(ANA, talk.conversation_id)
    await composer(tab).press_sequentially("Escrito por último")
    await expect(composer(late)).to_have_value("Escrito por último")

    # What was typed a minute ago in a tab that could not save it until now.
    await late.evaluate("() => { window.now = Date.now; Date.now = () => now() - 60_000; }")
    await composer(late).fill("Escrito antes")
    await late.evaluate("() => { Date.now = now; }")

    await expect(composer(late)).to_have_value("Escrito por último")
    assert not any('"body":"Escrito antes"' in frame for frame in phone.wire.frames)


async def test_a_draft_of_a_megabyte_stays_on_its_device_and_is_not_lost(
    visit: Visit, channel: Channel, sit_down: SitDown
) -> None:
    talk, computer, phone = await _at_two(visit, channel, sit_down)
    box = composer(computer)
    await box.fill("x" * MEGABYTE)
    await box.press("Enter")
    await expect(computer.get_by_test_id("composer").get_by_role("alert")).to_have_text(
        "Uma mensagem tem no máximo 4000 caracteres."
    )

    # What the server takes is bounded, and the socket outlives the refusal.
    refused = await phone.does("draft:save", body="x" * 16_001)
    assert refused["error"]["code"] == "draft_invalid"
    assert (await phone.does("draft:save", body="Do celular"))["ok"]
    await talk.goes_on("Oi")
    await expect(message(computer, "Oi")).to_be_visible()
    await computer.reload()
    await thread_of(computer, talk.name)
    assert await _length(computer) == MEGABYTE


async def test_settings_follow_to_the_other_device(visit: Visit) -> None:
    computer, phone = [await visit(CARLA) for _ in range(2)]

    await menu(computer, "Language", "Português (Brasil)")
    await expect(phone.get_by_test_id("filter-unassigned")).to_contain_text("Livres")
    await menu(phone, "Notificações", "Som")
    await _has_a_tick(computer, "Notificações", "Som", "false")

    await menu(computer, "Notificações", "Som")
    await menu(phone, "Idioma", "English")
    await expect(computer.get_by_test_id("filter-unassigned")).to_contain_text("Unassigned")


async def _length(page: Page) -> int:
    length: int = await composer(page).evaluate("(box) => box.value.length")
    return length


async def _has_a_tick(page: Page, name: str, item: str, checked: str) -> None:
    """Look into a sub-menu of the account menu and close it again."""
    await page.locator(".conversation-list-header button[aria-haspopup=menu]").click()
    await menu_item(page, name).click()
    await expect(menu_item(page, item)).to_have_attribute("aria-checked", checked)
    for _ in range(2):
        await page.keyboard.press("Escape")
    await expect(page.get_by_role("menu")).to_have_count(0)
