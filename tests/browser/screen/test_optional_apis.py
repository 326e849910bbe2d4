"""A browser without what is nice to have: the page works, says nothing false and does not storm."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.support.browser.badge import LIVE, badge_is
from tests.support.browser.page_errors import Complaints
from tests.support.browser.pages import answer, composer, menu, message, messages, row, thread_of
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.network.bad_network_scene import stored_bodies
from tests.support.network.connect_attempts import RECORD_ATTEMPTS, attempts
from tests.support.people import ANA
from tests.support.servers.server import Server

# What a person at the console is told of it (assets/live/lib/safely.js).
REPORTED = "Clinic Chat:"
STORAGE_FORBIDDEN = """
for (const name of ["localStorage", "sessionStorage"]) {
  Object.defineProperty(window, name, {
    get() { throw new DOMException("forbidden", "SecurityError"); },
  });
}
"""
STORAGE_NULL = """
for (const name of ["localStorage", "sessionStorage"]) {
  Object.defineProperty(window, name, {value: null});
}
"""
STORAGE_FULL = """
for (const name of ["setItem", "removeItem"]) {
  Storage.prototype[name] = () => { throw new DOMException("full", "QuotaExceededError"); };
}
"""
MISSING = """
for (const name of [
  "Notification", "AudioContext", "BroadcastChannel", "Worker", "SharedWorker", "scheduler",
  "IntersectionObserver", "visualViewport", "requestIdleCallback",
]) delete window[name];
delete Navigator.prototype.locks;
delete Navigator.prototype.onLine;
delete CanvasRenderingContext2D.prototype.roundRect;
delete Crypto.prototype.randomUUID;
delete Crypto.prototype.subtle;
"""
THROWING = """
(() => {
  const fails = () => { throw new Error("not in this browser"); };
  const Failing = class { constructor() { fails(); } };
  for (const name of ["AudioContext", "BroadcastChannel", "Worker", "SharedWorker"]) {
    window[name] = Failing;
  }
  window.Notification = class extends Failing {
    static permission = "granted";
    static requestPermission = fails;
  };
  // The empty page that comes first has no storage.
  if (location.protocol === "http:") localStorage.setItem("clinic-chat:notify", "yes");
  window.scheduler = {yield: fails};
  Object.defineProperty(Navigator.prototype, "locks", {get: fails});
  Object.defineProperty(Navigator.prototype, "onLine", {get: fails});
  CanvasRenderingContext2D.prototype.roundRect = fails;
  HTMLCanvasElement.prototype.toDataURL = fails;
})();
"""


@pytest.mark.parametrize(
    "lacks",
    [
        pytest.param(STORAGE_FORBIDDEN + MISSING, id="storage forbidden, APIs missing"),
        pytest.param(STORAGE_NULL, id="storage null"),
        pytest.param(THROWING + STORAGE_FULL, id="storage full, APIs throwing"),
    ],
)
async def test_the_page_works_without_what_a_browser_may_lack(
    visit: Visit, server: Server, channel: Channel, complaints: Complaints, lacks: str
) -> None:
    complaints.allow(REPORTED)
    talk, other = await Talk.begin(channel), await Talk.begin(channel)
    ana = await visit(ANA, talk.path, script=RECORD_ATTEMPTS + lacks)
    await thread_of(ana, talk.name)

    await other.goes_on("Chegou?")
    await expect(row(ana, other.name)).to_contain_text("Chegou?")
    await expect(row(ana, other.name).get_by_test_id("unread-badge")).to_contain_text("2")
    await answer(ana, "Chegou sim")
    await expect(message(ana, "Chegou sim")).to_have_attribute("data-status", "sent")
    await composer(ana).fill("E mais")
    # Menus, the appearance, which Reflex keeps, and the language, which is kept here.
    await menu(ana, "Tema", "Escuro")
    await expect(ana.locator("html")).to_have_class("dark")
    await menu(ana, "Idioma", "Português (Brasil)")
    await row(ana, other.name).click()
    await thread_of(ana, other.name)
    await row(ana, talk.name).click()
    await thread_of(ana, talk.name)

    await expect(composer(ana)).to_have_value("E mais")
    await expect(messages(ana)).to_have_count(2)
    await badge_is(ana, LIVE)
    assert stored_bodies(server, talk.conversation_id) == ["Mensagem 1", "Chegou sim"]
    assert len(await attempts(ana)) == 1
