"""Several people, or one person's two clinics, in one browser: what waits is its author's."""

import re
from contextlib import closing
from dataclasses import dataclass

from playwright.async_api import Page, expect

from clinic_chat.demo import DEMO_PASSWORD
from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from clinic_chat.storage.sqlite.library import sqlite3
from tests.browser.conftest import Visit
from tests.support.browser.badge import WAITING, badge, badge_is, synced
from tests.support.browser.page_errors import Complaints
from tests.support.browser.pages import (
    answer,
    bodies,
    composer,
    fill_in,
    live,
    menu,
    message,
    row,
    thread_of,
)
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.network.bad_network_scene import NETWORK, SCRIPT, stored_bodies
from tests.support.network.proxy import Proxy
from tests.support.people import ANA, BRUNO, DANIEL
from tests.support.servers.fixtures import sign_in
from tests.support.servers.server import Server

SOCKETS = "/_event"
AT_LOGIN = re.compile(r"/login/?(\?|$)")
WRITTEN = "Resposta que espera"
UNFINISHED = "Rascunho que espera"
IN_QUEUE = re.compile("na fila|waiting")
TOLD = "O que está na fila fica guardado"


@dataclass(frozen=True)
class Away:
    """A tab that lost its connection with a message waiting and a draft."""

    tab: Page
    proxy: Proxy
    talk: Talk
    server: Server

    async def others_tab(self) -> Page:
        """A second tab of the same browser."""
        return await self.tab.context.new_page()

    async def network_is_back(self) -> None:
        """Sockets connect again, that of the tab at once."""
        self.proxy.rejected = None
        await self.tab.evaluate("() => window.dispatchEvent(new Event('online'))")

    def stored(self) -> list[str]:
        """The conversation's messages in the database."""
        return stored_bodies(self.server, self.talk.conversation_id)

    async def kept(self) -> str:
        """Everything that the browser's storage has of this address."""
        text: str = await self.tab.evaluate("() => JSON.stringify({...localStorage})")
        return text


async def _goes_away(page: Page, proxy: Proxy, talk: Talk, server: Server) -> Away:
    await thread_of(page, talk.name)
    await synced(page)
    proxy.rejected = SOCKETS
    proxy.cut()
    await badge_is(page, WAITING)
    await answer(page, WRITTEN)
    await expect(message(page, WRITTEN)).to_have_attribute("data-status", "waiting")
    await composer(page).fill(UNFINISHED)
    return Away(page, proxy, talk, server)


def _rows(server: Server, statement: str, conversation_id: str) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(server.database)) as connection:
        rows = connection.execute(statement, (conversation_id.replace("-", ""),))
        return [(email, text) for email, text in rows]


def _drafts(away: Away) -> list[tuple[str, str]]:
    return _rows(
        away.server,
        "SELECT email, body FROM drafts JOIN users ON users.id = user_id"
        " WHERE conversation_id = ? AND body <> ''",
        away.talk.conversation_id,
    )


def _answers(away: Away) -> list[tuple[str, str]]:
    return _rows(
        away.server,
        "SELECT email, body FROM messages JOIN users ON users.id = author_id"
        " WHERE conversation_id = ?",
        away.talk.conversation_id,
    )


async def test_what_waits_in_a_tab_goes_out_as_its_author_s_whoever_signs_in_meanwhile(
    visit: Visit, server: Server, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(NETWORK)
    talk = await Talk.begin(channel)
    async with Proxy(server.port) as proxy:
        page = await visit(ANA, talk.path, at=proxy, fresh=True, script=SCRIPT)
        away = await _goes_away(page, proxy, talk, server)
        bruno = await away.others_tab()
        await bruno.goto(f"{proxy.origin}/login")
        await fill_in(bruno, BRUNO, DEMO_PASSWORD)
        await bruno.wait_for_url(f"{proxy.origin}/")
        page.on("dialog", lambda dialog: dialog.accept())

        await away.network_is_back()

        # Her tab begins again as his.
        await page.wait_for_url(f"{proxy.origin}/")
        await expect(page.get_by_test_id("notices")).to_contain_text(TOLD)
        for tab in (page, bruno):
            await live(tab)
            await expect(tab.get_by_role("button", name="Conta de Bruno")).to_be_visible()
            await row(tab, talk.name).click()
            await thread_of(tab, talk.name)
            assert await bodies(tab) == ["Mensagem 1"]
            await expect(composer(tab)).to_have_value("")
            await expect(badge(tab)).not_to_contain_text(IN_QUEUE)
        assert away.stored() == ["Mensagem 1"]
        assert _drafts(away) == []
        # He cannot read it where it waits either.
        for text in (WRITTEN, UNFINISHED):
            assert text not in await away.kept()

        async with bruno.expect_response("**/auth/logout") as signed_out:
            await menu(bruno, "Sair")
        # Of pages, not of the storage: hers is there.
        assert (await (await signed_out.value).all_headers())["clear-site-data"] == '"cache"'
        await bruno.wait_for_url(AT_LOGIN)
        await bruno.goto(f"{proxy.origin}/login?next={talk.path}")
        await fill_in(bruno, ANA, DEMO_PASSWORD)
        await thread_of(bruno, talk.name)
        await expect(message(bruno, WRITTEN)).to_have_attribute("data-status", "sent")
        await expect(composer(bruno)).to_have_value(UNFINISHED)
        await expect(badge(bruno)).not_to_contain_text(IN_QUEUE)
    assert _answers(away) == [(ANA, WRITTEN)]
    assert {email for email, _ in _drafts(away)} <= {ANA}


async def test_what_waits_in_one_clinic_does_not_go_out_in_another(
    visit: Visit, server: Server, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(NETWORK)
    talk = await Talk.begin(channel)
    async with Proxy(server.port) as proxy:
        cookie = await sign_in(server, DANIEL, clinic="aurora")
        page = await visit(None, "/login", at=proxy, script=SCRIPT)
        await page.context.add_cookies(
            [{"name": COOKIE_NAME, "value": cookie, "url": proxy.origin, "httpOnly": True}]
        )
        await page.goto(talk.path)
        await live(page)
        away = await _goes_away(page, proxy, talk, server)
        page.on("dialog", lambda dialog: dialog.accept())
        await _moves(page, proxy, "boreal")

        await away.network_is_back()

        await page.wait_for_url(f"{proxy.origin}/")
        await live(page)
        await expect(page.get_by_role("heading", name="Boreal Family Health")).to_be_visible()
        await expect(row(page, talk.name)).to_have_count(0)
        await expect(badge(page)).not_to_contain_text(IN_QUEUE)
        assert away.stored() == ["Mensagem 1"]
        assert WRITTEN not in await away.kept()

        await _moves(page, proxy, "aurora")
        # The session of a clinic that was left has ended, and its tabs say so.
        await page.wait_for_url(AT_LOGIN)
        await page.goto(f"{proxy.origin}{talk.path}")
        await thread_of(page, talk.name)
        await expect(message(page, WRITTEN)).to_have_attribute("data-status", "sent")
        await expect(composer(page)).to_have_value(UNFINISHED)
    assert _answers(away) == [(DANIEL, WRITTEN)]


async def _moves(page: Page, proxy: Proxy, clinic: str) -> None:
    """The person moves to another clinic in another tab of the same browser."""
    answered = await page.context.request.post(
        f"{proxy.origin}/auth/switch", form={"clinic": clinic}, max_redirects=0
    )
    assert answered.status == 303
