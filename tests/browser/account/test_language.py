"""The screen speaks the reader's language, and switches when they say so."""

import re
from contextlib import closing
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from clinic_chat.storage.sqlite.library import sqlite3
from tests.browser.conftest import Visit
from tests.support.browser.pages import answer, hydrated, live, menu, message, thread_of
from tests.support.channel import Channel
from tests.support.people import RENATA, new_patient
from tests.support.servers.server import Server

PASSWORD = "long-enough-for-anyone"


@pytest.fixture(scope="module")
def newcomer(server: Server) -> str:
    """Someone who has never chosen a language."""
    email = "nina@aurora.example"
    server.command(
        *("create-user", "--clinic", "aurora", "--email", email, "--name", "Nina Prates"),
        stdin=f"{PASSWORD}\n",
    )
    return email


@pytest.mark.parametrize(
    ("browser_language", "lang", "button"),
    [
        ("pt-BR", "pt-BR", "Entrar"),
        ("pt-PT", "pt-BR", "Entrar"),
        ("en-GB", "en", "Sign in"),
        ("fr-FR", "en", "Sign in"),
    ],
)
async def test_the_first_page_speaks_the_browsers_language(
    visit: Visit, browser_language: str, lang: str, button: str
) -> None:
    page = await visit(path="/login", locale=browser_language)

    await expect(page.get_by_role("button", name=button, exact=True)).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("lang", lang)


async def test_the_sign_in_page_switches_at_once(visit: Visit) -> None:
    page = await visit(path="/login", locale="pt-BR")
    await hydrated(page)
    await _stay(page)

    await page.get_by_role("button", name="English", exact=True).click()

    await expect(page.get_by_label("Password", exact=True)).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    assert await _stayed(page)


async def test_the_menu_switches_at_once_and_the_choice_follows_the_person(
    visit: Visit, channel: Channel, newcomer: str
) -> None:
    patient = new_patient()
    first = await channel.deliver(patient, "Bom dia")
    page = await visit(newcomer, f"/c/{first.conversation_id}", locale="pt-BR", password=PASSWORD)
    await thread_of(page, patient.name)
    await _speaks(page, "pt-BR")
    await _stay(page)

    await menu(page, "Idioma", "English")

    await _speaks(page, "en")
    await expect(page.locator(".connection-word")).to_have_text("Live")
    await expect(page.locator(".message-day")).to_have_text("Today")
    await expect(page.get_by_placeholder("Write a message")).to_be_visible()
    assert await _stayed(page)

    # A socket's events are handled in order: once this is stored, the choice is too.
    await answer(page, "Bom dia!")
    await expect(message(page, "Bom dia!")).to_have_attribute("data-status", "sent")
    elsewhere = await visit(newcomer, locale="pt-BR", password=PASSWORD)
    await _speaks(elsewhere, "en")
    await elsewhere.reload()
    await live(elsewhere)
    await _speaks(elsewhere, "en")


async def test_times_follow_the_language(visit: Visit, channel: Channel, server: Server) -> None:
    patient = new_patient()
    first = await channel.deliver(patient, "Que horas são?")
    # Before ten, where the zero of the hour can get lost.
    _write_at(server, first.conversation_id, "2026-02-03 12:05:00.000000")
    page = await visit(RENATA, f"/c/{first.conversation_id}")
    clock = page.get_by_test_id("message").locator("time")
    await expect(clock).to_have_text("09:05")

    await menu(page, "Idioma", "English")
    await expect(clock).to_have_text(re.compile(r"^9:05\sAM$"))
    await menu(page, "Language", "Português (Brasil)")

    await expect(clock).to_have_text("09:05")


def _write_at(server: Server, conversation_id: str, moment: str) -> None:
    with closing(sqlite3.connect(server.database, timeout=10)) as database, database:
        database.execute(
            "UPDATE messages SET created_at = ? WHERE conversation_id = ?",
            (moment, UUID(conversation_id).hex),
        )


async def _speaks(page: Page, lang: str) -> None:
    search = {"pt-BR": "Buscar nome ou telefone", "en": "Search name or phone"}[lang]
    await expect(page.get_by_role("searchbox", name=search)).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("lang", lang)


async def _stay(page: Page) -> None:
    await page.evaluate("() => { window.stayed = true; }")


async def _stayed(page: Page) -> bool:
    stayed: bool = await page.evaluate("() => window.stayed === true")
    return stayed
