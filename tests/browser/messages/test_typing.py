"""Colleagues see who is writing an answer, for as long as they do (Rocket.Chat #14612)."""

from contextlib import closing
from time import monotonic

from playwright.async_api import Browser, Page, expect

from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from clinic_chat.realtime.presence.activity import EXPIRE_SECONDS
from clinic_chat.storage.sqlite.library import sqlite3
from tests.browser.conftest import Visit
from tests.support.browser.own_browser import kill_tabs, own_browser
from tests.support.browser.pages import composer, message, row, thread_of
from tests.support.browser.talk import Talk, another_tab
from tests.support.browser.timers import milliseconds
from tests.support.channel import Channel
from tests.support.people import ANA, BRUNO, DANIEL, RENATA
from tests.support.servers.fixtures import SitDown, sign_in
from tests.support.servers.server import Server

# Long before the four seconds without a key after which a typist counts as idle.
AT_ONCE_MS = 2000
IDLE_SECONDS = milliseconds("presence/typing.js", "IDLE_MS") / 1000
REPEAT_SECONDS = milliseconds("presence/typing.js", "REPEAT_MS") / 1000
# What is repeated faster than this is not told on.
MINIMUM_SECONDS = 0.5
TAB_GONE_SECONDS = 5
# What the way to the screen and a busy machine may add.
SLACK_SECONDS = 1.5
REMEMBER_SENT = """
window.sent = [];
const {send} = WebSocket.prototype;
WebSocket.prototype.send = function (frame) {
  window.sent.push(String(frame));
  send.call(this, frame);
};
"""


async def test_the_thread_and_the_row_show_who_types_until_four_seconds_without_a_key(
    visit: Visit, channel: Channel
) -> None:
    talk = await Talk.begin(channel)
    ana = await talk.opened_by(visit, ANA, script=REMEMBER_SENT)
    bruno = await talk.opened_by(visit, BRUNO)
    renata = await visit(RENATA)

    began = monotonic()
    await composer(ana).press_sequentially("Um momento", delay=300)
    ended = monotonic()
    starts = await _told(ana, "typing:start")

    await _shows(bruno, "Ana está digitando…")
    for page in (bruno, renata):
        await expect(row(page, talk.name)).to_contain_text("Ana está digitando…")
    await _nobody_types(bruno, within_ms=(IDLE_SECONDS + SLACK_SECONDS) * 1000)
    assert monotonic() - ended > IDLE_SECONDS - 0.5
    for page in (bruno, renata):
        await expect(row(page, talk.name)).to_contain_text("Mensagem 1")
    assert 2 <= starts <= 1 + (ended - began) / REPEAT_SECONDS
    assert await _told(ana, "typing:stop") == 1


async def test_typing_ends_at_once_on_sending_clearing_looking_away_and_leaving(
    visit: Visit, channel: Channel
) -> None:
    talk, other = await Talk.begin(channel), await Talk.begin(channel)
    ana = await talk.opened_by(visit, ANA)
    bruno = await talk.opened_by(visit, BRUNO)

    for stop in (
        lambda: composer(ana).fill(""),
        lambda: composer(ana).press("Enter"),
        lambda: composer(ana).blur(),
        lambda: row(ana, other.name).click(),
    ):
        await composer(ana).press_sequentially("Bom")
        await _shows(bruno, "Ana está digitando…")
        await stop()
        await _nobody_types(bruno)

    await expect(message(bruno, "Bom")).to_have_count(1)


async def test_two_typists_are_two_names_and_more_are_a_number(
    visit: Visit, channel: Channel, sit_down: SitDown
) -> None:
    talk = await Talk.begin(channel)
    ana = await talk.opened_by(visit, ANA)
    bruno, renata, daniel = [
        await sit_down(who, talk.conversation_id) for who in (BRUNO, RENATA, DANIEL)
    ]

    await bruno.types()
    await renata.types()
    await _shows(ana, "Bruno e Renata estão digitando…")
    await expect(row(ana, talk.name)).to_contain_text("2 pessoas estão digitando…")
    await daniel.types()
    await _shows(ana, "3 pessoas estão digitando…")
    # Each is known on their own: who stops takes nothing from the others.
    await bruno.stops()
    await _shows(ana, "Renata e Daniel estão digitando…")
    await renata.leaves()
    await _shows(ana, "Daniel está digitando…")


async def test_nobody_sees_themselves_type_not_even_in_other_tabs_and_devices(
    visit: Visit, channel: Channel, sit_down: SitDown
) -> None:
    talk = await Talk.begin(channel)
    ana = await talk.opened_by(visit, ANA)
    tab = await another_tab(ana, talk)
    phone = await talk.opened_by(visit, ANA)
    bruno = await sit_down(BRUNO, talk.conversation_id)

    await composer(ana).press_sequentially("Bom")
    await bruno.hears("typing:start")
    # What was told before this is on the screen with it.
    await talk.goes_on("Alguém?")

    for page in (ana, tab, phone):
        await expect(message(page, "Alguém?")).to_be_visible()
        assert await page.get_by_test_id("typing-indicator").count() == 0
        assert "digitando" not in await row(page, talk.name).inner_text()


async def test_typing_expires_when_its_end_is_lost(
    visit: Visit, channel: Channel, sit_down: SitDown
) -> None:
    talk = await Talk.begin(channel)
    ana = await talk.opened_by(visit, ANA)
    bruno = await sit_down(BRUNO, talk.conversation_id)

    await bruno.types()
    began = monotonic()
    await _shows(ana, "Bruno está digitando…")
    await _nobody_types(ana, within_ms=(EXPIRE_SECONDS + SLACK_SECONDS) * 1000)

    assert monotonic() - began > EXPIRE_SECONDS - 0.5
    # Whoever comes now is not told of it either.
    await ana.reload()
    await thread_of(ana, talk.name)
    assert await ana.get_by_test_id("typing-indicator").count() == 0


async def test_a_killed_tab_types_no_more_and_its_person_goes_offline(
    visit: Visit, channel: Channel, browser: Browser, server: Server
) -> None:
    talk = await Talk.begin(channel)
    bruno = await talk.opened_by(visit, BRUNO)
    state = bruno.locator(".presence-staff li").filter(has_text="Ana Beatriz Moura")
    async with own_browser(browser) as doomed:
        context = await doomed.new_context(base_url=server.origin)
        cookie = await sign_in(server, ANA)
        await context.add_cookies([{"name": COOKIE_NAME, "value": cookie, "url": server.origin}])
        ana = await context.new_page()
        await ana.goto(talk.path)
        await thread_of(ana, talk.name)
        await composer(ana).press_sequentially("Bom")
        await _shows(bruno, "Ana está digitando…")
        await expect(bruno.get_by_test_id("viewers")).to_have_text("Ana está vendo")

        await kill_tabs(doomed)

        killed = monotonic()
        await _nobody_types(bruno)
        await expect(bruno.get_by_test_id("viewers")).to_have_count(0)
        await expect(state).to_have_attribute("data-online", "false")
        assert monotonic() - killed < TAB_GONE_SECONDS


async def test_typing_writes_nothing_to_the_database(
    channel: Channel, server: Server, sit_down: SitDown
) -> None:
    talk = await Talk.begin(channel)
    # No pages, which would save what is typed as drafts.
    ana, bruno = [await sit_down(who, talk.conversation_id) for who in (ANA, BRUNO)]

    with closing(sqlite3.connect(server.database)) as database:
        before = _commits(database)
        for number in range(1, 4):
            await ana.types()
            await ana.stops()
            await bruno.hears("typing:start", number)
            await bruno.hears("typing:stop", number)
        after = _commits(database)

    assert after == before


async def test_a_flood_of_typing_is_thinned_and_the_socket_stays(
    channel: Channel, sit_down: SitDown
) -> None:
    talk = await Talk.begin(channel)
    ana, bruno = [await sit_down(who, talk.conversation_id) for who in (ANA, BRUNO)]

    began = monotonic()
    for _ in range(300):
        await ana.types()
    seconds = monotonic() - began
    written = await ana.does("message:send", body="Oi", clientId=talk.conversation_id)
    await bruno.hears("typing:stop")

    assert written["ok"]
    assert 1 <= bruno.heard("typing:start") <= 1 + seconds / MINIMUM_SECONDS


async def _shows(page: Page, text: str) -> None:
    """Return when the thread names the typists so."""
    await expect(page.get_by_test_id("typing-indicator")).to_have_text(text)


async def _nobody_types(page: Page, *, within_ms: float = AT_ONCE_MS) -> None:
    """Return when the thread says of nobody that they type."""
    await expect(page.get_by_test_id("typing-indicator")).to_have_count(0, timeout=within_ms)


async def _told(page: Page, event: str) -> int:
    """How often the page told the server this. The page needs `REMEMBER_SENT`."""
    sent: list[str] = await page.evaluate("() => window.sent")
    return sum(event in frame for frame in sent)


def _commits(database: sqlite3.Connection) -> int:
    """A number that changes with whatever the server commits."""
    (version,) = database.execute("PRAGMA data_version").fetchone()
    return int(version)
