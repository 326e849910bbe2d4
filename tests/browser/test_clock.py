"""A device whose clock is wrong shows the times that one with a right clock shows."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.channel import Channel
from tests.browser.conftest import Visit
from tests.browser.pages import message, row
from tests.browser.people import ANA
from tests.browser.talk import Talk

HOUR_MS = 60 * 60 * 1000
LOOKS = 5
# Times are drawn anew within a second.
TICK = "() => new Promise((done) => setTimeout(done, 1000, true))"
# Shifts every time that the page's code takes from the device.
WRONG_CLOCK = """
((by) => {
  const Right = Date;
  window.Date = class extends Right {
    constructor(...given) {
      if (given.length > 0) super(...given);
      else super(Right.now() + by);
    }
    static now() {
      return Right.now() + by;
    }
  };
})(%d);
"""


@pytest.mark.parametrize("by", [24 * HOUR_MS, -HOUR_MS], ids=["a day fast", "an hour slow"])
async def test_a_wrong_clock_changes_no_time_on_the_screen(
    visit: Visit, channel: Channel, by: int
) -> None:
    talk = await Talk.begin(channel)
    right = await visit(ANA, talk.path)
    wrong = await visit(ANA, talk.path, script=WRONG_CLOCK % by)

    await talk.goes_on("Agora mesmo")

    await expect(row(wrong, talk.name).locator("time")).to_have_text("agora")
    await expect(message(wrong, "Agora mesmo")).to_be_visible()
    await expect(wrong.locator(".day")).to_have_text("Hoje")
    # The rows have minutes, hours and days. A minute of one may just have passed on one page and
    # not yet on the other, whose clocks tick at different moments: then it is the next look's.
    for _ in range(LOOKS):
        expected, shown = await _times(right), await _times(wrong)
        if shown == expected:
            break
        await right.wait_for_function(TICK)
    assert len(set(expected)) > 2
    assert shown == expected


async def _times(page: Page) -> list[str]:
    return await page.locator(".row-time").all_inner_texts()
