"""Single sign-on: an administrator sets the clinic's provider, and a colleague comes from there."""

import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
from tests.support.browser.accessibility import accessibility_problems
from tests.support.browser.pages import PHONE, hydrated, live
from tests.support.people import ANA, BRUNO
from tests.support.provider.certificates import ADDRESS, certificates
from tests.support.provider.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider
from tests.support.servers.fixtures import StartServer
from tests.support.servers.server import Server

CUT_MS = 2_000
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def asking(start_server: StartServer) -> Server:
    """A server that may ask providers on this machine."""
    return start_server(
        outbound_private_hosts=ADDRESS, outbound_ca_file=str(certificates().ca_file)
    )


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    with IdentityProvider() as provider:
        yield provider


async def settings(page: Page, screen: str) -> None:
    await page.goto(f"/settings/{screen}")
    await expect(page.get_by_test_id("connection-badge")).to_have_attribute("data-status", "live")
    await expect(page.get_by_text("Carregando…")).to_have_count(0)


async def set_provider(page: Page, issuer: str) -> None:
    await page.get_by_label("Emissor").fill(issuer)
    await page.get_by_label("ID do cliente").fill(CLIENT_ID)
    await page.get_by_label("Segredo do cliente").fill(CLIENT_SECRET)
    await page.get_by_role("button", name="Salvar").click()


async def test_a_provider_is_set_and_a_colleague_comes_from_there(
    visit: Visit, asking: Server, provider: IdentityProvider
) -> None:
    ana = await visit(ANA, at=asking, fresh=True)
    await settings(ana, "sso")
    address = ana.get_by_role("textbox", name="Endereço de redirecionamento")
    await expect(address).to_have_value(f"{asking.origin}/auth/sso/callback")
    await set_provider(ana, f"{provider.origin}/")
    await expect(ana.locator(".settings-problems")).to_contain_text(provider.origin)
    assert await accessibility_problems(ana, "a problem") == []
    await set_provider(ana, provider.origin)
    await expect(ana.locator(".settings-problems")).to_be_empty()
    await expect(ana.locator(".settings-done")).to_have_text("Salvo.")
    await expect(ana.get_by_label("Segredo do cliente")).to_have_value("")
    assert CLIENT_SECRET not in await ana.content()

    provider.email = BRUNO
    bruno = await visit(path="/login?next=/settings/account", at=asking, ignore_https_errors=True)
    await hydrated(bruno)
    # By keyboard: the name of the clinic has the focus, and Enter goes on.
    await bruno.get_by_role("link", name="Entrar com a conta da sua clínica").press("Enter")
    await expect(bruno.get_by_label("Nome curto da sua clínica")).to_be_focused()
    await hydrated(bruno)
    await bruno.get_by_label("Nome curto da sua clínica").fill("Nowhere")
    await bruno.keyboard.press("Enter")
    await expect(bruno.get_by_role("alert")).to_contain_text("Nenhuma clínica com esse nome")
    assert await accessibility_problems(bruno, "sign-in") == []
    await hydrated(bruno)
    await expect(bruno.get_by_label("Nome curto da sua clínica")).to_have_value("nowhere")
    await bruno.get_by_label("Nome curto da sua clínica").fill("aurora")
    await bruno.keyboard.press("Enter")
    await bruno.wait_for_url(re.compile("/settings/account"))
    await expect(bruno.get_by_text("Você entrou com a conta da sua clínica")).to_be_visible()
    await expect(bruno.get_by_label("Senha atual")).to_have_count(0)
    await expect(bruno.get_by_role("heading", name="Segunda etapa")).to_have_count(0)
    await expect(bruno.get_by_role("alert").filter(has_text=re.compile("."))).to_have_count(0)
    assert await accessibility_problems(bruno, "account") == []
    await bruno.goto("/")
    await live(bruno)

    await settings(ana, "sso")
    await expect(ana.locator("[data-linked]")).to_contain_text(BRUNO)
    await ana.get_by_role("button", name="Remover o provedor").click()
    await ana.get_by_role("button", name="Remover", exact=True).click()
    await bruno.wait_for_url(re.compile(r"/login\?error=ended"), timeout=CUT_MS)
    await expect(ana.locator(".settings-done")).to_contain_text("O provedor foi removido")
    await expect(ana.get_by_label("Emissor")).to_have_value("")
    await settings(ana, "audit")
    first = "entrou pelo provedor de identidade pela primeira vez"
    await expect(ana.locator("[data-action]").filter(has_text=first)).to_have_count(1)


async def test_who_is_no_member_is_told_so_and_the_password_is_near(
    visit: Visit, asking: Server, provider: IdentityProvider
) -> None:
    ana = await visit(ANA, at=asking, fresh=True)
    await settings(ana, "sso")
    await set_provider(ana, provider.origin)
    await expect(ana.locator(".settings-done")).to_have_text("Salvo.")
    provider.email = "nobody@elsewhere.example"

    stranger = await visit(
        path="/auth/sso/start?clinic=aurora", at=asking, ignore_https_errors=True
    )
    await expect(stranger.get_by_role("alert")).to_contain_text("Ninguém desta clínica")
    await hydrated(stranger)
    await stranger.get_by_role("link", name="Entrar com senha").click()
    await expect(stranger.get_by_label("E-mail")).to_be_visible()


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
async def test_the_screens_are_for_everyone_and_fit(
    visit: Visit, asking: Server, device: dict[str, object]
) -> None:
    ana = await visit(ANA, at=asking, fresh=True, **device)
    await settings(ana, "sso")
    assert await accessibility_problems(ana, "single sign-on") == []
    assert await ana.evaluate(OVERFLOW) <= 0
    stranger = await visit(path="/login?step=sso", at=asking, **device)
    await expect(stranger.get_by_label("Nome curto da sua clínica")).to_be_visible()
    assert await accessibility_problems(stranger, "clinic") == []
    assert await stranger.evaluate(OVERFLOW) <= 0


async def test_the_screen_is_for_administrators(visit: Visit, asking: Server) -> None:
    bruno = await visit(BRUNO, at=asking, fresh=True)
    await bruno.goto("/settings/sso")
    await expect(bruno.get_by_role("alert").filter(has_text="permissão")).to_be_visible()
    await expect(bruno.get_by_label("Emissor")).to_have_count(0)
