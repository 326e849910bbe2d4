"""Getting in, getting out, and being told why not."""

import re

import pytest
from playwright.async_api import Page, expect

from clinic_chat.demo import DEMO_PASSWORD
from tests.browser.channel import Channel
from tests.browser.conftest import StartServer, Visit
from tests.browser.frames import received_by
from tests.browser.pages import fill_in, live, menu, row, rows, thread_of
from tests.browser.people import ANA, CARLA, DANIEL, new_patient

LANGUAGES = {
    "pt-BR": ("E-mail", "Senha", "Entrar", "E-mail ou senha incorretos."),
    "en": ("Email", "Password", "Sign in", "Email or password is wrong."),
}
AT_LOGIN = re.compile(r"/login/?(\?|$)")


@pytest.mark.parametrize("locale", LANGUAGES)
async def test_a_wrong_password_is_named_in_the_readers_language(visit: Visit, locale: str) -> None:
    email, password, button, reason = LANGUAGES[locale]
    page = await visit(path="/login", locale=locale)

    await page.get_by_label(email, exact=True).fill(ANA)
    await page.get_by_label(password, exact=True).fill("not the password")
    await page.get_by_role("button", name=button, exact=True).click()

    await expect(page.get_by_role("alert")).to_have_text(reason)
    await expect(page).to_have_url(AT_LOGIN)


async def test_an_unknown_address_gets_the_same_answer_as_a_wrong_password(visit: Visit) -> None:
    page = await visit(path="/login", locale="en")

    await fill_in(page, "nobody@aurora.example", DEMO_PASSWORD)

    await expect(page.get_by_role("alert")).to_have_text(LANGUAGES["en"][3])


async def test_signing_in_leads_to_the_address_that_was_asked_for(
    visit: Visit, channel: Channel
) -> None:
    patient = new_patient()
    first = await channel.deliver(patient, "Olá")
    page = await visit(path=f"/c/{first.conversation_id}")
    await expect(page).to_have_url(AT_LOGIN)

    await fill_in(page, ANA, DEMO_PASSWORD)

    await thread_of(page, patient.name)
    await expect(page).to_have_url(re.compile(f"/c/{first.conversation_id}$"))


async def test_who_signs_in_before_the_pages_code_runs_gets_there_too(
    visit: Visit, channel: Channel
) -> None:
    first = await channel.deliver(new_patient(), "Olá")
    page = await visit(path=f"/login?next=/c/{first.conversation_id}", java_script_enabled=False)

    await fill_in(page, ANA, DEMO_PASSWORD)

    await expect(page).to_have_url(re.compile(f"/c/{first.conversation_id}$"))


async def test_signing_in_never_leads_to_another_site(visit: Visit) -> None:
    page = await visit(path="/login?next=//evil.example")
    origin = page.url.split("/login")[0]

    await fill_in(page, ANA, DEMO_PASSWORD)

    await live(page)
    assert page.url == f"{origin}/"


async def test_a_stranger_sees_no_patient_on_any_page(visit: Visit, channel: Channel) -> None:
    patient = new_patient()
    first = await channel.deliver(patient, "Confidencial")
    page = await visit()
    received = received_by(page)

    for path in ("/", f"/c/{first.conversation_id}"):
        await page.goto(path)
        await expect(page).to_have_url(AT_LOGIN)
        assert patient.name not in await page.content()
    assert patient.name not in "".join(received)


async def test_signing_out_closes_every_tab_of_the_session(visit: Visit) -> None:
    one = await visit(ANA, fresh=True)
    other = await one.context.new_page()
    await other.goto("/")
    await live(other)

    await menu(one, "Sair")

    for page in (one, other):
        await expect(page).to_have_url(AT_LOGIN)
    await one.goto("/")
    await expect(one).to_have_url(AT_LOGIN)


async def test_signing_out_leaves_the_persons_other_devices_alone(visit: Visit) -> None:
    desk, phone = await visit(ANA, fresh=True), await visit(ANA, fresh=True)

    await menu(desk, "Sair")
    await expect(desk).to_have_url(AT_LOGIN)

    await phone.reload()
    await live(phone)


async def test_the_next_person_in_the_same_tab_gets_nothing_of_the_one_before(
    visit: Visit,
) -> None:
    page = await visit(ANA, fresh=True)
    await page.get_by_role("searchbox").fill("Conceição")
    await expect(rows(page)).to_have_count(1)
    await menu(page, "Sair")
    await expect(page).to_have_url(AT_LOGIN)
    received = received_by(page)

    await fill_in(page, CARLA, DEMO_PASSWORD)
    await live(page)
    await menu(page)

    assert len(await rows(page).all()) > 1
    for text in ("".join(received), await page.content()):
        for trace in (ANA, "Ana Beatriz", "Clínica Aurora", "Conceição"):
            assert trace not in text


async def test_a_person_in_two_clinics_sees_one_at_a_time_and_can_go_back(
    visit: Visit, channel: Channel
) -> None:
    patient = new_patient()
    await channel.deliver(patient, "Sou da Aurora")
    page = await visit(DANIEL, fresh=True)
    here, there = "Boreal Family Health", "Clínica Aurora"
    if await _clinic(page) == there:
        here, there = there, here
    names = {}

    for clinic, following in ((here, there), (there, here)):
        await expect(page.get_by_role("heading", level=1)).to_have_text(clinic)
        await live(page)
        await expect(row(page, patient.name)).to_have_count(int(clinic == "Clínica Aurora"))
        names[clinic] = set(await page.locator(".row-name").all_inner_texts())
        await menu(page, following)

    await expect(page.get_by_role("heading", level=1)).to_have_text(here)
    assert names[here]
    assert not names[here] & names[there]


async def test_too_many_tries_are_refused_with_the_reason(
    visit: Visit, start_server: StartServer
) -> None:
    server = start_server(login_attempts_per_minute=2)
    page = await visit(path="/login", at=server)

    for _ in range(2):
        await fill_in(page, ANA, "not the password")
        await expect(page.get_by_role("alert")).to_have_text("E-mail ou senha incorretos.")
    await fill_in(page, ANA, DEMO_PASSWORD)

    await expect(page.get_by_role("alert")).to_have_text(
        "Tentativas demais. Espere um minuto e tente de novo."
    )


async def _clinic(page: Page) -> str:
    return await page.get_by_role("heading", level=1).inner_text()
