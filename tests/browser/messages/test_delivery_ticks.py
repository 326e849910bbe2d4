"""How far each of the clinic's messages got, as the channel reports it: forward only."""

import re

import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.support.browser.pages import answer, message, row
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.people import ANA, BRUNO
from tests.support.servers.server import Server

TIME = r"\d\d/\d\d/\d{4}, \d\d:\d\d"
TEXT = "A receita está pronta"


class Answered:
    """A message that Ana wrote; Bruno looks at it too."""

    def __init__(self, ana: Page, bruno: Page, talk: Talk, message_id: str) -> None:
        self.pages = (ana, bruno)
        self.talk = talk
        self.id = message_id

    async def shows(self, status: str, text: str) -> None:
        """Return when the message and the list's preview show this status everywhere."""
        for page in self.pages:
            tick = _tick(message(page, TEXT))
            await expect(tick).to_have_attribute("data-status", status)
            # The same on hover and for screen readers.
            words = tick.locator("[title]")
            await expect(words).to_have_attribute("title", re.compile(f"^{text}$"))
            await expect(words.locator(".sr-only")).to_have_text(re.compile(f"^{text}$"))
            preview = _tick(row(page, self.talk.name))
            await expect(preview).to_have_attribute("data-status", status)


@pytest_asyncio.fixture(loop_scope="session")
async def answered(visit: Visit, channel: Channel) -> Answered:
    talk = await Talk.begin(channel)
    ana = await talk.opened_by(visit, ANA)
    bruno = await talk.opened_by(visit, BRUNO)
    await answer(ana, TEXT)
    await expect(message(ana, TEXT)).to_have_attribute("data-seq", "2")
    return Answered(ana, bruno, talk, await message(ana, TEXT).get_attribute("data-id") or "")


async def test_ticks_go_from_sent_to_delivered_to_read_and_never_back(
    answered: Answered, channel: Channel, server: Server
) -> None:
    await answered.shows("sent", f"Salva {TIME}")
    assert await channel.report(answered.id, "delivered") == 200
    await answered.shows("delivered", f"Entregue {TIME}")
    assert await channel.report(answered.id, "read") == 200
    await answered.shows("read", f"Lida {TIME}")

    # Channels repeat themselves and report out of order; a late failure contradicts itself.
    for late in ("delivered", "sent", "read"):
        assert await channel.report(answered.id, late) == 200
    assert await channel.report(answered.id, "failed", "Sem rede") == 409
    boreal = Channel(server, "boreal")
    assert await boreal.report(answered.id, "read") == 404
    await boreal.close()
    await answered.talk.goes_on("Obrigada!")
    for page in answered.pages:
        await expect(message(page, "Obrigada!")).to_be_visible()
        await expect(_tick(message(page, TEXT))).to_have_attribute("data-status", "read")
        # The preview is the patient's now, and patients' messages have no ticks.
        await expect(_tick(row(page, answered.talk.name))).to_have_count(0)


async def test_the_whole_date_of_a_message_and_of_a_row_is_there_on_hover(
    answered: Answered,
) -> None:
    ana, _ = answered.pages
    for place, written in (
        (message(ana, TEXT), r"\d{4} às \d\d:\d\d:\d\d$"),
        (row(ana, answered.talk.name), r"\d{4} às \d\d:\d\d$"),
    ):
        moment = place.locator("time")
        await moment.hover()
        await expect(moment).to_have_attribute("title", re.compile(written))


async def test_read_without_delivered_is_both(answered: Answered, channel: Channel) -> None:
    assert await channel.report(answered.id, "read") == 200
    await answered.shows("read", f"Lida {TIME}")


async def test_a_message_that_failed_says_why_and_stays_so(
    answered: Answered, channel: Channel
) -> None:
    assert await channel.report(answered.id, "failed", "Número inexistente") == 200

    for page in answered.pages:
        shown = message(page, TEXT)
        await expect(shown.locator(".message-failure")).to_contain_text("Número inexistente")
        await expect(_tick(shown).locator("[title]")).to_have_attribute(
            "title", re.compile(f"^Não entregue {TIME}: Número inexistente$")
        )
        await expect(_tick(row(page, answered.talk.name))).to_have_attribute(
            "data-status", "failed"
        )
    assert await channel.report(answered.id, "delivered") == 409
    assert await channel.report(answered.id, "failed") == 200
    for page in answered.pages:
        await expect(message(page, TEXT)).to_have_attribute("data-status", "failed")


def _tick(of: Locator) -> Locator:
    return of.get_by_test_id("message-status")
