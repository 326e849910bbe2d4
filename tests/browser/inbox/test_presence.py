"""Who is on duty, and who looks at the same conversation, so that nobody answers double."""

import asyncio
from time import monotonic
from typing import cast

from playwright.async_api import Locator, Page, expect

from clinic_chat.realtime.presence.online import GRACE_SECONDS
from tests.browser.conftest import Visit
from tests.browser.network.test_background import THROTTLED
from tests.support.browser.attention import CAN_LOOK_AWAY, look_away, look_back
from tests.support.browser.pages import live, message, messages, open_conversation, row, thread_of
from tests.support.browser.talk import Talk, another_tab
from tests.support.channel import Channel
from tests.support.people import ANA, BRUNO, DANIEL, RENATA
from tests.support.servers.fixtures import SitDown

RENATAS_NAME = "Renata Quintela"
DANIELS_NAME = "Daniel Moreau"
SHOWN_ONLINE = """
() => ({
  names: [...document.querySelectorAll(
    ".presence-staff li[data-online=true] .presence-staff-name")].map((name) => name.textContent),
  head: document.querySelector("[data-testid=presence]").textContent,
})
"""
CLOSED_TAB_SECONDS = 5
# Longer than the server waits for the answer to a ping.
HIDDEN_SECONDS = 14
WATCH_PERSON = """
(name) => {
  const row = [...document.querySelectorAll(".presence-staff li")]
    .find((row) => row.textContent.includes(name));
  window.presenceOf = [];
  // Rows move as people come and go, so it is looked up by its id each time.
  const {user} = row.dataset;
  new MutationObserver(() => {
    const {online} = document.querySelector(`.presence-staff [data-user="${user}"]`).dataset;
    if (window.presenceOf.at(-1) !== online) window.presenceOf.push(online);
  }).observe(document.querySelector(".presence-staff"), {
    attributes: true, childList: true, subtree: true,
  });
}
"""


async def test_a_person_is_online_until_the_last_of_their_tabs_and_devices_closed(
    visit: Visit, channel: Channel
) -> None:
    talk = await Talk.begin(channel)
    bruno = await talk.opened_by(visit, BRUNO)
    await _is_online(bruno, RENATAS_NAME, False)

    computer = await talk.opened_by(visit, RENATA, script=THROTTLED)
    await _is_online(bruno, RENATAS_NAME, True)
    await bruno.evaluate(WATCH_PERSON, RENATAS_NAME)
    hidden = monotonic()
    await computer.evaluate("() => setHidden(true)")
    tab = await another_tab(computer, talk)
    phone = await visit(RENATA)
    assert (await _shown_online(bruno)).count(RENATAS_NAME) == 1
    await tab.close()
    await phone.reload()
    await live(phone)
    await phone.close()
    # Nothing is to happen: not because of those that closed or loaded again, and not because the
    # one that is left is in the background (chatwoot #13720). Only time can tell.
    await asyncio.sleep(max(GRACE_SECONDS + 0.5, HIDDEN_SECONDS - (monotonic() - hidden)))
    assert await bruno.evaluate("() => window.presenceOf") in ([], ["true"])
    assert (await _shown_online(bruno)).count(RENATAS_NAME) == 1

    await computer.close()
    closed = monotonic()
    await _is_online(bruno, RENATAS_NAME, False)
    assert monotonic() - closed < CLOSED_TAB_SECONDS
    assert RENATAS_NAME not in await _shown_online(bruno)


async def test_who_comes_and_goes_is_told_by_name_and_not_with_a_list(
    channel: Channel, sit_down: SitDown
) -> None:
    talk = await Talk.begin(channel)
    bruno = await sit_down(BRUNO, talk.conversation_id)
    since = len(bruno.wire.frames)

    daniel = await sit_down(DANIEL, talk.conversation_id)
    await bruno.wire.wait_for(lambda frame: "user:online" in frame and DANIELS_NAME in frame)
    await daniel.leaves()
    await bruno.wire.wait_for(lambda frame: "user:offline" in frame and DANIELS_NAME in frame)

    told = [frame for frame in bruno.wire.frames[since:] if '["user:' in frame]
    assert sum(DANIELS_NAME in frame for frame in told) == 2
    assert all(frame.count("userId") == 1 and len(frame) < 200 for frame in told)


async def test_the_thread_says_who_else_is_looking_at_it(
    visit: Visit, channel: Channel, sit_down: SitDown
) -> None:
    talk, other = await Talk.begin(channel), await Talk.begin(channel)
    bruno = await talk.opened_by(visit, BRUNO)
    ana = await visit(ANA, script=CAN_LOOK_AWAY)
    await open_conversation(ana, talk.name)
    await expect(_viewers(bruno)).to_have_text("Ana está vendo")
    await expect(_viewers(ana)).to_have_text("Bruno está vendo")

    await look_away(ana)
    await expect(_viewers(bruno)).to_have_count(0)
    await look_back(ana)
    await expect(_viewers(bruno)).to_have_text("Ana está vendo")
    await row(ana, other.name).click()
    await thread_of(ana, other.name)
    await expect(_viewers(bruno)).to_have_count(0)
    await ana.go_back()
    await expect(_viewers(bruno)).to_have_text("Ana está vendo")
    await ana.go_back()
    await expect(messages(ana)).to_have_count(0)
    await expect(_viewers(bruno)).to_have_count(0)
    await ana.go_forward()
    await expect(_viewers(bruno)).to_have_text("Ana está vendo")

    renata = await sit_down(RENATA, talk.conversation_id)
    await renata.does("viewing:start")
    await expect(_viewers(bruno)).to_have_text("Ana e Renata estão vendo")
    await renata.leaves()
    await expect(_viewers(bruno)).to_have_text("Ana está vendo")
    # One's own second tab is nobody else.
    tab = await another_tab(ana, talk)
    await expect(_viewers(tab)).to_have_text("Bruno está vendo")
    await tab.close()
    await talk.goes_on("Oi")
    await expect(message(bruno, "Oi")).to_be_visible()
    await expect(_viewers(bruno)).to_have_text("Ana está vendo")

    await ana.close()
    await expect(_viewers(bruno)).to_have_count(0)


def _viewers(page: Page) -> Locator:
    """Who else looks at the open conversation."""
    return page.get_by_test_id("viewers")


async def _is_online(page: Page, name: str, online: bool) -> None:
    """Return when the list of the staff says so."""
    person = page.locator(".presence-staff li").filter(has_text=name)
    await expect(person).to_have_attribute("data-online", str(online).lower())


async def _shown_online(page: Page) -> list[str]:
    """Who is online as the list of the staff says; its head counts the same people.

    Both are read at once: somebody of an earlier test may still be leaving.
    """
    shown = await page.evaluate(SHOWN_ONLINE)
    assert f"{len(shown['names'])} online" in shown["head"]
    return cast("list[str]", shown["names"])
