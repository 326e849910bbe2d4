"""Links in messages, and copying their text."""

from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.support.browser.pages import composer, message
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.people import ANA

BODY = "Exame: https://exames.example/r?id=1&x=<b>, ligue (11) 98765-4321 ou mande a ze@uol.com.br"


async def test_a_link_opens_elsewhere_and_tells_nothing_of_this_page(
    visit: Visit, channel: Channel
) -> None:
    talk = await Talk.begin(channel)
    await talk.goes_on(BODY)
    page = await talk.opened_by(visit, ANA)

    body = message(page, BODY).locator(".message-body")
    await expect(body).to_have_text(BODY)
    links = body.get_by_role("link")
    await expect(links).to_have_count(3)
    first = links.first
    await expect(first).to_have_attribute("href", "https://exames.example/r?id=1&x=")
    await expect(first).to_have_attribute("target", "_blank")
    await expect(first).to_have_attribute("rel", "noopener noreferrer nofollow")
    await expect(first).to_have_attribute("referrerpolicy", "no-referrer")
    await expect(links.nth(1)).to_have_attribute("href", "tel:11987654321")
    await expect(links.nth(2)).to_have_attribute("href", "mailto:ze@uol.com.br")


async def test_what_looks_like_markup_is_text(visit: Visit, channel: Channel) -> None:
    talk = await Talk.begin(channel)
    evil = '<img src=x onerror="window.hit=1"> javascript:alert(1) https://a.example/"onclick="x'
    await talk.goes_on(evil)
    page = await talk.opened_by(visit, ANA)

    await expect(message(page, evil)).to_be_visible()

    assert await page.evaluate("() => window.hit") is None
    assert await page.locator(".message-body :not(a)").count() == 0
    assert await page.locator(".message-body a").evaluate_all(
        "(links) => links.map(({ href, attributes }) => [href, attributes.length])"
    ) == [["https://a.example/", 4]]


async def test_a_messages_text_is_copied_with_the_mouse_and_with_the_keyboard(
    visit: Visit, channel: Channel
) -> None:
    talk = await Talk.begin(channel, 3)
    page = await talk.opened_by(visit, ANA, permissions=["clipboard-read", "clipboard-write"])
    button = page.get_by_test_id("copy-message")
    told = page.locator(".message-actions").get_by_role("status")

    await message(page, "Mensagem 2").locator(".message-bubble").hover()
    await expect(button).to_have_accessible_name("Copiar mensagem: Mensagem 2")
    await button.click()
    await expect(told).to_have_text("Copiado")
    assert await page.evaluate("() => navigator.clipboard.readText()") == "Mensagem 2"

    await page.mouse.move(5, 5)
    await composer(page).focus()
    await page.keyboard.press("Shift+Tab")
    await expect(button).to_be_focused()
    await expect(button).to_have_accessible_name("Copiar mensagem: Mensagem 3")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await expect(told).to_have_text("Copiado")
    assert await page.evaluate("() => navigator.clipboard.readText()") == "Mensagem 1"
