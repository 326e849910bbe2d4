"""Webhooks: an administrator adds one, tests it, sees its deliveries, disables and deletes it."""

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.integration.webhooks.receiver import Receiver, verified
from tests.support.browser.accessibility import accessibility_problems
from tests.support.browser.pages import PHONE
from tests.support.channel import Channel
from tests.support.people import ANA, BRUNO, new_patient
from tests.support.provider.certificates import ADDRESS, certificates
from tests.support.servers.fixtures import StartServer
from tests.support.servers.own_server import eventually
from tests.support.servers.server import Server

OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def sending(start_server: StartServer) -> Server:
    """A server that may send to this machine."""
    return start_server(
        outbound_private_hosts=ADDRESS, outbound_ca_file=str(certificates().ca_file)
    )


async def settings(page: Page) -> None:
    await page.goto("/settings/webhooks")
    await expect(page.get_by_test_id("connection-badge")).to_have_attribute("data-status", "live")
    await expect(page.get_by_text("Carregando…")).to_have_count(0)


async def add(page: Page, url: str, description: str) -> str:
    """Add a webhook; its secret."""
    await page.get_by_label("Endereço").fill(url)
    await page.get_by_label("Descrição").fill(description)
    await page.get_by_role("button", name="Adicionar webhook").click()
    secret = page.get_by_test_id("new-secret")
    await expect(secret).to_be_visible()
    text = await secret.inner_text()
    await page.get_by_role("button", name="Pronto").click()
    await expect(secret).to_have_count(0)
    return text


def webhook(page: Page, description: str) -> Locator:
    return page.locator("[data-webhook]").filter(has_text=description)


async def test_a_webhook_is_added_tested_watched_and_deleted(visit: Visit, sending: Server) -> None:
    ana = await visit(ANA, at=sending, fresh=True)
    await settings(ana)
    await expect(ana.get_by_text("Ainda não há nenhum.")).to_be_visible()
    with Receiver() as receiver:
        secret = await add(ana, receiver.url, "Prontuário")
        row = webhook(ana, "Prontuário")
        await expect(row).to_contain_text("Ativo")
        await expect(row).to_contain_text("Nada foi enviado ainda.")
        await row.get_by_role("button", name="Enviar evento de teste").click()
        await expect(row.get_by_role("status")).to_have_text("O evento de teste foi aceito.")
        channel = Channel(sending)
        await channel.deliver(new_patient(), "Bom dia")
        await channel.close()
        await eventually(lambda: len(receiver.taken) == 3)
        test, message, _ = receiver.taken
        assert verified(secret, test)["type"] == "webhook:test"
        assert verified(secret, message)["data"]["message"]["body"] == "Bom dia"

        await row.get_by_role("button", name="Entregas recentes").click()
        await expect(row.locator("[data-delivery]")).to_have_count(2)
        await expect(row.locator("[data-status=delivered]")).to_have_count(2)
        await expect(row).to_contain_text("O último evento foi aceito")
        assert await accessibility_problems(ana, "deliveries") == []
        await row.get_by_role("button", name="Ocultar entregas").click()
        await expect(row.locator("[data-delivery]")).to_have_count(0)

        receiver.answer = lambda _: 500
        await row.get_by_role("button", name="Enviar evento de teste").click()
        await expect(row.get_by_role("status")).to_contain_text("respondeu com um erro")
        await row.get_by_role("button", name="Reenviar eventos parados").click()
        await expect(row.get_by_role("status")).to_have_text("Não há nada parado.")

    await row.get_by_role("button", name="Novo segredo").click()
    await row.get_by_role("button", name="Criar segredo").click()
    await expect(ana.get_by_test_id("new-secret")).not_to_have_text(secret)
    await ana.get_by_role("button", name="Pronto").click()
    await row.get_by_role("button", name="Desativar").click()
    await expect(row.locator("[data-state=disabled]")).to_have_text("Desativado")
    await row.get_by_role("button", name="Ativar").click()
    await expect(row.locator("[data-state=enabled]")).to_have_text("Ativo")
    await row.get_by_role("button", name="Excluir").click()
    await expect(row.get_by_role("alert")).to_contain_text("será apagado")
    await row.get_by_role("button", name="Excluir", exact=True).click()
    await expect(row).to_have_count(0)
    await ana.goto("/settings/audit")
    for action in ("created", "tested", "secret_rotated", "changed", "deleted"):
        await expect(ana.locator(f"[data-action='webhook.{action}']").first).to_be_visible()


async def test_what_cannot_be_sent_to_is_refused(visit: Visit, sending: Server) -> None:
    ana = await visit(ANA, at=sending, fresh=True)
    await settings(ana)
    await ana.get_by_label("Endereço").fill("https://10.0.0.1/")
    await ana.get_by_role("button", name="Adicionar webhook").click()
    refusal = ana.get_by_role("alert").filter(has_text="rede pública")
    await expect(refusal).to_be_visible()
    await expect(ana.locator("[data-webhook]")).to_have_count(0)


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
async def test_the_screen_is_for_everyone_and_fits(
    visit: Visit, sending: Server, device: dict[str, object]
) -> None:
    ana = await visit(ANA, at=sending, fresh=True, **device)
    await settings(ana)
    assert await accessibility_problems(ana, "no webhook") == []
    await add(ana, f"https://receiver.example/{'events' * 40}", "")
    assert await accessibility_problems(ana, "a webhook") == []
    assert await ana.evaluate(OVERFLOW) <= 0
    row = webhook(ana, "receiver.example")
    await row.get_by_role("button", name="Excluir").click()
    assert await accessibility_problems(ana, "a question") == []
    await row.get_by_role("button", name="Excluir", exact=True).click()
    await expect(row).to_have_count(0)


async def test_the_screen_is_for_administrators(visit: Visit, sending: Server) -> None:
    bruno = await visit(BRUNO, at=sending, fresh=True)
    await bruno.goto("/settings/webhooks")
    await expect(bruno.get_by_role("alert").filter(has_text="permissão")).to_be_visible()
    await expect(bruno.locator("[data-webhook]")).to_have_count(0)
