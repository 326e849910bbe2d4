"""What a person sees and does on the screen."""

import re
from typing import Any

from playwright.async_api import Locator, Page, expect

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 1,
}

MENUS_LOADED = """
() => performance.getEntriesByType("resource").some(({ name }) => /\\/menus-[^/]+\\.js/.test(name))
"""
"""Whether the page has the library that draws open menus, which comes after everything else."""


async def hydrated(page: Page) -> None:
    """Wait until React has taken over the sign-in page: a press before that is lost."""
    await page.wait_for_function(
        "() => Object.keys(document.querySelector('.link-button') ?? {})"
        ".some(name => name.startsWith('__reactProps'))"
    )


async def live(page: Page) -> None:
    """Return when the screen is connected and the list is there."""
    await expect(page.get_by_test_id("connection-badge")).to_have_attribute("data-status", "live")
    await expect(rows(page).first).to_be_attached()


def rows(page: Page) -> Locator:
    """The rows of the conversation list."""
    return page.get_by_test_id("conversation-row")


def row(page: Page, name: str) -> Locator:
    """The row of a patient."""
    return rows(page).filter(has_text=name)


def messages(page: Page) -> Locator:
    """The messages of the open conversation."""
    return page.get_by_test_id("message")


def message(page: Page, body: str) -> Locator:
    """The message with exactly this text."""
    whole = re.compile(f"^{re.escape(body)}$")
    return messages(page).filter(has=page.locator(".message-body", has_text=whole))


def composer(page: Page) -> Locator:
    """Where staff write."""
    return page.get_by_test_id("composer").locator("textarea")


async def bodies(page: Page) -> list[str]:
    """The texts of the open conversation, as they stand."""
    return await page.locator("[data-testid=message] .message-body").all_inner_texts()


async def open_conversation(page: Page, name: str) -> None:
    """Click a patient's row and wait for the messages."""
    await row(page, name).click()
    await thread_of(page, name)


async def thread_of(page: Page, name: str) -> None:
    """Return when a patient's messages are on the screen."""
    await expect(page.locator(".thread-header")).to_contain_text(name)
    await expect(messages(page).first).to_be_visible()


async def answer(page: Page, text: str) -> None:
    """Write to the patient and send it: with Enter, or on a touch screen with the button."""
    await composer(page).fill(text)
    if await page.evaluate("matchMedia('(pointer: coarse)').matches"):
        await page.get_by_test_id("send").click()
    else:
        await composer(page).press("Enter")


async def menus_loaded(page: Page) -> None:
    """Return when an open menu needs nothing from the server any more."""
    await page.wait_for_function(MENUS_LOADED)


async def menu(page: Page, *names: str) -> None:
    """Choose from the account menu; several names go through its sub-menus."""
    # A menu that is still closing would take the click for its own.
    await expect(page.get_by_role("menu")).to_have_count(0)
    await page.locator(".conversation-list-header button[aria-haspopup=menu]").click()
    for name in names:
        await menu_item(page, name).click()


def menu_item(page: Page, name: str) -> Locator:
    """What an open menu offers under exactly this name, whether or not it has a tick."""
    return page.locator("[role^=menuitem]").filter(has_text=re.compile(f"^{re.escape(name)}$"))


async def fill_in(page: Page, email: str, password: str) -> None:
    """Fill in the sign-in form and send it."""
    await page.locator("input[name=email]").fill(email)
    await page.locator("input[name=password]").fill(password)
    await page.locator("button[type=submit]").click()
