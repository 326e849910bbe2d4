"""Every conversation has an address, and moving between them leaves the list alone."""

from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
from tests.support.browser.pages import (
    bodies,
    live,
    messages,
    open_conversation,
    row,
    rows,
    thread_of,
)
from tests.support.channel import Channel
from tests.support.network.frames import sent_by
from tests.support.people import ANA, CARLA, new_patient

LIST = "[data-testid=conversation-list]"


async def test_an_address_opens_its_conversation_and_a_reload_keeps_it(
    visit: Visit, channel: Channel
) -> None:
    patient = new_patient()
    first = await channel.deliver(patient, "Posso levar meu filho?")

    ana = await visit(ANA, f"/c/{first.conversation_id}")
    await thread_of(ana, patient.name)
    await ana.reload()
    await thread_of(ana, patient.name)

    assert await bodies(ana) == ["Posso levar meu filho?"]
    await expect(row(ana, patient.name)).to_have_attribute("data-open", "true")


async def test_back_and_forward_move_between_conversations_and_the_bare_list(
    visit: Visit, channel: Channel
) -> None:
    one, two = new_patient(), new_patient()
    for patient in (one, two):
        await channel.deliver(patient, f"Sou {patient.name}")
    ana = await visit(ANA)

    await open_conversation(ana, one.name)
    await open_conversation(ana, two.name)
    await ana.go_back()
    await thread_of(ana, one.name)
    assert await bodies(ana) == [f"Sou {one.name}"]
    await ana.go_back()
    await expect(messages(ana)).to_have_count(0)
    await expect(ana.locator(".thread-pane h2")).to_have_text("Escolha uma conversa")
    await ana.go_forward()
    await ana.go_forward()
    await thread_of(ana, two.name)
    assert await bodies(ana) == [f"Sou {two.name}"]


async def test_changing_conversations_quickly_ends_at_the_last_one(
    visit: Visit, channel: Channel
) -> None:
    patients = [new_patient() for _ in range(4)]
    for patient in patients:
        await channel.deliver(patient, f"Sou {patient.name}")
    ana = await visit(ANA)
    await expect(row(ana, patients[-1].name)).to_be_visible()

    for patient in [*patients, *patients]:
        await row(ana, patient.name).click()

    await thread_of(ana, patients[-1].name)
    assert await bodies(ana) == [f"Sou {patients[-1].name}"]


async def test_a_conversation_and_a_filter_are_asked_for_once_and_by_commands_alone(
    visit: Visit, channel: Channel
) -> None:
    patient = new_patient()
    first = await channel.deliver(patient, "Bom dia")
    ana = await visit(ANA)
    frames = sent_by(ana)
    await ana.reload()
    await live(ana)
    await expect(row(ana, patient.name)).to_be_visible()
    since = len(frames)

    await open_conversation(ana, patient.name)
    await thread_of(ana, patient.name)
    await ana.get_by_test_id("filter-unassigned").click()
    await expect(row(ana, patient.name)).to_be_visible()
    await ana.go_back()
    await expect(messages(ana)).to_have_count(0)

    asked = [frame for frame in frames[since:] if '["feed:check"' not in frame]
    assert [frame for frame in asked if '["event"' in frame] == []
    opened = [frame for frame in asked if '["feed:open"' in frame]
    assert [first.conversation_id in frame for frame in opened] == [True, False]
    assert len([frame for frame in asked if '["feed:page"' in frame]) <= 2


async def test_the_list_stays_the_same_element_at_the_same_place(visit: Visit) -> None:
    ana = await visit(ANA)
    await ana.locator(LIST).evaluate("(list) => { list.scrollTop = 300; list.mine = true; }")
    before = await _place(ana)
    assert before == (True, 300)

    for number in (6, 8):
        name = await rows(ana).nth(number).locator(".conversation-row-name").inner_text()
        await open_conversation(ana, name)
        assert await _place(ana) == before
    await ana.go_back()
    await ana.go_back()
    await expect(messages(ana)).to_have_count(0)

    assert await _place(ana) == before


@pytest.mark.parametrize(
    "name",
    ["not-an-id", str(uuid4()), str(uuid4()).upper(), "x" * 60, "%C3%A7%20%2E"],
    ids=["word", "unknown", "upper case", "long", "escaped"],
)
async def test_an_address_without_a_conversation_says_so(visit: Visit, name: str) -> None:
    ana = await visit(ANA, f"/c/{name}")

    await expect(ana.locator(".thread-pane h2")).to_have_text("Conversa não encontrada")
    await expect(rows(ana).first).to_be_visible()


async def test_an_id_in_another_form_is_no_address(visit: Visit, channel: Channel) -> None:
    patient = new_patient()
    first = await channel.deliver(patient, "Bom dia")

    ana = await visit(ANA, f"/c/{first.conversation_id.upper()}")

    await expect(ana.locator(".thread-pane h2")).to_have_text("Conversa não encontrada")


async def test_another_clinics_conversation_looks_like_none(visit: Visit, channel: Channel) -> None:
    patient = new_patient()
    first = await channel.deliver(patient, "Só para a Aurora")

    carla = await visit(CARLA, f"/c/{first.conversation_id}")

    await expect(carla.locator(".thread-pane h2")).to_have_text("Conversation not found")
    assert patient.name not in await carla.content()


async def _place(page: Page) -> tuple[bool, int]:
    place = await page.locator(LIST).evaluate("(list) => [list.mine === true, list.scrollTop]")
    return place[0], place[1]
