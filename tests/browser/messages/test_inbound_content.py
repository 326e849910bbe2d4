"""What channels deliver besides short texts of people with a name is on the screen too."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from clinic_chat.domain.patients.phones import format_phone
from tests.browser.conftest import Visit
from tests.support.browser.pages import bodies, message, messages, row, rows, thread_of
from tests.support.channel import Channel
from tests.support.network.frames import received_by
from tests.support.people import ANA, Patient, new_patient

LONGEST = 65_536
PAGE = 30
# A page of the longest messages, each with as much as staff may write.
MOST_FRAME_BYTES = 600_000


async def test_a_page_of_the_longest_messages_opens_and_each_can_be_read_whole(
    visit: Visit, channel: Channel
) -> None:
    patient = new_patient()
    body = ("á" * 63 + " ") * (LONGEST // 64)
    for number in range(PAGE):
        first = await channel.deliver(patient, f"{number} {body}"[:LONGEST])
    ana = await visit(ANA)
    received = received_by(ana)
    await ana.goto(f"/c/{first.conversation_id}")
    await thread_of(ana, patient.name)
    await expect(messages(ana)).to_have_count(PAGE)
    assert max(len(frame.encode()) for frame in received) < MOST_FRAME_BYTES

    last = messages(ana).last
    text, more = last.locator(".message-body"), last.get_by_test_id("show-more")
    assert await text.evaluate("(text) => text.clientHeight") < 400
    # It opened at the first unread message, which is far above.
    await more.scroll_into_view_if_needed()
    top = await _top_of_last(ana)
    await expect(more).to_have_text("Mostrar mais")
    await more.click()

    await expect(more).to_have_text("Mostrar menos")
    assert len((await text.text_content()) or "") == LONGEST
    assert await text.evaluate("(text) => text.clientHeight") > 4_000
    # What one is about to read stays where it is.
    assert await _top_of_last(ana) == pytest.approx(top, abs=2)
    await more.click()
    await expect(more).to_have_text("Mostrar mais")
    assert await _top_of_last(ana) >= 0


async def test_the_rest_of_what_was_too_long_is_told(visit: Visit, channel: Channel) -> None:
    patient = new_patient()
    first = await channel.deliver(patient, "x" * (LONGEST + 7))
    ana = await visit(ANA, f"/c/{first.conversation_id}")
    await thread_of(ana, patient.name)

    await messages(ana).last.get_by_test_id("show-more").click()

    await expect(messages(ana).last).to_contain_text("Os últimos 7 caracteres eram demais")


@pytest.mark.parametrize(
    ("kind", "sentence", "label"),
    [
        ("image", "Foto recebida. Ainda não é possível mostrá-la aqui.", "Foto"),
        ("audio", "Mensagem de voz recebida.", "Mensagem de voz"),
        ("location", "Localização recebida.", "Localização"),
        ("poll", "Parte desta mensagem não pode ser mostrada aqui.", "Não aparece por inteiro"),
    ],
)
async def test_what_is_no_text_is_said(
    visit: Visit, channel: Channel, kind: str, sentence: str, label: str
) -> None:
    patient = new_patient()
    first = await channel.deliver(patient, "", kind=kind, caption="o exame de ontem")
    ana = await visit(ANA, f"/c/{first.conversation_id}")
    await thread_of(ana, patient.name)

    await expect(messages(ana).last.get_by_test_id("stand-in")).to_contain_text(sentence)
    assert await bodies(ana) == ["o exame de ontem"]
    await expect(row(ana, patient.name)).to_contain_text(f"{label} · o exame de ontem")


async def test_an_empty_message_is_seen(visit: Visit, channel: Channel) -> None:
    patient = new_patient()
    first = await channel.deliver(patient, "\u3164")
    ana = await visit(ANA, f"/c/{first.conversation_id}")
    await expect(messages(ana).last.get_by_test_id("stand-in")).to_have_text("Mensagem vazia")
    await expect(row(ana, patient.name)).to_contain_text("Mensagem vazia")


async def test_a_number_stands_for_a_name_until_there_is_one(
    visit: Visit, channel: Channel
) -> None:
    patient = new_patient()
    shown = format_phone(patient.phone)
    first = await channel.deliver(Patient("\u3164", patient.phone), "Oi")
    ana = await visit(ANA, f"/c/{first.conversation_id}")
    header = ana.locator(".thread-header-title")
    await expect(header.locator("h2")).to_have_text(shown)
    await expect(header.get_by_text(shown)).to_have_count(1)
    mine = rows(ana).and_(ana.locator(f"[data-id='{first.conversation_id}']"))
    await expect(mine.locator(".conversation-row-name")).to_have_text(shown)

    await channel.deliver(Patient("Helena Prado", patient.phone), "Sou a Helena")

    await expect(header.locator("h2")).to_have_text("Helena Prado")
    await expect(header).to_contain_text(shown)
    await expect(mine.locator(".conversation-row-name")).to_have_text("Helena Prado")
    await expect(ana.locator("span.message-author:not(.sr-only)")).to_have_count(0)


async def test_two_people_behind_one_number_are_both_named(visit: Visit, channel: Channel) -> None:
    patient = new_patient()
    first = await channel.deliver(patient, "Oi")
    ana = await visit(ANA, f"/c/{first.conversation_id}")
    await thread_of(ana, patient.name)

    await channel.deliver(Patient("João Prado", patient.phone), "Aqui é o João")
    await channel.deliver(Patient("João Prado", patient.phone), "filho dela")
    await channel.deliver(patient, "Voltei")

    await expect(message(ana, "Voltei")).to_be_visible()
    await expect(message(ana, "Aqui é o João").locator(".message-author")).to_have_text(
        "João Prado"
    )
    await expect(message(ana, "Voltei").locator(".message-author")).to_have_text(patient.name)
    await expect(message(ana, "filho dela").locator(".message-author")).to_have_count(0)
    pane = ana.locator(".patient-panel")
    await expect(pane.locator("dd", has_text="João Prado")).to_have_count(1)
    await expect(pane).to_contain_text("Também escreve como")


async def test_the_time_of_a_message_that_came_late_is_said(visit: Visit, channel: Channel) -> None:
    patient = new_patient()
    await channel.deliver(patient, "Oi")
    sent = datetime.now(UTC) - timedelta(days=2)
    first = await channel.deliver(patient, "Estou com dor", at=sent.isoformat())
    ana = await visit(ANA, f"/c/{first.conversation_id}")
    await thread_of(ana, patient.name)

    late = message(ana, "Estou com dor")
    await expect(late.get_by_test_id("sent-late")).to_contain_text("enviada")
    await expect(late.locator("time").first).to_have_attribute("datetime", _iso(sent))
    # The days go by when messages arrived, so that none comes twice.
    await expect(ana.locator(".message-day")).to_have_count(1)
    assert [await messages(ana).nth(n).get_attribute("data-seq") for n in (0, 1)] == ["1", "2"]


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def _top_of_last(page: Page) -> float:
    top: float = await page.evaluate(
        "() => { const list = document.querySelector('[data-testid=message-list]');"
        " const body = [...list.querySelectorAll('.message-body')].at(-1);"
        " return body.getBoundingClientRect().top - list.getBoundingClientRect().top; }"
    )
    return top
