"""While nobody looks, a new message makes itself known, and tells nothing of what it says."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
from tests.support.browser.attention import CAN_LOOK_AWAY, look_away, look_back
from tests.support.browser.pages import menu, menus_loaded, row
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.people import ANA, BRUNO
from tests.support.servers.fixtures import SitDown

# So long a hidden tab waits for one that somebody looks at.
CLAIM_MS = 150
# Browsers under test show no notifications and play no sound; these remember them instead.
STAND_INS = """
(() => {
  window.asked = 0;
  window.notified = [];
  window.tones = 0;
  window.Notification = class {
    static permission = "default";
    static async requestPermission() {
      window.asked += 1;
      return (this.permission = "granted");
    }
    constructor(title, options) {
      window.notified.push(this);
      Object.assign(this, {title, options});
    }
    close() {}
  };
  const {createOscillator} = AudioContext.prototype;
  AudioContext.prototype.createOscillator = function () {
    window.tones += 1;
    return createOscillator.call(this);
  };
  Object.defineProperty(AudioContext.prototype, "state", {get: () => "running"});
})();
"""

# Without the one that shows that they are on.
IMPOSSIBLE = "Neste aparelho: não é possível neste navegador"
ANSWERS = """
window.Notification = class { static permission = "default"; };
window.Notification.requestPermission = async () => answer;
"""
UNFOCUSED = """
window.attends = true;
Document.prototype.hasFocus = () => window.attends;
"""
COUNT_AUDIO = """
window.audios = [];
window.AudioContext = class {
  state = "suspended";
  constructor() {
    window.audios.push(this);
  }
  async resume() {
    this.resumed = true;
  }
};
"""

_NOTIFIED = """
() => window.notified
  .map(({title, options}) => ({title, ...options}))
  .filter(({tag}) => tag !== "clinic-chat:notify")
"""


async def test_permission_is_asked_only_after_a_click(visit: Visit, channel: Channel) -> None:
    ana = await visit(ANA, script=CAN_LOOK_AWAY + STAND_INS)
    await look_away(ana)
    talk = await Talk.begin(channel)
    await expect(row(ana, talk.name)).to_be_attached()
    await look_back(ana)
    assert await ana.evaluate("() => [window.asked, window.notified.length]") == [0, 0]

    await menu(ana, "Notificações", "Neste aparelho")

    await ana.wait_for_function("() => window.asked === 1")
    # One that shows what they look like, and that this browser shows any.
    await ana.wait_for_function("() => window.notified.length === 1")


async def test_a_hidden_tab_tells_whose_message_came_and_not_what_it_says(
    visit: Visit, channel: Channel, sit_down: SitDown
) -> None:
    talk = await Talk.begin(channel)
    ana = await visit(ANA, script=CAN_LOOK_AWAY + STAND_INS)
    await menu(ana, "Notificações", "Neste aparelho")
    bruno = await sit_down(BRUNO, talk.conversation_id)
    await talk.goes_on("Enquanto alguém olha")
    await expect(row(ana, talk.name)).to_contain_text("Enquanto alguém olha")

    await look_away(ana)
    assert (await bruno.does("message:send", body="De um colega", clientId=talk.name))["ok"]
    await talk.goes_on("Estou com febre")
    notified = await _notified(ana)

    last_name = talk.name.split()[-1]
    assert [note["title"] for note in notified] == [f"Nova mensagem de P{last_name[0]}"]
    everything = str(notified)
    for secret in ("febre", talk.name, talk.patient.phone, "colega"):
        assert secret not in everything
    await ana.evaluate("() => window.notified.at(-1).onclick()")
    await expect(ana.locator(".thread-header")).to_contain_text(talk.name)


async def test_two_hidden_tabs_tell_once(visit: Visit, channel: Channel) -> None:
    talk = await Talk.begin(channel)
    ana = await visit(ANA, script=CAN_LOOK_AWAY + STAND_INS)
    await menu(ana, "Notificações", "Neste aparelho")
    tab = await ana.context.new_page()
    await tab.goto("/")
    await menu(tab, "Notificações", "Neste aparelho")
    for page in (ana, tab):
        await look_away(page)

    for number in range(3):
        await talk.goes_on(f"Alguém {number}?")
        for page in (ana, tab):
            await expect(row(page, talk.name)).to_contain_text(f"Alguém {number}?")
    last = await Talk.begin(channel)
    for page in (ana, tab):
        await page.wait_for_function(
            "(id) => localStorage.getItem('clinic-chat:claimed') === `${id}:1`",
            arg=last.conversation_id,
        )

        # Either would have told by now: hidden tabs wait for those that somebody looks at.
        await page.evaluate(f"() => new Promise((done) => setTimeout(done, {2 * CLAIM_MS}))")

    told = [note for page in (ana, tab) for note in await page.evaluate(_NOTIFIED)]
    about = [note["tag"] for note in told]
    assert about.count(last.conversation_id) == 1
    assert about.count(talk.conversation_id) == 3


async def test_the_sound_can_be_switched_off(visit: Visit, channel: Channel) -> None:
    talk = await Talk.begin(channel)
    bruno = await visit(BRUNO, script=CAN_LOOK_AWAY + STAND_INS)
    await menu(bruno, "Notificações", "Som")
    await _hidden_message(bruno, talk, "Sem som")
    assert await bruno.evaluate("() => window.tones") == 0

    await menu(bruno, "Notificações", "Som")
    await _hidden_message(bruno, talk, "Com som")
    assert await bruno.evaluate("() => window.tones") > 0


@pytest.mark.parametrize(
    ("answers", "asked", "afterwards"),
    [
        ("answer = 'default'", True, "Neste aparelho"),
        ("answer = 'denied'", True, "Bloqueadas pelo navegador"),
        ("Notification.requestPermission = () => Promise.reject(Error())", True, IMPOSSIBLE),
        ("Notification = class { static requestPermission = async () => 'granted';"
         "constructor() { throw new TypeError('Illegal constructor'); } }", True, IMPOSSIBLE),
        ("delete window.Notification", False, IMPOSSIBLE),
    ],
)  # fmt: skip
async def test_each_answer_of_the_browser_is_told_as_what_it_is(
    visit: Visit, answers: str, asked: bool, afterwards: str
) -> None:
    script = f"let answer = 'granted'; {ANSWERS} {answers};"
    bruno = await visit(BRUNO, script=CAN_LOOK_AWAY + script)
    if asked:
        await menu(bruno, "Notificações", "Neste aparelho")

    await menu(bruno, "Notificações")
    item = bruno.get_by_role("menuitemcheckbox", name=afterwards, exact=True)
    # What was only dismissed can be asked again; the other answers are final.
    await expect(item).to_be_visible()
    await expect(item).not_to_be_checked()
    final = afterwards != "Neste aparelho"
    assert (await item.get_attribute("data-disabled") is not None) is final


async def test_sound_is_for_who_does_not_attend_and_for_one_s_own_conversations(
    visit: Visit, channel: Channel
) -> None:
    talk, own = await Talk.begin(channel), await Talk.begin(channel)
    # A page without the focus that can be seen, as on a second screen.
    bruno = await visit(BRUNO, own.path, script=STAND_INS + UNFOCUSED)
    await menus_loaded(bruno)
    await bruno.get_by_test_id("assignee").click()
    await bruno.get_by_role("menuitem", name="Atribuir a mim").click()
    await expect(bruno.get_by_test_id("assignee")).to_have_attribute("data-assigned", "true")

    async def heard(talk: Talk, body: str, *, attends: bool) -> bool:
        await bruno.evaluate(
            "(attends) => { window.attends = attends; window.tones = 0; }", attends
        )
        before = await bruno.evaluate("() => localStorage.getItem('clinic-chat:claimed')")
        await talk.goes_on(body)
        await bruno.wait_for_function(
            "(before) => localStorage.getItem('clinic-chat:claimed') !== before", arg=before
        )
        # What one's own sounds by comes a moment after the claim.
        await bruno.evaluate("() => navigator.locks.query()")
        return bool(await bruno.evaluate("() => window.tones > 0"))

    assert await heard(talk, "Sem ninguém", attends=False)
    await bruno.mouse.move(200, 300)
    assert not await heard(talk, "Alguém está aqui", attends=True)
    assert await heard(own, "Para mim", attends=True)


async def test_the_sound_is_allowed_by_a_key_as_well(visit: Visit) -> None:
    bruno = await visit(BRUNO, script=COUNT_AUDIO)
    assert await bruno.evaluate("() => window.audios.length") == 0

    await bruno.keyboard.press("Tab")

    await bruno.wait_for_function("() => window.audios.some(({resumed}) => resumed)")


async def _hidden_message(page: Page, talk: Talk, body: str) -> None:
    """The patient writes while the tab is hidden; return when it has told, or not."""
    await look_away(page)
    before = await page.evaluate("() => localStorage.getItem('clinic-chat:claimed')")
    await talk.goes_on(body)
    await page.wait_for_function(
        "(before) => localStorage.getItem('clinic-chat:claimed') !== before", arg=before
    )
    await look_back(page)


async def _notified(page: Page) -> list[dict[str, Any]]:
    """The notifications of messages that the tab has shown, once there is one."""
    await page.wait_for_function(f"() => ({_NOTIFIED})().length > 0")
    notified: list[dict[str, Any]] = await page.evaluate(_NOTIFIED)
    return notified
