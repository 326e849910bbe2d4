"""A message that did not reach the patient: why, and what can be done about it."""

from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
from tests.support.browser.pages import answer, bodies, message, messages
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.people import ANA, BRUNO

TEXT = "Sua consulta é amanhã às nove"
REASON = "O número não tem WhatsApp"


async def test_sent_again_it_is_one_new_message_however_often_it_is_pressed(
    visit: Visit, channel: Channel
) -> None:
    talk = await Talk.begin(channel)
    ana, bruno = await talk.opened_by(visit, ANA), await talk.opened_by(visit, BRUNO)
    await _fail(ana, channel)

    await ana.get_by_role("button", name="Enviar de novo").dblclick()

    for page in (ana, bruno):
        await expect(messages(page)).to_have_count(3)
        await expect(messages(page).last).to_have_attribute("data-status", "sent")
        await expect(page.get_by_role("button", name="Enviar de novo")).to_have_count(0)
        await expect(page.locator(".message-failure")).to_contain_text("Enviada de novo abaixo")
    # Nothing more comes behind it.
    await answer(ana, "E mais uma")
    await expect(message(bruno, "E mais uma")).to_be_visible()
    assert await bodies(bruno) == ["Mensagem 1", TEXT, TEXT, "E mais uma"]
    await ana.reload()
    await expect(ana.locator(".message-failure")).to_contain_text("Enviada de novo abaixo")


async def test_one_can_call_instead_or_copy_the_number(visit: Visit, channel: Channel) -> None:
    talk = await Talk.begin(channel)
    page = await talk.opened_by(visit, ANA, permissions=["clipboard-read", "clipboard-write"])
    await _fail(page, channel)
    failure = page.locator(".message-failure")

    await expect(failure.get_by_role("link", name="Ligar")).to_have_attribute(
        "href", f"tel:{talk.patient.phone}"
    )
    await failure.get_by_role("button", name="Copiar o número").click()

    await expect(failure.get_by_role("status")).to_have_text("Copiado")
    copied = await page.evaluate("() => navigator.clipboard.readText()")
    assert copied.replace(" ", "").replace("-", "") == talk.patient.phone


async def _fail(page: Page, channel: Channel) -> None:
    """Ana's answer is sent, and the channel says that it did not arrive."""
    await answer(page, TEXT)
    sent = message(page, TEXT)
    await expect(sent).to_have_attribute("data-status", "sent")
    message_id = await sent.get_attribute("data-id")
    assert message_id
    assert await channel.report(message_id, "failed", REASON) == 200
    await expect(page.locator(".message-failure")).to_contain_text(REASON)
