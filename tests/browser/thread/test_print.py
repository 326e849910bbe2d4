"""A printed conversation is whole, names its patient, and shows nobody else."""

from playwright.async_api import Page, ViewportSize, expect

from tests.browser.conftest import Visit
from tests.support.browser.pages import messages
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.long_conversation import fill
from tests.support.people import ANA
from tests.support.servers.server import Server

LOADED = 30
A4: ViewportSize = {"width": 794, "height": 1123}
# What would be cut off: a box that hides what is larger than itself.
CLIPPED = """
() => [...document.querySelectorAll(".thread-pane, .thread-pane *")]
  .filter((element) => element.getClientRects().length > 0 && !element.closest(".sr-only, svg"))
  .filter((element) => getComputedStyle(element).overflow !== "visible"
    && (element.scrollHeight > element.clientHeight + 1
      || element.scrollWidth > element.clientWidth + 1))
  .map((element) => element.outerHTML.slice(0, 80))
"""
COLOURS = """
() => [...document.querySelectorAll(".message-body, .thread-header-title h2")]
  .map((element) => getComputedStyle(element).color)
"""


async def _printed(visit: Visit, channel: Channel, server: Server, **options: str) -> Page:
    talk = await Talk.begin(channel)
    fill(server, talk, LOADED + 10)
    page = await talk.opened_by(visit, ANA, **options)
    await expect(messages(page)).to_have_count(LOADED)
    await page.emulate_media(media="print")
    await page.set_viewport_size(A4)
    return page


async def test_all_loaded_messages_are_on_paper_and_nobody_elses(
    visit: Visit, channel: Channel, server: Server
) -> None:
    other = await Talk.begin(channel)
    page = await _printed(visit, channel, server)

    text = await page.locator("body").inner_text()
    assert other.name not in text
    for seq in range(11, 11 + LOADED):
        await expect(messages(page).filter(has_text=f"Mensagem {seq}").first).to_be_visible()
    assert await page.evaluate(CLIPPED) == []
    # As high as it is long, or the browser would print one page of it.
    height = "document.documentElement.scrollHeight"
    assert await page.evaluate(f"{height} > {A4['height']}")


async def test_paper_says_whose_it_is_of_which_clinic_and_when(
    visit: Visit, channel: Channel, server: Server
) -> None:
    page = await _printed(visit, channel, server)

    head = page.locator(".print-head")
    await expect(head).to_contain_text("Clínica Aurora")
    await expect(head.locator("span").last).to_contain_text(" de 20")
    await expect(page.locator(".thread-header-title h2")).to_be_visible()
    await expect(page.get_by_text("As mensagens anteriores não estão neste papel.")).to_be_visible()
    for gone in (
        ".conversation-list-pane",
        ".patient-panel",
        "[data-testid=composer]",
        "[data-testid=load-more]",
    ):
        await expect(page.locator(gone)).to_be_hidden()
    # Names and not "You", whoever reads it.
    author = await page.locator("[data-direction=outbound] .message-bubble").first.evaluate(
        "(bubble) => getComputedStyle(bubble, '::before').content"
    )
    assert author == '"Ana Beatriz Moura"'


async def test_paper_is_white_in_the_dark_too(
    visit: Visit, channel: Channel, server: Server
) -> None:
    page = await _printed(visit, channel, server, color_scheme="dark")

    assert set(await page.evaluate(COLOURS)) == {"rgb(0, 0, 0)"}
    pdf = await page.pdf(format="A4")
    assert pdf.count(b"/Type /Page\n") >= 2
