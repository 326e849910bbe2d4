"""Nothing that is written or looked for is in an address, where proxies and histories keep it."""

from playwright.async_api import Page, Request, expect

from tests.browser.conftest import Visit
from tests.support.browser.pages import answer, composer, message, open_conversation, rows
from tests.support.channel import Channel
from tests.support.people import ANA, Patient, new_patient

NAME, ANSWER, DRAFT, SEARCH = "Zqxwname", "Zqxwanswer", "Zqxwdraft", "Zqxwsearch"
MARK = "zqxw"


def _requested(page: Page) -> list[str]:
    """The addresses that a page asks for from now on, and where they say that it was."""
    found: list[str] = []

    def note(request: Request) -> None:
        found.append(f"{request.url} {request.headers.get('referer', '')}")

    page.on("request", note)
    page.on("websocket", lambda socket: found.append(socket.url))
    page.on("framenavigated", lambda frame: found.append(frame.url))
    return found


async def test_what_staff_write_and_look_for_is_in_no_address(
    visit: Visit, channel: Channel
) -> None:
    patient = Patient(NAME, new_patient().phone)
    await channel.deliver(patient, "Bom dia")
    ana = await visit(ANA)
    requested = _requested(ana)

    search = ana.get_by_role("searchbox")
    await search.fill(SEARCH)
    await expect(rows(ana)).to_have_count(0)
    await search.fill(NAME)
    await expect(rows(ana)).to_have_count(1)
    await open_conversation(ana, NAME)
    await answer(ana, ANSWER)
    await expect(message(ana, ANSWER)).to_be_visible()
    await composer(ana).fill(DRAFT)
    await ana.reload()
    await expect(composer(ana)).to_have_value(DRAFT)

    assert any("/_event" in address for address in requested)
    assert [address for address in requested if MARK in address.lower()] == []
    assert MARK not in ana.url.lower()
