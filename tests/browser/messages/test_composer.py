"""Writing to a patient: keys, size, limits, drafts, and a message that cannot be stored."""

from dataclasses import dataclass
from itertools import pairwise

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from clinic_chat.storage.sqlite.library import sqlite3
from tests.browser.conftest import Visit
from tests.support.browser.pages import (
    PHONE,
    answer,
    bodies,
    composer,
    message,
    messages,
    open_conversation,
    thread_of,
)
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.network.frames import Questions
from tests.support.people import ANA, BRUNO, Patient, new_patient
from tests.support.servers.server import Server

MAX_LINES = 6
LIMIT = 4000


@dataclass(frozen=True)
class Desk:
    """Ana with a new patient's conversation open; the patient wrote one message."""

    page: Page
    patient: Patient
    conversation_id: str


@pytest_asyncio.fixture(loop_scope="session")
async def desk(visit: Visit, channel: Channel) -> Desk:
    patient = new_patient()
    first = await channel.deliver(patient, "Bom dia")
    page = await visit(ANA, f"/c/{first.conversation_id}")
    await thread_of(page, patient.name)
    return Desk(page, patient, first.conversation_id)


async def test_enter_sends_and_shift_enter_breaks_the_line(desk: Desk) -> None:
    box = composer(desk.page)
    await expect(box).to_be_focused()

    await desk.page.keyboard.type("Bom dia!")
    await desk.page.keyboard.press("Shift+Enter")
    await desk.page.keyboard.type("Já vejo.")
    assert await messages(desk.page).count() == 1
    await desk.page.keyboard.press("Enter")

    await expect(messages(desk.page)).to_have_count(2)
    assert await bodies(desk.page) == ["Bom dia", "Bom dia!\nJá vejo."]
    await expect(box).to_have_value("")
    await expect(box).to_be_focused()


async def test_the_button_sends_too(desk: Desk) -> None:
    await composer(desk.page).fill("Pelo botão")

    await desk.page.get_by_test_id("send").click()

    await expect(message(desk.page, "Pelo botão")).to_have_attribute("data-seq", "2")
    await expect(composer(desk.page)).to_have_value("")


async def test_the_box_grows_with_the_text_up_to_six_lines(desk: Desk) -> None:
    box = composer(desk.page)
    heights = []
    for lines in range(1, MAX_LINES + 4):
        await box.fill("\n".join("linha" for _ in range(lines)))
        heights.append(await box.evaluate("(box) => box.clientHeight"))

    steps = [after - before for before, after in pairwise(heights)]
    assert all(step > 10 for step in steps[: MAX_LINES - 1])
    assert steps[MAX_LINES - 1 :] == [0, 0, 0]

    await box.fill("")
    assert await box.evaluate("(box) => box.clientHeight") == heights[0]


@pytest.mark.parametrize(
    ("draft", "reason"),
    [
        ("", "Escreva algo antes."),
        ("  \n\t ", "Escreva algo antes."),
        ("x" * (LIMIT + 1), "Uma mensagem tem no máximo 4000 caracteres."),
        ("\u3164\u2800", "Escreva algo antes."),
    ],
    ids=["empty", "white space", "too long", "invisible"],
)
async def test_what_cannot_be_sent_is_refused_with_the_reason_and_kept(
    desk: Desk, draft: str, reason: str
) -> None:
    box = composer(desk.page)
    await box.evaluate(
        "(box, draft) => { box.value = draft; box.dispatchEvent(new Event('input', "
        "{bubbles: true})); }",
        draft,
    )

    await box.press("Enter")

    await expect(desk.page.get_by_test_id("composer").get_by_role("alert")).to_have_text(reason)
    await expect(box).to_have_value(draft)
    assert await bodies(desk.page) == ["Bom dia"]


@pytest.mark.parametrize(
    ("pasted", "sent"),
    [
        ("Preparo:\x0bjejum de 8 h", "Preparo:\njejum de 8 h"),
        ("página 1\x0cpágina 2", "página 1\npágina 2"),
        ("resultado\x03 normal", "resultado normal"),
        ("com\0nulo e \u202e21 mg", "comnulo e 21 mg"),
    ],
)
async def test_what_was_pasted_is_cleaned_and_sent(desk: Desk, pasted: str, sent: str) -> None:
    box = composer(desk.page)
    await box.fill("antes ")
    await box.evaluate(
        "(box, text) => { box.setRangeText(text, box.value.length, box.value.length, 'end');"
        " box.setRangeText(' depois', box.value.length, box.value.length, 'preserve');"
        " box.dispatchEvent(new InputEvent('input', { bubbles: true })); }",
        pasted,
    )

    await expect(box).to_have_value(f"antes {sent} depois")
    assert await box.evaluate("(box) => box.selectionEnd") == len(f"antes {sent}")
    await box.press("Enter")

    await expect(message(desk.page, f"antes {sent} depois")).to_have_attribute("data-seq", "2")


@pytest.mark.parametrize("letter", ["x", "💊"], ids=["letters", "emoji"])
async def test_four_thousand_characters_are_sent_whole(desk: Desk, letter: str) -> None:
    await answer(desk.page, letter * LIMIT)

    await expect(messages(desk.page)).to_have_count(2)
    sent = messages(desk.page).nth(1)
    await expect(sent).to_have_attribute("data-seq", "2")
    assert await bodies(desk.page) == ["Bom dia", letter * LIMIT]


async def test_each_conversation_keeps_its_own_draft(desk: Desk, channel: Channel) -> None:
    other = new_patient()
    await channel.deliver(other, "Oi")
    box = composer(desk.page)
    await box.fill("Metade de uma resp")

    await open_conversation(desk.page, other.name)
    await expect(box).to_have_value("")
    await box.fill("Para a outra")
    await open_conversation(desk.page, desk.patient.name)
    await expect(box).to_have_value("Metade de uma resp")
    await desk.page.go_back()
    await expect(box).to_have_value("Para a outra")

    await box.press("Enter")
    await expect(message(desk.page, "Para a outra")).to_have_count(1)
    await open_conversation(desk.page, desk.patient.name)
    await expect(box).to_have_value("Metade de uma resp")
    assert await bodies(desk.page) == ["Bom dia"]


async def test_enter_inside_an_input_method_does_not_send(desk: Desk) -> None:
    box = composer(desk.page)
    keys = await desk.page.context.new_cdp_session(desk.page)
    composing = {"text": "こん", "selectionStart": 2, "selectionEnd": 2}

    await keys.send("Input.imeSetComposition", composing)
    await desk.page.keyboard.press("Enter")
    assert await bodies(desk.page) == ["Bom dia"]
    await keys.send("Input.insertText", {"text": "こん"})
    await box.press("Enter")

    await expect(messages(desk.page)).to_have_count(2)
    assert await bodies(desk.page) == ["Bom dia", "こん"]


async def test_enter_after_an_input_method_of_safari_does_not_send(desk: Desk) -> None:
    box = composer(desk.page)
    await box.fill("こん")

    # Safari ends the composition before the key that accepts the suggestion (webkit.org/b/165004).
    prevented = await box.evaluate(
        """(box) => {
          box.dispatchEvent(new CompositionEvent("compositionend", {data: "こん", bubbles: true}));
          return !box.dispatchEvent(new KeyboardEvent("keydown",
            {key: "Enter", keyCode: 229, bubbles: true, cancelable: true}));
        }"""
    )

    assert not prevented
    await expect(box).to_have_value("こん")
    assert await bodies(desk.page) == ["Bom dia"]
    await box.press("Enter")
    await expect(message(desk.page, "こん")).to_be_visible()


async def test_enter_that_is_held_sends_once_and_complains_of_nothing(desk: Desk) -> None:
    box = composer(desk.page)
    await box.fill("Uma vez")

    # Playwright repeats a key that is down already, as a keyboard does.
    for _ in range(5):
        await desk.page.keyboard.down("Enter")
    await desk.page.keyboard.up("Enter")

    await expect(message(desk.page, "Uma vez")).to_have_attribute("data-seq", "2")
    await expect(box).to_have_value("")
    await expect(desk.page.locator("#composer-hint")).to_be_empty()
    assert await bodies(desk.page) == ["Bom dia", "Uma vez"]


async def test_enter_breaks_the_line_on_a_screens_keyboard(visit: Visit, channel: Channel) -> None:
    talk = await Talk.begin(channel)
    phone = await talk.opened_by(visit, ANA, **PHONE)
    box = composer(phone)
    await expect(box).to_have_attribute("enterkeyhint", "enter")

    await box.press_sequentially("Bom dia!")
    await box.press("Enter")
    await box.press_sequentially("Já vejo.")
    await expect(box).to_have_value("Bom dia!\nJá vejo.")
    assert await bodies(phone) == ["Mensagem 1"]
    await phone.get_by_test_id("send").tap()

    await expect(messages(phone)).to_have_count(2)
    assert await bodies(phone) == ["Mensagem 1", "Bom dia!\nJá vejo."]


async def test_an_empty_box_is_as_high_as_its_button_and_shows_the_sixth_line_whole(
    desk: Desk,
) -> None:
    box = composer(desk.page)
    button = desk.page.get_by_test_id("send")
    height = "(element) => element.getBoundingClientRect().height"
    assert await box.evaluate(height) == await button.evaluate(height)

    await box.fill("\n".join(["linha"] * MAX_LINES))

    assert await box.evaluate("(box) => box.scrollHeight - box.clientHeight") == 0


async def test_marks_piled_on_a_letter_scroll_nothing_sideways(
    desk: Desk, channel: Channel
) -> None:
    # One letter is never broken into lines, and without its font each mark has a width.
    await channel.deliver(desk.patient, "ก" + "\u0e49" * 300 + " fim")
    await expect(messages(desk.page)).to_have_count(2)
    wide = (
        await messages(desk.page)
        .last.locator(".message-body")
        .evaluate("(body) => body.scrollWidth > body.clientWidth")
    )
    assert wide

    for area in ("[data-testid=message-list]", ".patient-panel", "html"):
        sideways = await desk.page.locator(area).evaluate(
            "(area) => area.scrollWidth - area.clientWidth"
        )
        assert sideways == 0, area


async def test_a_message_that_cannot_be_stored_is_kept_and_sent_once_on_request(
    desk: Desk, visit: Visit, server: Server
) -> None:
    bruno = await visit(BRUNO, f"/c/{desk.conversation_id}")
    await thread_of(bruno, desk.patient.name)
    await _settle(desk)
    stuck = message(desk.page, "Às dez")

    with server.locked():
        await answer(desk.page, "Às dez")
        await expect(stuck).to_have_attribute("data-status", "failed")
        await expect(stuck.get_by_role("alert")).to_contain_text(
            "Não enviada: o servidor da clínica não consegue salvar agora."
        )
    await stuck.get_by_role("button", name="Tentar de novo").click()

    await expect(stuck).to_have_attribute("data-seq", "2")
    await expect(message(bruno, "Às dez")).to_be_visible()
    for page in (desk.page, bruno):
        assert await bodies(page) == ["Bom dia", "Às dez"]
    assert _stored(server, "Às dez") == 1


async def test_a_message_that_cannot_be_stored_can_be_discarded(desk: Desk, server: Server) -> None:
    await _settle(desk)
    stuck = message(desk.page, "Deixa para lá")

    with server.locked():
        await answer(desk.page, "Deixa para lá")
        await stuck.get_by_role("button", name="Descartar").click()

    await expect(stuck).to_have_count(0)
    await answer(desk.page, "Outra coisa")
    await expect(message(desk.page, "Outra coisa")).to_have_attribute("data-seq", "2")
    assert _stored(server, "Deixa para lá") == 0


async def _settle(desk: Desk) -> None:
    """Load the page again and wait until nothing of it is under way that would meet the lock."""
    questions = Questions(desk.page)
    await desk.page.reload()
    await thread_of(desk.page, desk.patient.name)
    await questions.answered("message:read")


def _stored(server: Server, body: str) -> int:
    connection = sqlite3.connect(server.database)
    try:
        (count,) = connection.execute(
            "SELECT count(*) FROM messages WHERE body = ?", (body,)
        ).fetchone()
        return int(count)
    finally:
        connection.close()
