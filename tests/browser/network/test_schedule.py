"""When a tab that lost its connection tries again."""

from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
from tests.support.browser.badge import LIVE, LOST, TRUTH_SECONDS, WAITING, badge, badge_is, synced
from tests.support.browser.page_errors import Complaints
from tests.support.browser.pages import live, message, thread_of
from tests.support.channel import Channel
from tests.support.network.connect_attempts import RECORD_ATTEMPTS, attempts, pauses
from tests.support.network.outage import REFUSED
from tests.support.network.proxy import Proxy
from tests.support.people import ANA, BRUNO, new_patient
from tests.support.servers.server import Server

DELAYS = [1, 2, 4, 8, 8]
JITTER = 0.2
# What a busy machine may add between two lines of the page's code.
SLACK = 0.3
# Times are whole milliseconds: the wait may have begun one before it was noted.
TICK = 0.0015
STEP_MS = 200
# More than it takes to tell the page, so that the moment is not over already.
PAUSE_MS = 500
AT_ONCE_SECONDS = 0.5
# A tab that the test hides and shows, as by switching to another tab.
HIDEABLE = """
(() => {
  let hidden = false;
  Object.defineProperty(Document.prototype, "hidden", {get: () => hidden});
  Object.defineProperty(Document.prototype, "visibilityState", {
    get: () => (hidden ? "hidden" : "visible"),
  });
  window.setHidden = (value) => {
    hidden = value;
    document.dispatchEvent(new Event("visibilitychange"));
  };
})();
"""
SCRIPT = RECORD_ATTEMPTS + HIDEABLE


async def _with_own_clock(page: Page) -> None:
    """Load the page again with a clock that the test can move on."""
    await page.clock.install()
    await page.reload()
    await live(page)
    await synced(page)


async def _stop_clock(page: Page) -> None:
    """Have the page's clock move on only as the test says, however slow the machine is."""
    await page.clock.pause_at((await page.evaluate("() => Date.now()") + PAUSE_MS) / 1000)


async def _fail(page: Page, count: int) -> None:
    """Move the page's clock on until it has made so many attempts and the last one failed."""
    while True:
        found = await attempts(page)
        if len(found) >= count and found[count - 1].ended_at is not None:
            return
        await page.clock.run_for(STEP_MS)


async def test_attempts_come_after_1_2_4_8_seconds_and_differ_between_tabs(
    visit: Visit, server: Server, complaints: Complaints
) -> None:
    complaints.allow(REFUSED)
    schedules = []
    async with Proxy(server.port) as proxy:
        pages = [await visit(who, at=proxy, script=SCRIPT) for who in (ANA, BRUNO)]
        for page in pages:
            await _with_own_clock(page)
        await proxy.refuse()
        for page in pages:
            await badge_is(page, LOST)
            await _fail(page, 1 + len(DELAYS))
            found = (await attempts(page))[: 1 + len(DELAYS)]
            schedules.append(pauses(found))
            # The first is the one that worked; after two failures they take turns.
            assert [attempt.transport for attempt in found] == [
                *("websocket", "websocket", "websocket"),
                *("polling", "websocket", "polling"),
            ]

    for schedule in schedules:
        for pause, delay in zip(schedule, DELAYS, strict=True):
            assert delay - TICK <= pause <= delay * (1 + JITTER) + SLACK
    assert schedules[0] != schedules[1]


async def test_after_a_success_the_schedule_begins_anew(
    visit: Visit, server: Server, complaints: Complaints
) -> None:
    complaints.allow(REFUSED)
    async with Proxy(server.port) as proxy:
        page = await visit(ANA, at=proxy, script=SCRIPT)
        await _with_own_clock(page)
        await proxy.refuse()
        await _fail(page, 4)
        await proxy.accept()
        await page.get_by_role("button", name="Tentar agora").click()
        await badge_is(page, LIVE)
        so_far = len(await attempts(page))

        await proxy.refuse()
        await _fail(page, so_far + 2)

        first, second = pauses((await attempts(page))[so_far - 1 : so_far + 2])
        assert 1 - TICK <= first <= 1.2 + SLACK
        assert 2 - TICK <= second <= 2.4 + SLACK


async def test_there_is_no_wait_when_it_may_work_again(
    visit: Visit, server: Server, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(REFUSED)
    patient = new_patient()
    first = await channel.deliver(patient, "Antes")
    async with Proxy(server.port) as proxy:
        page = await visit(ANA, f"/c/{first.conversation_id}", at=proxy, script=SCRIPT)
        await _with_own_clock(page)
        await thread_of(page, patient.name)
        for number, wake in enumerate((_online, _shown, _clicked, _slept)):
            await proxy.refuse()
            # Three failures, so the next attempt is more than four seconds away.
            await _fail(page, len(await attempts(page)) + 3)
            made = len(await attempts(page))
            await proxy.accept()
            await channel.deliver(patient, f"Durante {number}")

            await wake(page)

            after = await page.evaluate("() => Date.now() / 1000")
            await badge_is(page, LIVE)
            attempt = (await attempts(page))[made]
            assert attempt.at - after < AT_ONCE_SECONDS, wake.__name__
            await expect(message(page, f"Durante {number}")).to_be_visible()


async def _online(page: Page) -> None:
    await page.evaluate("() => window.dispatchEvent(new Event('online'))")


async def _shown(page: Page) -> None:
    await page.evaluate("() => setHidden(true)")
    await page.evaluate("() => setHidden(false)")


async def _clicked(page: Page) -> None:
    await page.get_by_role("button", name="Tentar agora").click()


async def _slept(page: Page) -> None:
    await page.clock.fast_forward("01:00:00")


async def test_after_an_hour_of_sleep_the_screen_is_current_at_once(
    visit: Visit, server: Server, channel: Channel, complaints: Complaints
) -> None:
    complaints.allow(REFUSED)
    patient = new_patient()
    first = await channel.deliver(patient, "Antes")
    async with Proxy(server.port) as proxy:
        page = await visit(ANA, f"/c/{first.conversation_id}", at=proxy, script=SCRIPT)
        await _with_own_clock(page)
        await thread_of(page, patient.name)
        made = len(await attempts(page))

        with proxy.blackhole():
            await channel.deliver(patient, "Durante o sono")
            # The socket looks open to the machine that wakes up, and is dead.
            await _slept(page)
            await badge_is(page, WAITING, within=TRUTH_SECONDS)
            after = await page.evaluate("() => Date.now() / 1000")
            attempt = (await attempts(page))[made]
            assert attempt.at - after < AT_ONCE_SECONDS

        await badge_is(page, LIVE, within=TRUTH_SECONDS)
        await expect(message(page, "Durante o sono")).to_be_visible()


async def test_the_badge_counts_down_to_the_next_attempt(
    visit: Visit, server: Server, complaints: Complaints
) -> None:
    complaints.allow(REFUSED)
    async with Proxy(server.port) as proxy:
        page = await visit(ANA, at=proxy, script=SCRIPT)
        await _with_own_clock(page)
        await proxy.refuse()
        await _fail(page, 4)
        await _stop_clock(page)

        shown = []
        for _ in range(3):
            text = await badge(page).inner_text()
            shown.append(int(text.split("Reconectando em ")[1].split(" s")[0]))
            await page.clock.run_for(1000)

        assert shown == [shown[0], shown[0] - 1, shown[0] - 2]
        assert 8 <= shown[0] <= 10
