"""What is seen and pressed on screens of every size, and where colours are forced."""

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.support.browser.pages import PHONE, answer, message, rows
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.people import ANA, Patient

FINGER_PX = 44
# Links inside of a sentence are as high as its line (WCAG 2.5.8, inline).
PRESSED = (
    ":is(button, a, select, summary, input:not([type=hidden]), textarea)"
    ":not(.message-body a, .patient-panel-facts a)"
)
SIZES = """
(elements) => elements
  .filter((element) => element.checkVisibility({visibilityProperty: true}))
  .map((element) => {
    const { width, height } = element.getBoundingClientRect();
    const name = element.getAttribute("aria-label") ?? element.textContent;
    return {name: `${element.className} ${name}`, width, height};
  })
  .filter(({ width, height }) => width > 1 && height > 1)
"""


async def test_every_target_is_large_enough_for_a_finger(visit: Visit, channel: Channel) -> None:
    talk = await Talk.begin(channel)
    stranger = await visit(path="/login", **PHONE)
    await expect(stranger.get_by_role("button", name="Entrar", exact=True)).to_be_visible()
    small = await _too_small(stranger)
    page = await visit(ANA, **PHONE)
    small += await _too_small(page)
    await page.goto(talk.path)
    await expect(message(page, "Mensagem 1")).to_be_visible()
    small += await _too_small(page)
    await page.locator(".thread-header-patient-toggle").tap()
    await expect(page.get_by_role("dialog")).to_be_visible()
    small += await _too_small(page, "dialog ")

    assert not small, small


@pytest.mark.parametrize("counts", [["99+", "18", "43"], ["1,2 mil", "999", "1,1 mil"]])
async def test_the_filters_fit_at_1024_pixels(visit: Visit, counts: list[str]) -> None:
    page = await visit(ANA, viewport={"width": 1024, "height": 768})
    for count, text in zip(
        await page.locator(".filter-segment .filter-count").all(), counts, strict=True
    ):
        await count.evaluate("(count, text) => { count.textContent = text; }", text)

    assert (await _box(page.locator(".conversation-list-pane")))["width"] >= 328
    right = 0.0
    for segment in await page.locator(".filter-segment").all():
        assert await segment.evaluate(
            "(segment) => segment.scrollWidth <= segment.clientWidth "
            "&& segment.getClientRects().length === 1"
        )
        box = await _box(segment)
        assert box["x"] >= right
        right = box["x"] + box["width"]
    segments = await _box(page.locator(".filter-segments"))
    assert right <= segments["x"] + segments["width"]
    for chip in await page.locator(".filter-chip").all():
        assert (await _box(chip))["height"] < 40


@pytest.mark.parametrize(("width", "height"), [(360, 225), (720, 450), (844, 390)])
async def test_every_row_can_be_reached_in_a_short_window(
    visit: Visit, width: int, height: int
) -> None:
    page = await visit(ANA, viewport={"width": width, "height": height})

    for row in (rows(page).first, rows(page).nth(3)):
        await row.scroll_into_view_if_needed()
        await expect(row).to_be_in_viewport(ratio=0.9)
    await rows(page).nth(3).click()
    await expect(page.get_by_test_id("composer")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("width", [360, 721, 800, 901, 1024])
async def test_a_patient_s_name_and_number_stand_whole_above_the_conversation(
    visit: Visit, channel: Channel, width: int
) -> None:
    patient = Patient("Francisca Carvalho", f"+552190002{width:04}")
    delivered = await channel.deliver(patient, "Bom dia")
    path = f"/c/{delivered.conversation_id}"
    page = await visit(ANA, path, viewport={"width": width, "height": 700})
    await page.get_by_test_id("assignee").click()
    await page.get_by_role("menuitem", name="Bruno Tavares").click()
    await expect(page.get_by_role("menu")).to_have_count(0)

    for shown in ("h2", ".text-quiet"):
        text = page.locator(f".thread-header-title {shown}")
        assert await text.evaluate("(text) => text.scrollWidth <= text.clientWidth"), shown


async def test_a_wide_screen_shows_more_of_the_list(visit: Visit, channel: Channel) -> None:
    patient = Patient("Nome " + "muito comprido " * 5, "+5521900011122")
    await channel.deliver(patient, "Uma mensagem que não cabe em uma linha só. " * 4)
    page = await visit(ANA, viewport={"width": 1920, "height": 1080})

    assert 380 <= (await _box(page.locator(".conversation-list-pane")))["width"] <= 420
    first = rows(page).first
    preview = first.locator(".conversation-row-preview")
    lines = (await _box(preview))["height"] / float(
        await preview.evaluate("(e) => parseFloat(getComputedStyle(e).lineHeight)")
    )
    assert 1.9 < lines < 2.1
    assert await page.evaluate("() => document.documentElement.scrollWidth") == 1920


async def test_every_state_shows_where_colours_are_forced(visit: Visit, channel: Channel) -> None:
    talk = await Talk.begin(channel)
    page = await talk.opened_by(visit, ANA, forced_colors="active")
    await page.get_by_test_id("filter-unread").click()
    await expect(page.get_by_test_id("filter-unread")).to_have_attribute("aria-pressed", "true")

    pressed, other = page.locator(".filter-segment").first, page.locator(".filter-segment").nth(1)
    assert await _style(pressed, "backgroundColor") != await _style(other, "backgroundColor")
    chip = page.get_by_test_id("filter-unread")
    assert await _style(chip, "backgroundColor") != await _style(other, "backgroundColor")
    opened = page.locator(".conversation-row[data-open=true] .conversation-row-link")
    assert await _style(opened, "borderTopWidth") == "2px"
    # Its own arrow is a picture, which is not drawn there.
    assert await _style(page.locator("select.filter-chip"), "appearance") == "auto"
    dot, canvas = page.locator(".connection-dot"), page.locator("body")
    assert await _style(dot, "backgroundColor") != await _style(canvas, "backgroundColor")


async def test_read_and_delivered_differ_by_more_than_colour(
    visit: Visit, channel: Channel
) -> None:
    talk = await Talk.begin(channel)
    page = await talk.opened_by(visit, ANA)
    fills = {}
    for status in ("delivered", "read"):
        await answer(page, f"Para {status}")
        sent = message(page, f"Para {status}")
        await expect(sent).to_have_attribute("data-status", "sent")
        assert await channel.report(str(await sent.get_attribute("data-id")), status) == 200
        await expect(sent).to_have_attribute("data-status", status)
        fills[status] = await _style(sent.get_by_test_id("message-status"), "backgroundColor")

    assert fills["delivered"] == "rgba(0, 0, 0, 0)"
    assert fills["read"] != fills["delivered"]


async def _too_small(page: Page, within: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await page.locator(f"{within}{PRESSED}").evaluate_all(SIZES)
    assert found
    return [one for one in found if min(one["width"], one["height"]) < FINGER_PX - 0.5]


async def _style(element: Locator, name: str) -> str:
    style: str = await element.evaluate("(e, name) => getComputedStyle(e)[name]", name)
    return style


async def _box(element: Locator) -> dict[str, float]:
    box = await element.bounding_box()
    assert box
    return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}
