"""Long conversations: the newest page first, the others as one scrolls, and nothing twice."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.support.browser.pages import bodies, message, messages, thread_of
from tests.support.browser.scroll_position import (
    STILL_PX,
    is_at_bottom,
    moved,
    scroll_and_watch,
    scroll_to,
    watch_place,
)
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.long_conversation import bodies_of, body_of, fill
from tests.support.network.frames import received_by
from tests.support.people import ANA
from tests.support.servers.fixtures import SitDown
from tests.support.servers.server import Server

PAGE_SIZE = 30
WINDOW = 300
PAGES = 10
REMEMBER_LABELS = """
() => {
  window.labels = new Set();
  new MutationObserver(() => {
    const button = document.querySelector("[data-testid=load-more]");
    if (button) window.labels.add(`${button.textContent}/${button.disabled}`);
  }).observe(document.body, {
    attributes: true, characterData: true, childList: true, subtree: true,
  });
}
"""


async def test_opening_shows_the_newest_thirty_at_the_bottom(
    visit: Visit, channel: Channel, server: Server
) -> None:
    talk = await _long_talk(channel, server, 75)
    ana = await talk.opened_by(visit, ANA)

    await is_at_bottom(ana)
    await talk.goes_on("A mais nova")
    await expect(message(ana, "A mais nova")).to_be_in_viewport()

    # Had opening loaded more by itself, it would be here by now.
    assert await bodies(ana) == [*bodies_of(46, 75), "A mais nova"]


async def test_earlier_pages_come_by_the_button_and_by_scrolling_up_to_the_beginning(
    visit: Visit, channel: Channel, server: Server
) -> None:
    talk = await _long_talk(channel, server, 75)
    ana = await talk.opened_by(visit, ANA)
    await ana.evaluate(REMEMBER_LABELS)
    assert await _load_more(ana).evaluate("(element) => element.tagName") == "BUTTON"

    await watch_place(ana)
    await _load_more(ana).dispatch_event("click")
    await expect(messages(ana)).to_have_count(60)
    assert await moved(ana) <= STILL_PX
    await is_at_bottom(ana)
    await scroll_and_watch(ana, 0)
    await expect(messages(ana)).to_have_count(75)
    assert await moved(ana) <= STILL_PX

    assert await bodies(ana) == bodies_of(1, 75)
    await expect(_load_more(ana)).to_have_count(0)
    labels = set(await ana.evaluate("() => [...window.labels]"))
    assert "Carregando…/true" in labels


async def test_live_messages_keep_arriving_while_earlier_ones_load(
    visit: Visit, channel: Channel, server: Server
) -> None:
    talk = await _long_talk(channel, server, 130)
    ana = await talk.opened_by(visit, ANA)

    written = [f"Ao vivo {number}" for number in range(6)]
    for number in (0, 2, 4):
        await asyncio.gather(
            _load_more(ana).dispatch_event("click"),
            talk.goes_on(written[number]),
        )
        await talk.goes_on(written[number + 1])
        await expect(message(ana, written[number + 1])).to_be_visible()
        await expect(_load_more(ana)).not_to_be_disabled()

    await expect(messages(ana)).to_have_count(120 + len(written))
    shown = await bodies(ana)
    assert shown[:120] == bodies_of(11, 130)
    assert sorted(shown[120:]) == written


async def test_only_the_new_page_crosses_the_wire(
    visit: Visit,
    channel: Channel,
    server: Server,
    record_property: Callable[[str, object], None],
) -> None:
    talk = await _long_talk(channel, server, 75)
    ana = await talk.opened_by(visit, ANA)
    received = received_by(ana)
    await ana.reload()
    await thread_of(ana, talk.name)
    since = len(received)

    await _load_more(ana).dispatch_event("click")
    await expect(messages(ana)).to_have_count(60)

    came = received[since:]
    (page,) = [frame for frame in came if '"kind":"page"' in frame and '"messages"' in frame]
    assert _seqs(page) == list(range(16, 46))
    others = [frame for frame in came if frame != page]
    assert not any("Mensagem" in frame for frame in others)
    record_property(
        "loading 30 earlier messages",
        f"{len(page.encode())} bytes of messages, {sum(map(len, others))} of everything else",
    )
    assert len(page.encode()) < PAGE_SIZE * 700
    assert sum(map(len, others)) < 4000


async def test_in_a_conversation_of_5000_messages_ten_pages_load_and_the_place_stays(
    visit: Visit,
    channel: Channel,
    server: Server,
    record_property: Callable[[str, object], None],
) -> None:
    talk = await _long_talk(channel, server, 5000)
    ana = await talk.opened_by(visit, ANA)
    await is_at_bottom(ana)

    drifts = []
    for page in range(1, PAGES + 1):
        first = 5001 - PAGE_SIZE * (page + 1)
        await scroll_and_watch(ana, 120)
        await expect(messages(ana).first).to_have_attribute("data-seq", str(first))
        drifts.append(await moved(ana))
        assert await messages(ana).count() <= WINDOW
    record_property(
        f"{PAGES} earlier pages of 5,000 messages, the place moved by at most",
        f"{max(drifts):.2f} px",
    )
    assert max(drifts) <= STILL_PX
    assert await bodies(ana) == bodies_of(first, first + WINDOW - 1)

    # The way back brings the newest ones again, and lets go of the earliest.
    await scroll_to(ana, -1)
    await expect(messages(ana).last).to_have_attribute("data-seq", "5000")
    await expect(messages(ana)).to_have_count(WINDOW)
    await scroll_to(ana, -1)
    await is_at_bottom(ana)
    assert await bodies(ana) == bodies_of(4701, 5000)
    await talk.goes_on("A mais nova")
    await expect(message(ana, "A mais nova")).to_be_in_viewport()
    assert await bodies(ana) == [*bodies_of(4702, 5000), "A mais nova"]


async def test_a_link_to_a_message_opens_around_it_and_marks_it(
    visit: Visit, channel: Channel, server: Server
) -> None:
    talk = await _long_talk(channel, server, 200)
    ana = await visit(ANA, f"{talk.path}?m=100")
    await thread_of(ana, talk.name)

    marked = ana.locator("[data-testid=message][data-marked=true]")
    await expect(marked).to_have_attribute("data-seq", "100")
    await expect(marked).to_be_in_viewport()
    shown = await bodies(ana)
    assert body_of(99) in shown
    assert body_of(101) in shown
    assert body_of(200) not in shown

    await watch_place(ana)
    await talk.goes_on("Longe daqui")
    await expect(ana.get_by_test_id("jump-to-latest")).to_have_attribute("data-new", "1")
    await expect(marked).to_be_in_viewport()
    assert await message(ana, "Longe daqui").count() == 0
    assert await moved(ana) <= STILL_PX

    await ana.get_by_test_id("jump-to-latest").click()
    await expect(message(ana, "Longe daqui")).to_be_in_viewport()
    await is_at_bottom(ana)
    shown = await bodies(ana)
    assert shown == [*bodies_of(202 - len(shown), 200), "Longe daqui"]


@pytest.mark.parametrize("seq", ["abc", "-3", "0", "999999", "9" * 30, "1.5", "%00"])
async def test_a_link_to_no_message_opens_the_newest(
    visit: Visit, channel: Channel, seq: str
) -> None:
    talk = await Talk.begin(channel, 3)
    ana = await visit(ANA, f"{talk.path}?m={seq}")

    await expect(messages(ana)).to_have_count(3)

    assert await ana.locator("[data-testid=message][data-marked=true]").count() == 0
    await is_at_bottom(ana)


async def test_a_cursor_that_is_none_of_this_conversation_brings_nothing(
    channel: Channel, server: Server, sit_down: SitDown
) -> None:
    talk, foreign = await _long_talk(channel, server, 75), await _long_talk(channel, server, 75)
    ana = await sit_down(ANA, talk.conversation_id)

    async def load(conversation_id: object, query: object) -> Any:
        page = {"feed": "messages", "key": conversation_id, "query": query}
        return await ana.wire.ask("feed:page", page)

    for before in ("46", None, True, -1, 2**70, 1.5, [46], {"seq": 46}):
        refused = await load(talk.conversation_id, {"before": before})
        assert refused["error"]["code"] == "cursor_invalid", before
    both = await load(talk.conversation_id, {"before": 46, "after": 1})
    assert both["error"]["code"] == "cursor_invalid"
    queries: tuple[Any, ...] = (46, None, [], "before")
    for query in queries:
        refused = await load(talk.conversation_id, query)
        assert refused["error"]["code"] == "feed_invalid", query
    for conversation_id in (foreign.conversation_id, "", None, 7, "x" * 5000):
        refused = await load(conversation_id, {"before": 46})
        assert refused["error"]["code"] == "feed_invalid", conversation_id
    assert await load(talk.conversation_id, {"before": 46}) == {"ok": True}
    await ana.wire.wait_for(lambda frame: _is_page(frame) and '"seq":45' in frame)

    pages = [frame for frame in ana.wire.frames if _is_page(frame)]
    assert foreign.conversation_id not in "".join(pages)
    assert [_seqs(frame) for frame in pages] == [list(range(16, 46))]


def _seqs(frame: str) -> list[int]:
    """The numbers of the messages in a frame of a feed."""
    items = json.loads(frame[frame.index("[") :])[1]["items"]
    return [item["seq"] for item in items]


def _is_page(frame: str) -> bool:
    return '"kind":"page"' in frame and '"feed":"messages"' in frame


async def _long_talk(channel: Channel, server: Server, count: int) -> Talk:
    talk = await Talk.begin(channel)
    fill(server, talk, count)
    return talk


def _load_more(page: Page) -> Locator:
    return page.get_by_test_id("load-more")
