"""The patient's panel where it does not fit beside the thread."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.support.browser.pages import PHONE, composer, thread_of
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.people import ANA

TABLET = {"viewport": {"width": 1024, "height": 768}}


async def _escape(page: Page) -> None:
    await page.keyboard.press("Escape")


async def _beside(page: Page) -> None:
    await page.mouse.click(10, 300)


async def _back(page: Page) -> None:
    await page.go_back()


async def _button(page: Page) -> None:
    await page.get_by_role("button", name="Fechar dados do paciente").click()


@pytest.mark.parametrize("close", [_escape, _beside, _back, _button])
async def test_it_closes_as_dialogs_do_and_the_conversation_stays(
    visit: Visit, channel: Channel, close: Callable[[Page], Awaitable[None]]
) -> None:
    talk = await Talk.begin(channel)
    for options in (TABLET, PHONE):
        page = await talk.opened_by(visit, ANA, **options)
        await page.locator(".thread-header-patient-toggle").click()
        await expect(_drawer(page)).to_contain_text(talk.name)
        await expect(_drawer(page)).to_contain_text(_shown(talk.patient.phone))

        await close(page)

        await expect(_drawer(page)).to_have_count(0)
        await thread_of(page, talk.name)
        await expect(page.locator(".thread-header-patient-toggle")).to_be_focused()
        await page.context.close()


async def test_the_focus_stays_in_it_and_what_is_behind_it_is_out_of_reach(
    visit: Visit, channel: Channel
) -> None:
    talk = await Talk.begin(channel)
    page = await talk.opened_by(visit, ANA, **TABLET)
    await page.locator(".thread-header-patient-toggle").focus()
    await page.keyboard.press("Enter")
    await expect(_drawer(page)).to_be_visible()

    for _ in range(5):
        assert await page.evaluate(
            "() => document.activeElement === document.body"
            " || Boolean(document.activeElement.closest('dialog'))"
        )
        await page.keyboard.press("Tab")
    await composer(page).evaluate("(box) => box.focus()")
    await expect(composer(page)).not_to_be_focused()


async def test_another_conversation_does_not_open_under_it(visit: Visit, channel: Channel) -> None:
    first, second = await Talk.begin(channel), await Talk.begin(channel)
    page = await first.opened_by(visit, ANA, **PHONE)
    await page.locator(".thread-header-back").tap()
    await page.get_by_text(second.name).tap()
    await thread_of(page, second.name)
    await page.locator(".thread-header-patient-toggle").tap()
    await expect(_drawer(page)).to_be_visible()

    await page.evaluate("() => window.history.go(-3)")

    await thread_of(page, first.name)
    await expect(_drawer(page)).to_have_count(0)
    await page.locator(".thread-header-patient-toggle").tap()
    await expect(_drawer(page)).to_contain_text(first.name)


def _drawer(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Dados do paciente")


def _shown(phone: str) -> str:
    """A mobile number of Rio de Janeiro in groups."""
    return f"+55 21 {phone[5:10]}-{phone[10:]}"
