"""A lost connection shows: nothing on the screen goes away, and nothing is missed."""

import re

from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
from tests.support.browser.page_errors import Complaints
from tests.support.browser.pages import (
    answer,
    bodies,
    live,
    message,
    messages,
    open_conversation,
    row,
    rows,
    thread_of,
)
from tests.support.channel import Channel
from tests.support.network.outage import (
    CUT,
    KEEP_SOCKETS,
    REFUSED,
    cut,
    go_offline,
    go_online,
    lowest_counts,
    watch_counts,
)
from tests.support.people import ANA, BRUNO, new_patient
from tests.support.servers.fixtures import StartServer

# Browsers number frames and timers alike; here frames have numbers that no timer has.
TELL_FRAMES_FROM_TIMERS = """
(() => {
  const FAR = 1e9;
  const {requestAnimationFrame, cancelAnimationFrame, clearTimeout, clearInterval} = window;
  window.mistaken = 0;
  window.requestAnimationFrame = (callback) => requestAnimationFrame(callback) + FAR;
  window.cancelAnimationFrame = (frame) => {
    if (frame < FAR) window.mistaken += 1;
    cancelAnimationFrame(frame - FAR);
  };
  for (const [name, clear] of Object.entries({clearTimeout, clearInterval})) {
    window[name] = (timer) => {
      if (timer >= FAR) window.mistaken += 1;
      clear(timer);
    };
  }
})();
"""
MISSED = 5
# More than the server sends as a patch: it must answer with a snapshot.
FAR_BEHIND = 120


async def not_live(page: Page) -> None:
    """Return when the screen says that it is not live."""
    badge = page.get_by_test_id("connection-badge")
    await expect(badge).not_to_have_attribute("data-status", "live")


async def test_the_badge_says_how_fresh_the_screen_is(visit: Visit) -> None:
    ana = await visit(ANA, script=KEEP_SOCKETS)
    badge = ana.get_by_test_id("connection-badge")
    await expect(badge).to_have_text("Ao vivoatualizado agora")

    # Nothing comes any more, and seconds pass.
    await ana.evaluate(
        """
        () => {
          for (const socket of window.openSockets) socket.send = () => {};
          const { now } = Date;
          Date.now = () => now() + 60_000;
        }
        """
    )

    await expect(badge).to_have_text(re.compile(r"atualizado há 6\d s$"))


async def test_no_frame_is_cancelled_as_if_it_were_a_timer(visit: Visit, channel: Channel) -> None:
    patient = new_patient()
    await channel.deliver(patient, "Bom dia")
    ana = await visit(ANA, script=TELL_FRAMES_FROM_TIMERS)

    await open_conversation(ana, patient.name)
    await ana.go_back()
    await ana.go_forward()
    await thread_of(ana, patient.name)
    await channel.deliver(patient, "Alguém?")
    await expect(message(ana, "Alguém?")).to_be_visible()

    # Or else whatever waits under the same number, such as the next attempt, never comes.
    assert await ana.evaluate("() => window.mistaken") == 0


async def test_an_outage_blanks_nothing_and_misses_nothing(
    visit: Visit, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(REFUSED)
    patient, other = new_patient(), new_patient()
    for number in range(3):
        first = await channel.deliver(patient, f"Antes {number}")
    ana = await visit(ANA, f"/c/{first.conversation_id}", script=KEEP_SOCKETS)
    await thread_of(ana, patient.name)
    listed = await rows(ana).count()
    await watch_counts(ana)

    await go_offline(ana)
    await not_live(ana)
    for number in range(MISSED):
        await channel.deliver(patient, f"Durante {number}")
    await channel.deliver(other, "Sou nova aqui")
    assert await bodies(ana) == [f"Antes {number}" for number in range(3)]
    await go_online(ana)
    await live(ana)

    await expect(messages(ana)).to_have_count(3 + MISSED)
    assert await bodies(ana) == [
        *(f"Antes {number}" for number in range(3)),
        *(f"Durante {number}" for number in range(MISSED)),
    ]
    await expect(row(ana, patient.name)).to_contain_text(f"Durante {MISSED - 1}")
    await expect(row(ana, other.name)).to_contain_text("Sou nova aqui")
    lowest_messages, lowest_rows = await lowest_counts(ana)
    assert lowest_messages >= 3
    assert lowest_rows >= listed


async def test_after_a_long_outage_the_newest_messages_are_there(
    visit: Visit, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(REFUSED)
    patient = new_patient()
    first = await channel.deliver(patient, "Antes")
    ana = await visit(ANA, f"/c/{first.conversation_id}", script=KEEP_SOCKETS)
    await thread_of(ana, patient.name)
    await watch_counts(ana)

    await go_offline(ana)
    for number in range(FAR_BEHIND):
        await channel.deliver(patient, f"Mensagem {number}")
    await go_online(ana)

    await expect(message(ana, f"Mensagem {FAR_BEHIND - 1}")).to_be_visible()
    shown = await bodies(ana)
    expected = ["Antes", *(f"Mensagem {number}" for number in range(FAR_BEHIND))]
    assert shown == expected[-len(shown) :]
    assert min(await lowest_counts(ana)) >= 1


async def test_messages_that_arrive_while_the_socket_is_cut_again_and_again_are_shown_once(
    visit: Visit, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(CUT)
    patient = new_patient()
    first = await channel.deliver(patient, "Mensagem 0")
    ana = await visit(ANA, f"/c/{first.conversation_id}", script=KEEP_SOCKETS)
    await thread_of(ana, patient.name)
    await watch_counts(ana)

    for number in range(1, 10):
        if number % 3 == 1:
            await cut(ana)
            await not_live(ana)
            # The browser noticed that the network is back, so there is no wait.
            await ana.evaluate("() => window.dispatchEvent(new Event('online'))")
        await channel.deliver(patient, f"Mensagem {number}")

    await expect(messages(ana)).to_have_count(10)
    assert await bodies(ana) == [f"Mensagem {number}" for number in range(10)]
    assert (await lowest_counts(ana))[0] >= 1


async def test_what_is_written_during_an_outage_is_sent_once_after_it(
    visit: Visit, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(REFUSED)
    patient = new_patient()
    first = await channel.deliver(patient, "Tem horário amanhã?")
    ana = await visit(ANA, f"/c/{first.conversation_id}", script=KEEP_SOCKETS)
    bruno = await visit(BRUNO, f"/c/{first.conversation_id}")
    await thread_of(ana, patient.name)

    await go_offline(ana)
    await not_live(ana)
    for text in ("Tenho sim", "Às nove"):
        await answer(ana, text)
        await expect(message(ana, text)).to_have_attribute("data-status", "waiting")
    await expect(ana.get_by_test_id("connection-badge")).to_contain_text("2 na fila")
    assert await bodies(bruno) == ["Tem horário amanhã?"]
    await go_online(ana)

    for page in (ana, bruno):
        await expect(messages(page)).to_have_count(3)
        assert await bodies(page) == ["Tem horário amanhã?", "Tenho sim", "Às nove"]
    await expect(message(ana, "Às nove")).to_have_attribute("data-seq", "3")


async def test_a_server_that_was_restarted_is_found_again(
    visit: Visit, start_server: StartServer, complaints: Complaints
) -> None:
    complaints.allow(CUT)
    complaints.allow(REFUSED)
    server = start_server()
    channel = Channel(server)
    patient = new_patient()
    first = await channel.deliver(patient, "Antes")
    ana = await visit(ANA, f"/c/{first.conversation_id}", at=server)
    await thread_of(ana, patient.name)
    listed = await rows(ana).count()
    await watch_counts(ana)

    server.stop()
    await not_live(ana)
    await answer(ana, "Sem servidor")
    server.start()
    await channel.deliver(patient, "Depois")
    await ana.evaluate("() => window.dispatchEvent(new Event('online'))")

    await expect(message(ana, "Depois")).to_be_visible()
    await expect(message(ana, "Sem servidor")).to_have_attribute("data-status", "sent")
    # Whichever of the two was there first.
    earliest, *others = await bodies(ana)
    assert (earliest, sorted(others)) == ("Antes", ["Depois", "Sem servidor"])
    assert await lowest_counts(ana) == (1, listed)
    await channel.close()
    server.stop()
