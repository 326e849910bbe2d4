"""A tab in the background, whose timers the browser lets run only now and then, stays connected."""

from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.support.browser.badge import LIVE, WATCH_BADGE, badge_is, synced
from tests.support.browser.pages import row
from tests.support.channel import Channel
from tests.support.network.connect_attempts import RECORD_ATTEMPTS, attempts
from tests.support.people import ANA, new_patient

# Browsers run the timers of a hidden tab once a minute; a few seconds more than the server waits
# for an answered ping show the same.
EVERY_MS = 15_000
HIDDEN_MS = 16_000
THROTTLED = f"""
(() => {{
  let hidden = false;
  Object.defineProperty(Document.prototype, "hidden", {{get: () => hidden}});
  Object.defineProperty(Document.prototype, "visibilityState", {{
    get: () => (hidden ? "hidden" : "visible"),
  }});
  const {{setTimeout, setInterval}} = window;
  const late = (delay = 0) =>
    hidden ? delay + {EVERY_MS} - ((Date.now() + delay) % {EVERY_MS}) : delay;
  window.nativeTimeout = setTimeout.bind(window);
  window.setTimeout = (run, delay, ...rest) => setTimeout(run, late(delay), ...rest);
  window.setInterval = (run, delay) => {{
    const again = () => {{
      run();
      setTimeout(again, late(delay));
    }};
    return setTimeout(again, late(delay));
  }};
  window.setHidden = (value) => {{
    hidden = value;
    document.dispatchEvent(new Event("visibilitychange"));
  }};
}})();
"""


async def test_a_hidden_tab_does_not_flap_and_stays_current(visit: Visit, channel: Channel) -> None:
    patient = new_patient()
    await channel.deliver(patient, "Antes")
    page = await visit(ANA, script=RECORD_ATTEMPTS + WATCH_BADGE + THROTTLED)
    await synced(page)
    made = len(await attempts(page))
    begun = await page.evaluate("() => badgeLog.length")

    await page.evaluate("() => setHidden(true)")
    await page.evaluate(f"() => new Promise((done) => nativeTimeout(done, {HIDDEN_MS}))")
    await channel.deliver(patient, "Enquanto ninguém olhava")
    shown = row(page, patient.name)
    # What is drawn waits for a timer too.
    await expect(shown).to_contain_text("Enquanto ninguém olhava", timeout=2 * EVERY_MS)
    await page.evaluate("() => setHidden(false)")

    await badge_is(page, LIVE)
    assert len(await attempts(page)) == made
    assert await page.evaluate("() => badgeLog.length") == begun
