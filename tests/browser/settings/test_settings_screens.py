"""The settings screens: a clinic is staffed, opened to programs and looked after in a browser."""

import re
from collections.abc import AsyncIterator

import httpx
import pyotp
import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from clinic_chat.demo import DEMO_PASSWORD
from tests.browser.conftest import Visit
from tests.support.browser.accessibility import accessibility_problems
from tests.support.browser.page_errors import Complaints
from tests.support.browser.pages import (
    PHONE,
    answer,
    live,
    message,
    open_conversation,
    row,
    thread_of,
)
from tests.support.channel import Channel
from tests.support.people import ANA, BRUNO, RENATA, new_patient
from tests.support.servers.restartable_server import QuickServer

EVA = "eva.duarte@aurora.example"
NEW_PASSWORD = "uma tarde no parque"
CUT_MS = 2_000
SCREENS = ("account", "staff", "clinic", "tokens", "webhooks", "audit")
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest_asyncio.fixture(loop_scope="session")
async def channel(quick: QuickServer) -> AsyncIterator[Channel]:
    """A channel of the server whose clinic the test changes."""
    channel = Channel(quick)
    yield channel
    await channel.close()


async def settings(page: Page, screen: str) -> None:
    """Open a settings screen and wait until what it shows is there."""
    await page.goto(f"/settings/{screen}")
    await expect(page.get_by_test_id("connection-badge")).to_have_attribute("data-status", "live")
    await expect(page.get_by_text("Carregando…")).to_have_count(0)


def said(page: Page) -> Locator:
    """The line that says what was done."""
    return page.locator(".settings-done:not(:empty)")


def member(page: Page, email: str) -> Locator:
    return page.locator("[data-user]").filter(has_text=email)


async def test_a_colleague_is_invited_joins_answers_and_is_sent_away(
    visit: Visit, quick: QuickServer, channel: Channel, complaints: Complaints
) -> None:
    ana = await visit(ANA, at=quick, fresh=True)
    await ana.get_by_role("button", name=re.compile("^Conta de")).click()
    await ana.get_by_role("menuitem", name="Configurações").click()
    await ana.get_by_role("link", name="Equipe").click()
    await expect(ana.get_by_role("heading", level=1)).to_have_text("Equipe")
    await ana.get_by_label("E-mail").fill(EVA)
    await ana.get_by_label("Função", exact=True).select_option("receptionist")
    await ana.get_by_role("button", name="Criar link").click()
    link = await ana.get_by_test_id("invitation-link").input_value()
    assert link.startswith(f"{quick.origin}/join#")
    await expect(ana.get_by_role("heading", name="Convites em aberto")).to_be_visible()

    eva = await visit(path=link, at=quick)
    await expect(eva.get_by_text("Clínica Aurora convida você")).to_be_visible()
    assert "#" not in eva.url
    await eva.get_by_label("Seu nome").fill("Eva Duarte")
    await eva.get_by_label("Nova senha").fill("eva duarte aurora")
    complaints.allow("409|422")
    await eva.get_by_role("button", name="Participar").click()
    await expect(eva.get_by_role("alert")).to_contain_text("fora da senha")
    await eva.get_by_label("Nova senha").fill(NEW_PASSWORD)
    await eva.get_by_role("button", name="Participar").click()
    await live(eva)

    patient = new_patient()
    await channel.deliver(patient, "Bom dia, tem horário?")
    await expect(row(eva, patient.name)).to_be_visible()
    await open_conversation(eva, patient.name)
    await thread_of(eva, patient.name)
    await answer(eva, "Bom dia! Tem sim.")
    await expect(message(eva, "Bom dia! Tem sim.")).to_have_attribute("data-status", "sent")

    await settings(ana, "staff")
    await expect(member(ana, EVA)).to_contain_text("Eva Duarte")
    await member(ana, EVA).get_by_role("button", name="Desativar Eva Duarte").click()
    await member(ana, EVA).get_by_role("button", name="Desativar", exact=True).click()
    await expect(member(ana, EVA)).to_have_attribute("data-active", "false")
    await eva.wait_for_url(re.compile(r"/login\?error=ended"), timeout=CUT_MS)

    again = await visit(path=link, at=quick)
    await expect(again.get_by_role("alert")).to_have_text("Este link não vale mais. Peça um novo.")
    await settings(ana, "audit")
    acts = ana.locator("[data-action]")
    await expect(acts).to_have_count(3)
    await expect(acts.nth(0)).to_contain_text("Ana Beatriz Moura: desativou um membro")
    await expect(acts.nth(1)).to_contain_text("Eva Duarte: entrou na equipe")


async def test_a_role_is_changed_and_the_last_administrator_stays(
    visit: Visit, quick: QuickServer
) -> None:
    ana = await visit(ANA, at=quick, fresh=True)
    await settings(ana, "staff")

    await member(ana, RENATA).get_by_role("combobox").select_option("professional")
    await expect(member(ana, RENATA).get_by_role("combobox")).to_have_value("professional")
    await member(ana, ANA).get_by_role("combobox").select_option("receptionist")

    await expect(ana.get_by_role("alert")).to_contain_text("precisa de um administrador")
    await expect(member(ana, ANA).get_by_role("combobox")).to_have_value("admin")


async def test_a_program_gets_a_token_uses_it_and_loses_it(
    visit: Visit, quick: QuickServer, complaints: Complaints
) -> None:
    ana = await visit(ANA, at=quick, fresh=True)
    await settings(ana, "tokens")
    await ana.get_by_label("Nome do programa").fill("Agenda")
    await ana.get_by_label("Informar o que houve").uncheck()
    await ana.get_by_role("button", name="Criar token").click()
    token = await ana.get_by_test_id("new-token").inner_text()
    body = {"patient": {"name": "Pedro", "phone": "+5511987650000"}, "body": "oi"}

    async with httpx.AsyncClient(
        base_url=quick.origin, headers={"Authorization": f"Bearer {token}"}
    ) as program:
        stored = await program.post("/api/v1/inbound", json={**body, "externalId": "token-1"})
        assert stored.status_code == 201
        report = await program.post(
            f"/api/v1/messages/{stored.json()['message']['id']}/status", json={"status": "read"}
        )
        assert (report.status_code, report.json()["error"]["code"]) == (403, "forbidden")
        listed = ana.locator("[data-token]").filter(has_text="Agenda")
        await ana.reload()
        await expect(listed).to_contain_text("Último uso")
        assert token not in await ana.content()
        await listed.get_by_role("button", name="Revogar Agenda").click()
        await listed.get_by_role("button", name="Revogar", exact=True).click()
        await expect(listed).to_contain_text("Revogado")
        refused = await program.post("/api/v1/inbound", json={**body, "externalId": "token-2"})
        assert refused.status_code == 401


async def test_a_clinics_name_and_time_zone_are_changed(visit: Visit, quick: QuickServer) -> None:
    ana = await visit(ANA, at=quick, fresh=True)
    await settings(ana, "clinic")
    await ana.get_by_label("Nome", exact=True).fill("Clínica Aurora do Norte")
    await ana.get_by_label("Fuso horário").fill("Marte/Base")
    await ana.get_by_role("button", name="Salvar", exact=True).click()
    await expect(ana.get_by_role("alert").filter(has_text="fuso")).to_contain_text(
        "fuso horário não existe"
    )
    await ana.get_by_label("Fuso horário").fill("America/Manaus")
    await ana.get_by_role("button", name="Salvar", exact=True).click()
    await expect(said(ana)).to_have_text("Salvo.")

    await ana.get_by_role("link", name="Voltar às conversas").click()
    await live(ana)
    await expect(ana.get_by_role("heading", level=1)).to_have_text("Clínica Aurora do Norte")
    await expect(ana.get_by_text("Escolha uma conversa")).to_be_visible()


async def test_two_administrators_change_different_settings(
    visit: Visit, quick: QuickServer
) -> None:
    ana, elsewhere = [await visit(ANA, at=quick, fresh=True) for _ in range(2)]
    for page in (ana, elsewhere):
        await settings(page, "clinic")
    for page, label, value in (
        (ana, "Nome", "Clínica Aurora do Sul"),
        (elsewhere, "Fuso horário", "America/Belem"),
    ):
        await page.get_by_label(label, exact=True).fill(value)
        await page.get_by_role("button", name="Salvar", exact=True).click()
        await expect(said(page)).to_have_text("Salvo.")
    await expect(elsewhere.get_by_label("Nome", exact=True)).to_have_value("Clínica Aurora do Sul")

    await settings(ana, "clinic")
    await expect(ana.get_by_label("Nome", exact=True)).to_have_value("Clínica Aurora do Sul")
    await expect(ana.get_by_label("Fuso horário", exact=True)).to_have_value("America/Belem")


async def test_a_clinic_says_when_it_is_open(visit: Visit, quick: QuickServer) -> None:
    ana = await visit(ANA, at=quick, fresh=True)
    await settings(ana, "clinic")
    monday = ana.locator("[data-day='0']")
    await expect(monday).to_contain_text("Fechado")
    await ana.get_by_role("button", name="Adicionar horário: Segunda-feira").focus()
    await ana.keyboard.press("Enter")
    await expect(monday.get_by_label("Abre")).to_have_value("08:00")
    await monday.get_by_label("Fecha").fill("12:00")
    await ana.get_by_role("button", name="Adicionar horário: Segunda-feira").click()
    await monday.get_by_label("Abre").nth(1).fill("11:30")
    await monday.get_by_label("Fecha").nth(1).fill("18:00")
    await ana.get_by_role("button", name="Salvar horário").click()
    await expect(ana.get_by_role("alert").filter(has_text="se sobrepõem")).to_be_visible()
    await monday.get_by_label("Abre").nth(1).fill("13:30")
    await ana.get_by_role("button", name="Usar o horário de segunda até sexta").click()
    await expect(ana.get_by_label("Fecha: Sexta-feira")).to_have_count(2)
    await ana.get_by_role("button", name="Adicionar horário: Sábado").click()
    await ana.get_by_label("Fecha: Sábado").fill("00:00")
    await ana.get_by_role("button", name="Remover horário: Terça-feira").first.click()
    await expect(ana.get_by_label("Abre: Terça-feira")).to_have_count(1)
    await ana.get_by_role("button", name="Salvar horário").click()
    await expect(said(ana)).to_have_text("Salvo.")

    await ana.reload()
    await expect(ana.get_by_label("Abre: Segunda-feira").nth(1)).to_have_value("13:30")
    await expect(ana.get_by_label("Abre: Terça-feira")).to_have_value("13:30")
    await expect(ana.get_by_label("Fecha: Sábado")).to_have_value("00:00")
    await expect(ana.locator("[data-day='6']")).to_contain_text("Fechado")


async def test_a_clinic_says_how_long_it_keeps_conversations(
    visit: Visit, quick: QuickServer
) -> None:
    ana = await visit(ANA, at=quick, fresh=True)
    await settings(ana, "clinic")
    outlook = ana.get_by_test_id("retention-outlook")
    await expect(outlook).to_have_count(0)
    await ana.get_by_label("Meses de guarda").fill("24")
    await ana.get_by_role("button", name="Salvar prazo").click()
    await expect(said(ana)).to_have_text("Salvo.")
    await expect(outlook).to_contain_text("Nenhuma conversa passou do prazo ainda.")
    await ana.get_by_role("button", name="Salvar", exact=True).click()
    await expect(said(ana).first).to_have_text("Salvo.")

    await ana.reload()
    await expect(ana.get_by_label("Meses de guarda")).to_have_value("24")
    await ana.get_by_label("Meses de guarda").fill("")
    await ana.get_by_role("button", name="Salvar prazo").click()
    await expect(outlook).to_have_count(0)


async def test_a_new_password_signs_out_everywhere_else(visit: Visit, quick: QuickServer) -> None:
    here = await visit(BRUNO, at=quick, fresh=True)
    there = await visit(BRUNO, at=quick, fresh=True)
    await settings(here, "account")
    await expect(here.locator("[data-session]")).to_have_count(2)
    await expect(here.get_by_role("link", name="Equipe")).to_have_count(0)

    await here.get_by_label("Senha atual").fill("errada")
    await here.get_by_label("Nova senha").fill(NEW_PASSWORD)
    await here.get_by_role("button", name="Alterar senha").click()
    await expect(here.get_by_role("alert")).to_have_text("Essa não é a sua senha atual.")
    await here.get_by_label("Senha atual").fill(DEMO_PASSWORD)
    await here.get_by_label("Nova senha").fill(NEW_PASSWORD)
    await here.get_by_role("button", name="Alterar senha").click()

    await expect(here.locator(".settings-done")).to_contain_text("Sua senha foi alterada")
    await expect(here.locator("[data-session]")).to_have_count(1)
    await there.wait_for_url(re.compile(r"/login\?error=ended"), timeout=CUT_MS)
    await visit(BRUNO, at=quick, fresh=True, password=NEW_PASSWORD)


async def test_what_is_not_ones_own_is_refused(visit: Visit, quick: QuickServer) -> None:
    bruno = await visit(BRUNO, at=quick, fresh=True)
    for screen in ("staff", "clinic", "tokens", "audit"):
        await bruno.goto(f"/settings/{screen}")
        await expect(bruno.get_by_role("alert")).to_have_text(
            "Você não tem permissão para isso nesta clínica."
        )
        await expect(bruno.locator("[data-user], [data-token], [data-action]")).to_have_count(0)


async def test_an_auditor_reads_the_trail_and_no_messages(
    visit: Visit, quick: QuickServer, channel: Channel
) -> None:
    ana = await visit(ANA, at=quick, fresh=True)
    renata = await visit(RENATA, at=quick, fresh=True)
    await settings(ana, "staff")
    await member(ana, RENATA).get_by_role("combobox").select_option("auditor")
    await expect(member(ana, RENATA).get_by_role("combobox")).to_have_value("auditor")

    await renata.reload()
    await expect(renata.get_by_text("Sua função não lê conversas.")).to_be_visible()
    await expect(renata.get_by_test_id("conversation-row")).to_have_count(0)
    delivered = await channel.deliver(new_patient(), "Só para a equipe")
    await renata.goto(f"/c/{delivered.conversation_id}")
    await expect(renata.get_by_text("Conversa não encontrada")).to_be_visible()
    await settings(renata, "audit")
    await expect(renata.locator("[data-action]")).to_have_count(1)
    assert "Só para a equipe" not in await renata.content()


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
async def test_every_screen_is_for_everyone_and_fits(
    visit: Visit, quick: QuickServer, device: dict[str, object]
) -> None:
    ana = await visit(ANA, at=quick, fresh=True, **device)
    for screen in SCREENS:
        await settings(ana, screen)
        if screen == "staff":
            await ana.get_by_label("E-mail").fill("maria.eduarda.de.albuquerque@aurora.example")
            await ana.get_by_role("button", name="Criar link").click()
            await expect(ana.get_by_test_id("invitation-link")).to_be_visible()
        assert await accessibility_problems(ana, screen) == []
        assert await ana.evaluate(OVERFLOW) <= 0, screen


async def test_a_second_step_is_set_up_asked_for_and_required(
    visit: Visit, quick: QuickServer, complaints: Complaints
) -> None:
    complaints.allow("403")
    bruno = await visit(BRUNO, at=quick, fresh=True)
    await settings(bruno, "account")
    await bruno.get_by_role("button", name="Configurar").click()
    await expect(bruno.get_by_role("img", name="QR code")).to_be_visible()
    app = pyotp.TOTP(await bruno.get_by_test_id("factor-secret").inner_text())
    await bruno.get_by_label("Código que o aplicativo").fill("000000")
    await bruno.get_by_role("button", name="Ativar etapa").click()
    await expect(bruno.get_by_role("alert")).to_contain_text("não está certo")
    await bruno.get_by_label("Código que o aplicativo").fill(app.now())
    await bruno.get_by_role("button", name="Ativar etapa").click()
    shown = bruno.get_by_test_id("recovery-codes").locator("code")
    await expect(shown).to_have_count(10)
    codes = await shown.all_inner_texts()

    again = await visit(path="/login?next=/settings/account", at=quick)
    await again.get_by_label("E-mail").fill(BRUNO)
    await again.get_by_label("Senha", exact=True).fill(DEMO_PASSWORD)
    await again.get_by_role("button", name="Entrar", exact=True).click()
    await again.get_by_label("Código do aplicativo").fill("000000")
    await again.get_by_role("button", name="Entrar", exact=True).click()
    await expect(again.get_by_role("alert")).to_contain_text("não está certo")
    await again.get_by_label("Código do aplicativo").fill(codes[0])
    await again.get_by_role("button", name="Entrar", exact=True).click()
    await again.wait_for_url(re.compile("/settings/account"))
    await expect(again.get_by_text("Restam 9 códigos")).to_be_visible()

    ana = await visit(ANA, at=quick, fresh=True)
    await settings(ana, "clinic")
    await ana.get_by_label("Todos entram com uma segunda etapa").check()
    await ana.get_by_role("button", name="Salvar", exact=True).click()
    await expect(said(ana)).to_have_text("Salvo.")
    await ana.goto("/")
    await expect(ana.get_by_text("Sua clínica pede uma segunda etapa")).to_be_visible()
    await expect(ana.get_by_test_id("conversation-row")).to_have_count(0)
    await settings(ana, "account")
    await ana.get_by_role("button", name="Configurar").click()
    app = pyotp.TOTP(await ana.get_by_test_id("factor-secret").inner_text())
    await ana.get_by_label("Código que o aplicativo").fill(app.now())
    await ana.get_by_role("button", name="Ativar etapa").click()
    await ana.get_by_role("button", name="Ir para as conversas").click()
    await live(ana)
