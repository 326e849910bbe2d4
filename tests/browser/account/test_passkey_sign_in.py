"""Passkeys in a browser: added in the settings, used for signing in, and removed."""

import re
from contextlib import closing

import pytest
from playwright.async_api import Locator, Page, expect

from clinic_chat.demo import DEMO_PASSWORD
from clinic_chat.storage.sqlite.library import sqlite3
from tests.browser.conftest import Visit
from tests.support.browser.accessibility import accessibility_problems
from tests.support.browser.authenticator import VirtualAuthenticator, named
from tests.support.browser.page_errors import Complaints
from tests.support.browser.pages import PHONE, fill_in, hydrated, live
from tests.support.people import ANA, BRUNO
from tests.support.servers.restartable_server import QuickServer

NAME = "Computador da recepção"
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
WITHOUT_WEBAUTHN = "delete window.PublicKeyCredential"


async def own_account(page: Page, quick: QuickServer) -> None:
    """Open the settings of one's own account; the person is signed in."""
    await page.goto(f"{named(quick)}/settings/account")
    await expect(page.get_by_test_id("connection-badge")).to_have_attribute("data-status", "live")
    await expect(page.locator("[data-session]").first).to_be_visible()


async def at_the_sign_in(visit: Visit, quick: QuickServer, **options: object) -> Page:
    page = await visit(path=f"{named(quick)}/login", at=quick, **options)
    await hydrated(page)
    return page


async def signed_in(visit: Visit, quick: QuickServer, who: str, **options: object) -> Page:
    """A person's page after they gave their password."""
    page = await at_the_sign_in(visit, quick, **options)
    await fill_in(page, who, DEMO_PASSWORD)
    await live(page)
    return page


async def add_passkey(page: Page, name: str = NAME) -> None:
    """Fill the form in; the device has to be touched."""
    await page.get_by_label("Nome da chave de acesso").fill(name)
    await page.locator("#passkey-password").fill(DEMO_PASSWORD)
    await page.get_by_role("button", name="Adicionar chave de acesso").click()
    await expect(page.locator("[data-passkey]").filter(has_text=name)).to_be_visible()


async def with_passkey(
    visit: Visit, quick: QuickServer, who: str
) -> tuple[Page, VirtualAuthenticator]:
    """A person's browser with a passkey, where nobody is signed in any more."""
    page = await signed_in(visit, quick, who)
    device = await VirtualAuthenticator.of(page)
    await own_account(page, quick)
    await device.touch()
    await add_passkey(page)
    await device.leave()
    await page.context.clear_cookies()
    await page.goto(f"{named(quick)}/login")
    await hydrated(page)
    return page, device


def passkey_button(page: Page) -> Locator:
    return page.get_by_role("button", name="Entrar com uma chave de acesso")


async def test_a_passkey_is_added_used_and_removed(
    visit: Visit, quick: QuickServer, complaints: Complaints
) -> None:
    complaints.allow("422")
    page = await signed_in(visit, quick, BRUNO)
    device = await VirtualAuthenticator.of(page)
    await own_account(page, quick)
    await page.locator("#passkey-password").fill("errada")
    await page.get_by_role("button", name="Adicionar chave de acesso").click()
    section = page.locator("section").filter(has=page.get_by_role("heading", name="Chaves"))
    await expect(section.get_by_role("alert")).to_have_text("Essa não é a sua senha atual.")
    await device.touch()
    await add_passkey(page)
    await expect(page.get_by_test_id("recovery-codes").locator("code")).to_have_count(10)
    await expect(section.locator(".settings-done")).to_have_text(
        "Sua chave de acesso foi adicionada."
    )
    assert await accessibility_problems(page, "account with a passkey") == []
    # The same device keeps one passkey for one person.
    await page.locator("#passkey-password").fill(DEMO_PASSWORD)
    await page.get_by_role("button", name="Adicionar chave de acesso").click()
    await expect(section.get_by_role("alert")).to_have_text(
        "Este aparelho já guarda uma chave de acesso sua."
    )
    await device.leave()

    await page.context.clear_cookies()
    await page.goto(f"{named(quick)}/login?next=/settings/account")
    await hydrated(page)
    await device.touch()
    await passkey_button(page).click()
    await page.wait_for_url(re.compile(r":\d+/settings/account"))
    row = page.locator("[data-passkey]")
    await expect(row).to_contain_text("Último uso")

    await row.get_by_role("button", name=f"Renomear {NAME}").click()
    await page.get_by_label("Novo nome").fill("Meu computador")
    await row.get_by_role("button", name="Salvar").click()
    await expect(row).to_contain_text("Meu computador")
    await row.get_by_role("button", name="Remover Meu computador").click()
    await row.get_by_label("Sua senha atual").fill("errada")
    await row.get_by_role("button", name="Remover", exact=True).click()
    await expect(row.get_by_role("alert")).to_have_text("Essa não é a sua senha atual.")
    assert await accessibility_problems(page, "account, removing a passkey") == []
    await row.get_by_label("Sua senha atual").fill(DEMO_PASSWORD)
    await row.get_by_role("button", name="Remover", exact=True).click()
    await expect(row).to_have_count(0)
    await expect(section.locator(".settings-done")).to_have_text(
        "Sua chave de acesso foi removida."
    )

    ana = await visit(ANA, at=quick, fresh=True)
    await ana.goto("/settings/audit")
    acts = ana.locator("[data-action]")
    await expect(acts).to_have_count(3)
    await expect(acts.nth(2)).to_contain_text("adicionou uma chave de acesso")
    await expect(acts.nth(0)).to_contain_text("removeu uma chave de acesso")


async def test_a_passkey_is_the_second_step_by_the_keyboard_alone(
    visit: Visit, quick: QuickServer
) -> None:
    page, device = await with_passkey(visit, quick, BRUNO)
    await page.keyboard.type(BRUNO)
    await page.keyboard.press("Tab")
    await page.keyboard.type(DEMO_PASSWORD)
    await page.keyboard.press("Enter")

    await page.wait_for_url(re.compile("step=passkey"))
    await expect(page.get_by_role("button", name="Usar sua chave de acesso")).to_be_focused()
    assert await accessibility_problems(page, "second step by passkey") == []
    await device.touch()
    await page.keyboard.press("Enter")
    await live(page)


async def test_the_browser_offers_the_passkey_where_the_address_is_typed(
    visit: Visit, quick: QuickServer
) -> None:
    page, device = await with_passkey(visit, quick, BRUNO)
    await expect(page.get_by_label("E-mail")).to_have_attribute("autocomplete", "username webauthn")
    # The person takes what the browser offers; nothing on the page is pressed.
    await device.touch()
    await page.reload()
    await live(page)


async def test_who_cancels_or_has_no_passkey_is_told_and_signs_in_with_the_password(
    visit: Visit, quick: QuickServer, complaints: Complaints
) -> None:
    complaints.allow("401")
    page = await at_the_sign_in(visit, quick)
    device = await VirtualAuthenticator.of(page)
    await device.touch()
    await passkey_button(page).click()
    await expect(page.get_by_role("alert")).to_contain_text("não foi usada")
    assert await accessibility_problems(page, "sign-in after a cancelled passkey") == []
    await fill_in(page, BRUNO, DEMO_PASSWORD)
    await live(page)

    # The server has forgotten the passkey that the device still has.
    await own_account(page, quick)
    await add_passkey(page)
    with closing(sqlite3.connect(quick.database)) as database:
        database.execute("DELETE FROM passkeys")
        database.commit()
    await page.context.clear_cookies()
    await page.goto(f"{named(quick)}/login")
    await expect(page.get_by_role("alert")).to_have_text(
        "Essa chave de acesso não abre nenhuma conta aqui."
    )
    await fill_in(page, BRUNO, DEMO_PASSWORD)
    await live(page)


async def test_a_device_that_does_not_know_its_person_opens_nothing(
    visit: Visit, quick: QuickServer
) -> None:
    page, device = await with_passkey(visit, quick, BRUNO)
    await device.touch(verified=False)
    await passkey_button(page).click()
    await expect(page.get_by_role("alert")).to_contain_text("não foi usada")


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
async def test_every_step_is_for_everyone_and_fits(
    visit: Visit, quick: QuickServer, device: dict[str, object]
) -> None:
    page = await at_the_sign_in(visit, quick, **device)
    for step in ("", "?step=passkey", "?step=either", "?step=code"):
        await page.goto(f"{named(quick)}/login{step}")
        await hydrated(page)
        assert await accessibility_problems(page, f"sign-in {step}") == []
        assert await page.evaluate(OVERFLOW) <= 0, step


@pytest.mark.parametrize("lacks", ["address", "browser"])
async def test_where_there_are_no_passkeys_nothing_offers_them(
    visit: Visit, quick: QuickServer, lacks: str
) -> None:
    origin = quick.origin if lacks == "address" else named(quick)
    script = None if lacks == "address" else WITHOUT_WEBAUTHN
    page = await visit(path=f"{origin}/login", at=quick, script=script)
    await hydrated(page)
    await expect(passkey_button(page)).to_be_hidden()
    await fill_in(page, BRUNO, DEMO_PASSWORD)
    await live(page)
    await page.goto(f"{origin}/settings/account")
    told = "endereço com nome e HTTPS" if lacks == "address" else "Este navegador não aceita"
    await expect(page.get_by_text(told)).to_be_visible()
    await expect(page.locator("#passkey-password")).to_have_count(0)

    await page.goto(f"{origin}/login?step=passkey")
    await expect(page.get_by_text("Use um código.")).to_be_visible()
    await expect(page.get_by_role("button", name="Usar sua chave")).to_have_count(0)
