"""What is written without a connection is shown, kept, sent once and never lost silently."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Dialog, Page, expect

from clinic_chat.demo import DEMO_PASSWORD
from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from clinic_chat.storage.sqlite.library import sqlite3
from tests.browser.chromium import LAUNCH_ARGUMENTS, chromium_path
from tests.browser.conftest import VIEWPORT, Visit
from tests.support.browser.badge import LIVE, WAITING, badge, badge_is, synced
from tests.support.browser.page_errors import Complaints
from tests.support.browser.pages import (
    answer,
    bodies,
    composer,
    fill_in,
    menu,
    menus_loaded,
    message,
    messages,
    open_conversation,
    row,
    thread_of,
)
from tests.support.channel import Channel
from tests.support.network.bad_network_scene import NETWORK, SCRIPT, stored_bodies
from tests.support.network.connect_attempts import attempts
from tests.support.network.proxy import Proxy
from tests.support.people import ANA, BRUNO, Patient, new_patient
from tests.support.servers.fixtures import sign_in
from tests.support.servers.server import Server

SOCKETS = "/_event"
AT_LOGIN = re.compile(r"/login/?(\?|$)")


async def _desk(visit: Visit, proxy: Proxy, channel: Channel) -> tuple[Page, Patient, str]:
    """Ana behind the proxy, with a new patient's conversation open."""
    patient = new_patient()
    first = await channel.deliver(patient, "Bom dia")
    page = await visit(ANA, f"/c/{first.conversation_id}", at=proxy, fresh=True, script=SCRIPT)
    await thread_of(page, patient.name)
    await synced(page)
    return page, patient, first.conversation_id


async def _cut_off(page: Page, proxy: Proxy) -> None:
    """Let pages load but nothing connect."""
    proxy.rejected = SOCKETS
    proxy.cut()
    await badge_is(page, WAITING)


async def _connect_again(page: Page, proxy: Proxy) -> None:
    proxy.rejected = None
    await page.evaluate("() => window.dispatchEvent(new Event('online'))")
    await badge_is(page, LIVE)


async def test_what_is_written_offline_waits_survives_a_reload_and_goes_out_once_in_order(
    visit: Visit, server: Server, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(NETWORK)
    texts = [f"Resposta {number}" for number in range(5)]
    async with Proxy(server.port) as proxy:
        page, patient, conversation = await _desk(visit, proxy, channel)
        await _cut_off(page, proxy)
        for text in texts:
            await answer(page, text)
            await expect(message(page, text)).to_have_attribute("data-status", "waiting")
        await expect(badge(page)).to_contain_text("5 na fila")
        page.on("dialog", Dialog.accept)

        # The page loads but knows nobody yet; what waits is there as soon as it does.
        await page.reload()
        assert stored_bodies(server, conversation) == ["Bom dia"]
        proxy.rejected = None

        await thread_of(page, patient.name)
        await expect(message(page, texts[-1])).to_have_attribute("data-status", "sent")
        await expect(badge(page)).not_to_contain_text("na fila")
        assert await bodies(page) == ["Bom dia", *texts]
    assert stored_bodies(server, conversation) == ["Bom dia", *texts]
    assert len(set(_client_ids(server, conversation))) == len(texts)


async def test_two_tabs_share_what_waits_and_neither_loses_the_others(
    visit: Visit, server: Server, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(NETWORK)
    async with Proxy(server.port) as proxy:
        one, patient, conversation = await _desk(visit, proxy, channel)
        other = await one.context.new_page()
        await other.goto(f"{proxy.origin}/c/{conversation}")
        await thread_of(other, patient.name)
        await _cut_off(one, proxy)
        await badge_is(other, WAITING)
        for number in range(4):
            for name, page in (("Uma", one), ("Outra", other)):
                await answer(page, f"{name} {number}")
        for page in (one, other):
            await expect(badge(page)).to_contain_text("8 na fila")
            await expect(messages(page)).to_have_count(9)

        await asyncio.gather(*(_connect_again(page, proxy) for page in (one, other)))

        for page in (one, other):
            await expect(badge(page)).not_to_contain_text("na fila")
            await expect(messages(page)).to_have_count(9)
            assert await bodies(page) == stored_bodies(server, conversation)
    stored = stored_bodies(server, conversation)
    for name in ("Uma", "Outra"):
        mine = [body for body in stored if body.startswith(name)]
        assert mine == [f"{name} {number}" for number in range(4)]


async def test_what_waits_survives_a_restart_of_the_browser(
    browser: Browser, server: Server, channel: Channel, tmp_path: Path
) -> None:
    patient = new_patient()
    first = await channel.deliver(patient, "Bom dia")
    cookie = await sign_in(server, ANA)
    async with Proxy(server.port) as proxy:
        path = f"{proxy.origin}/c/{first.conversation_id}"
        async with _own_browser(browser, tmp_path, cookie, proxy) as page:
            await page.goto(path)
            await thread_of(page, patient.name)
            await _cut_off(page, proxy)
            await answer(page, "Antes do fim da bateria")
            await composer(page).fill("Um rascun")
            await expect(message(page, "Antes do fim da bateria")).to_be_visible()

        proxy.rejected = None
        async with _own_browser(browser, tmp_path, cookie, proxy) as page:
            await page.goto(path)
            sent = message(page, "Antes do fim da bateria")
            await expect(sent).to_have_attribute("data-status", "sent")
            await expect(composer(page)).to_have_value("Um rascun")
    assert stored_bodies(server, first.conversation_id) == ["Bom dia", "Antes do fim da bateria"]


@asynccontextmanager
async def _own_browser(
    browser: Browser, folder: Path, cookie: str, proxy: Proxy
) -> AsyncIterator[Page]:
    """A browser whose profile is kept in a folder."""
    context: BrowserContext = await browser.browser_type.launch_persistent_context(
        folder,
        executable_path=chromium_path(),
        args=LAUNCH_ARGUMENTS,
        viewport=VIEWPORT,
        locale="pt-BR",
    )
    try:
        await context.add_cookies(
            [{"name": COOKIE_NAME, "value": cookie, "url": proxy.origin, "httpOnly": True}]
        )
        yield context.pages[0]
    finally:
        await context.close()


async def test_a_refused_message_keeps_its_reason_until_it_is_sent_again_or_discarded(
    visit: Visit, server: Server, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(NETWORK)
    async with Proxy(server.port) as proxy:
        page, patient, conversation = await _desk(visit, proxy, channel)
        page.on("dialog", Dialog.accept)
        with server.locked():
            for text in ("Fica", "Sai"):
                await answer(page, text)
                await expect(message(page, text)).to_have_attribute("data-status", "failed")
        await expect(badge(page)).to_contain_text("2 na fila")

        await page.reload()
        await thread_of(page, patient.name)
        for text in ("Fica", "Sai"):
            await expect(message(page, text).get_by_role("alert")).to_contain_text(
                "Não enviada: o servidor da clínica não consegue salvar agora."
            )
        await message(page, "Sai").get_by_role("button", name="Descartar").click()
        await expect(message(page, "Sai")).to_have_count(0)
        await message(page, "Fica").get_by_role("button", name="Tentar de novo").click()

        await expect(message(page, "Fica")).to_have_attribute("data-status", "sent")
        await expect(badge(page)).not_to_contain_text("na fila")
    assert stored_bodies(server, conversation) == ["Bom dia", "Fica"]


async def test_leaving_with_messages_waiting_warns_and_staying_keeps_the_connection(
    visit: Visit, server: Server, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(NETWORK)
    async with Proxy(server.port) as proxy:
        page, patient, _ = await _desk(visit, proxy, channel)
        made = len(await attempts(page))
        with server.locked():
            await answer(page, "Ainda não guardada")
            async with page.expect_event("dialog") as asked:
                await page.close(run_before_unload=True)
            dialog = await asked.value
            assert dialog.type == "beforeunload"
            await dialog.dismiss()
        await channel.deliver(patient, "Ainda aí?")

        await expect(message(page, "Ainda aí?")).to_be_visible()
        await badge_is(page, LIVE)
        assert len(await attempts(page)) == made
        assert not await page.evaluate("() => badgeLog.some(({status}) => status === 'waiting')")


async def test_leaving_with_nothing_waiting_asks_nothing(
    visit: Visit, server: Server, channel: Channel
) -> None:
    async with Proxy(server.port) as proxy:
        page, _, _ = await _desk(visit, proxy, channel)
        await answer(page, "Guardada")
        await expect(message(page, "Guardada")).to_have_attribute("data-status", "sent")
        async with page.expect_event("close"):
            await page.close(run_before_unload=True)


async def test_signing_out_warns_clears_and_is_not_done_without_the_server(
    visit: Visit, server: Server, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(NETWORK)
    async with Proxy(server.port) as proxy:
        page, patient, conversation = await _desk(visit, proxy, channel)
        await menus_loaded(page)
        await _cut_off(page, proxy)
        await answer(page, "Nunca enviada")
        await composer(page).fill("Nunca terminada")

        await menu(page, "Sair")
        dialog = page.get_by_role("alertdialog")
        await expect(dialog).to_contain_text("1 mensagem")
        await dialog.get_by_role("button", name="Não sair").click()
        await expect(message(page, "Nunca enviada")).to_be_visible()

        proxy.rejected = ""
        proxy.cut()
        await menu(page, "Sair")
        await dialog.get_by_role("button", name="Sair e descartar").click()
        await expect(page.get_by_test_id("notices")).to_contain_text("Você ainda não saiu")
        await expect(message(page, "Nunca enviada")).to_be_visible()

        proxy.rejected = SOCKETS
        await menu(page, "Sair")
        await dialog.get_by_role("button", name="Sair e descartar").click()
        await page.wait_for_url(AT_LOGIN)
        proxy.rejected = None

        await page.goto(f"{proxy.origin}/c/{conversation}")
        await fill_in(page, ANA, DEMO_PASSWORD)
        await thread_of(page, patient.name)
        await expect(composer(page)).to_have_value("")
        assert await bodies(page) == ["Bom dia"]
        for trace in ("Nunca enviada", "Nunca terminada"):
            assert trace not in await page.evaluate("() => JSON.stringify(localStorage)")
    assert stored_bodies(server, conversation) == ["Bom dia"]


async def test_an_expired_session_leads_back_to_the_same_conversation_with_everything(
    visit: Visit, server: Server, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(NETWORK)
    async with Proxy(server.port) as proxy:
        page, patient, conversation = await _desk(visit, proxy, channel)
        await menus_loaded(page)
        await _cut_off(page, proxy)
        await answer(page, "Escrita antes do fim")
        await composer(page).fill("Ainda por escr")
        await _end_session(page, server)

        # A question whether to leave would fail the test: nothing accepts it.
        page.on("dialog", lambda dialog: pytest.fail(f"asked: {dialog.type}"))
        proxy.rejected = None
        await page.wait_for_url(AT_LOGIN)
        await expect(page.get_by_role("alert")).to_have_text("Sua sessão terminou. Entre de novo.")

        # Somebody else at the same browser sees and sends none of it.
        await fill_in(page, BRUNO, DEMO_PASSWORD)
        await thread_of(page, patient.name)
        await badge_is(page, LIVE)
        await expect(composer(page)).to_have_value("")
        assert await bodies(page) == ["Bom dia"]
        await expect(badge(page)).not_to_contain_text("na fila")
        await menu(page, "Sair")
        await page.wait_for_url(AT_LOGIN)
        assert stored_bodies(server, conversation) == ["Bom dia"]

        await page.goto(f"{proxy.origin}/c/{conversation}")
        await fill_in(page, ANA, DEMO_PASSWORD)
        await thread_of(page, patient.name)
        sent = message(page, "Escrita antes do fim")
        await expect(sent).to_have_attribute("data-status", "sent")
        await expect(composer(page)).to_have_value("Ainda por escr")
    assert stored_bodies(server, conversation) == ["Bom dia", "Escrita antes do fim"]


async def test_a_new_build_loads_without_a_question_and_without_losing_anything(
    visit: Visit, server: Server, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(NETWORK)
    async with Proxy(server.port) as proxy:
        page, _, conversation = await _desk(visit, proxy, channel)
        page.on("dialog", lambda dialog: pytest.fail(f"asked: {dialog.type}"))
        with server.locked():
            await answer(page, "Enviada durante a troca")
            await composer(page).fill("Rascunho durante a troca")
            await page.evaluate("() => (window.before = true)")
            # What the server says to a page that was built for another version of it.
            async with page.expect_event("load"):
                proxy.inject(
                    '42/_event,["state_mismatch",{"backend":"new","reload_cooldown_ms":1000}]'
                )
        assert await page.evaluate("() => window.before") is None

        sent = message(page, "Enviada durante a troca")
        await expect(sent).to_have_attribute("data-status", "sent")
        await expect(composer(page)).to_have_value("Rascunho durante a troca")
    assert stored_bodies(server, conversation) == ["Bom dia", "Enviada durante a troca"]


async def test_a_draft_typed_offline_survives_a_reload(
    visit: Visit, server: Server, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(NETWORK)
    async with Proxy(server.port) as proxy:
        page, patient, _ = await _desk(visit, proxy, channel)
        other = new_patient()
        await channel.deliver(other, "Oi")
        await expect(row(page, other.name)).to_be_visible()
        await _cut_off(page, proxy)
        await composer(page).fill("Escrito sem rede")

        await page.reload()
        proxy.rejected = None

        await thread_of(page, patient.name)
        await expect(composer(page)).to_have_value("Escrito sem rede")
        await open_conversation(page, other.name)
        await expect(composer(page)).to_have_value("")


async def test_what_a_person_does_offline_says_that_it_was_not_done(
    visit: Visit, server: Server, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(NETWORK)
    async with Proxy(server.port) as proxy:
        page, patient, _ = await _desk(visit, proxy, channel)
        await menus_loaded(page)
        lines = page.get_by_test_id("notices").locator(".notices-line")
        await _cut_off(page, proxy)
        for number, (button, item) in enumerate(
            [
                ("status", "Resolvida"),
                ("assignee", "Atribuir a mim"),
                ("status", "Marcar como não lida"),
            ]
        ):
            await _choose(page, button, item)
            not_done = lines.filter(has_text="Nada foi alterado: sem conexão")
            await expect(not_done).to_have_count(number + 1)
        await _connect_again(page, proxy)
        await open_conversation(page, patient.name)
        await expect(page.get_by_test_id("status")).to_have_attribute("data-status", "open")
        await expect(page.get_by_test_id("assignee")).to_have_attribute("data-assigned", "false")

        # Asked, but nobody can know what became of it.
        with proxy.blackhole():
            await _choose(page, "status", "Resolvida")
            proxy.cut()
            await expect(lines.filter(has_text="Veja se foi feito")).to_have_count(1)


async def _choose(page: Page, button: str, item: str) -> None:
    await expect(page.get_by_role("menu")).to_have_count(0)
    await page.get_by_test_id(button).click()
    await page.get_by_role("menuitem", name=item, exact=True).click()


async def test_what_is_read_offline_is_marked_read_afterwards(
    visit: Visit, server: Server, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(NETWORK)
    async with Proxy(server.port) as proxy:
        page, patient, _ = await _desk(visit, proxy, channel)
        phone = await visit(ANA, at=server)
        unread = row(phone, patient.name).get_by_test_id("unread-badge")
        await expect(unread).to_have_count(0)
        await page.bring_to_front()
        await _cut_off(page, proxy)
        await channel.deliver(patient, "Chegou sem rede")
        await expect(unread).to_contain_text("1")

        await _connect_again(page, proxy)

        await expect(message(page, "Chegou sem rede")).to_be_visible()
        await expect(unread).to_have_count(0)


async def _end_session(page: Page, server: Server) -> None:
    """The session of the page ends at the server, as when it has idled for too long."""
    cookies = {cookie["name"]: cookie["value"] for cookie in await page.context.cookies()}
    async with httpx.AsyncClient(base_url=server.origin) as client:
        client.cookies.set(COOKIE_NAME, cookies[COOKIE_NAME])
        answered = await client.post("/auth/logout")
    assert answered.status_code == 303


def _client_ids(server: Server, conversation_id: str) -> list[str]:
    with closing(sqlite3.connect(server.database)) as connection:
        rows = connection.execute(
            "SELECT client_id FROM messages WHERE conversation_id = ? AND direction = 'outbound'",
            (conversation_id.replace("-", ""),),
        )
        return [client_id for (client_id,) in rows]
