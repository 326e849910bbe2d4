"""A device whose clock is wrong shows the times that one with a right clock shows."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
from tests.support.browser.pages import live, message, row
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.people import ANA

HOUR_MS = 60 * 60 * 1000
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
    await expect(wrong.locator(".message-day")).to_have_text("Hoje")
    # The rows have minutes, hours and days, and are drawn anew every half minute, each page in its
    # own: loaded again they are drawn now, and a minute of a row may pass in between.
    before, shown, after = await _times(right), await _times(wrong), await _times(right)
    assert len(set(before)) > 1
    for times in zip(before, shown, after, strict=True):
        assert times[1] in (times[0], times[2])


async def _times(page: Page) -> list[str]:
    """The times of conversations that no other test writes into."""
    await page.goto("/?status=resolved")
    await live(page)
    return await page.locator(".conversation-row-time").all_inner_texts()
