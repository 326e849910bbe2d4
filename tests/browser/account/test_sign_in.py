"""Getting in, getting out, and being told why not."""

import re

import pytest
from playwright.async_api import Page, expect

from clinic_chat.demo import DEMO_PASSWORD
from tests.browser.conftest import Visit
from tests.support.browser.page_errors import Complaints
from tests.support.browser.pages import fill_in, hydrated, live, menu, row, rows, thread_of
from tests.support.channel import Channel
from tests.support.network.frames import received_by
from tests.support.people import ANA, CARLA, DANIEL, new_patient
from tests.support.servers.fixtures import StartServer
from tests.support.servers.server import Server

LANGUAGES = {
    "pt-BR": ("E-mail", "Senha", "Entrar", "E-mail ou senha incorretos."),
    "en": ("Email", "Password", "Sign in", "Email or password is wrong."),
}
LIAS_PASSWORD = "uma tarde no parque"
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


async def test_after_a_wrong_password_only_the_password_is_typed_again(visit: Visit) -> None:
    page = await visit(path="/login?next=/c/none", locale="pt-BR")
    email, password = page.get_by_label("E-mail", exact=True), page.locator("#password")

    await fill_in(page, ANA, "not the password")

    await expect(page.get_by_role("alert")).to_have_text(LANGUAGES["pt-BR"][3])
    await expect(email).to_have_value(ANA)
    await expect(password).to_be_focused()
    await expect(password).to_have_value("")
    await page.keyboard.type(DEMO_PASSWORD)
    await page.keyboard.press("Enter")
    await live(page)


async def test_what_was_typed_is_not_there_for_the_next_person(visit: Visit) -> None:
    page = await visit(path="/login")
    await fill_in(page, ANA, "not the password")
    await expect(page.get_by_label("E-mail", exact=True)).to_have_value(ANA)

    await page.goto("/login")

    await expect(page.get_by_label("E-mail", exact=True)).to_be_focused()
    await expect(page.get_by_label("E-mail", exact=True)).to_have_value("")
    await page.goto("/login?error=ended")
    await expect(page.get_by_role("alert")).to_have_text("Sua sessão terminou. Entre de novo.")
    await expect(page.get_by_label("E-mail", exact=True)).to_have_value("")


async def test_a_password_can_be_looked_at_and_is_hidden_when_it_is_sent(visit: Visit) -> None:
    page = await visit(path="/login", locale="en")
    await hydrated(page)
    password, show = page.locator("#password"), page.get_by_role("button", name="Show password")
    await expect(show).to_have_attribute("aria-pressed", "false")
    await password.fill("what is it")

    await show.click()

    await expect(password).to_have_attribute("type", "text")
    await expect(show).to_have_attribute("aria-pressed", "true")
    await expect(password).to_have_value("what is it")
    await show.click()
    await expect(password).to_have_attribute("type", "password")


async def test_a_language_chosen_before_signing_in_stays(visit: Visit, server: Server) -> None:
    email = "lia@aurora.example"
    server.command(
        "create-user", "--clinic", "aurora", "--email", email, "--name", "Lia Prado",
        "--locale", "pt-BR", stdin=f"{LIAS_PASSWORD}\n",
    )  # fmt: skip
    page = await visit(path="/login", locale="pt-BR")
    await hydrated(page)
    await page.get_by_role("button", name="English").click()
    await fill_in(page, email, "not the password")
    await expect(page.get_by_role("alert")).to_have_text(LANGUAGES["en"][3])

    await fill_in(page, email, LIAS_PASSWORD)

    await live(page)
    await expect(page.get_by_role("searchbox")).to_have_attribute(
        "placeholder", "Search name or phone"
    )
    elsewhere = await visit(email, locale="pt-BR", password=LIAS_PASSWORD)
    await expect(elsewhere.locator("html")).to_have_attribute("lang", "en")


async def test_who_is_deactivated_on_the_command_line_is_out_of_every_tab(
    visit: Visit, server: Server
) -> None:
    email = "rui@aurora.example"
    server.command(
        "create-user", "--clinic", "aurora", "--email", email, "--name", "Rui Prado",
        stdin=f"{LIAS_PASSWORD}\n",
    )  # fmt: skip
    page = await visit(path="/login")
    # A cookie of a neighbour's that no strict parser understands.
    beside = {"name": "consent", "value": '{"a":1,"b":[2]}', "url": server.origin}
    await page.context.add_cookies([beside])  # type: ignore[list-item]
    await fill_in(page, email, LIAS_PASSWORD)
    await live(page)

    server.command("deactivate-user", "--email", email)

    await expect(page).to_have_url(AT_LOGIN)
    await fill_in(page, email, LIAS_PASSWORD)
    await expect(page.get_by_role("alert")).to_have_text(LANGUAGES["pt-BR"][3])


@pytest.mark.parametrize("path", ["/nothing", "/a/b", "/c/1/2"])
async def test_an_address_of_nothing_says_so_with_its_status(
    visit: Visit, complaints: Complaints, path: str
) -> None:
    complaints.allow("status of 404")
    page = await visit(ANA)
    answer = await page.goto(path)

    assert answer is not None
    assert answer.status == 404
    await expect(page.get_by_role("heading")).to_have_text("Página não encontrada")


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
    await expect(page).to_have_url(AT_LOGIN)
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
        names[clinic] = set(await page.locator(".conversation-row-name").all_inner_texts())
        await menu(page, following)

    await expect(page.get_by_role("heading", level=1)).to_have_text(here)
    assert names[here]
    assert not names[here] & names[there]


async def test_too_many_tries_are_refused_with_the_reason(
    visit: Visit, start_server: StartServer
) -> None:
    server = start_server(login_attempts_per_minute=2)
    device = await visit(path="/login", at=server)
    await fill_in(device, ANA, DEMO_PASSWORD)
    await live(device)
    page = await visit(path="/login", at=server)

    for _ in range(2):
        await fill_in(page, ANA, "not the password")
        await expect(page.get_by_role("alert")).to_have_text("E-mail ou senha incorretos.")
    await fill_in(page, ANA, DEMO_PASSWORD)

    await expect(page.get_by_role("alert")).to_have_text(
        "Tentativas demais. Espere um minuto e tente de novo."
    )

    # Where she works she still gets in.
    await menu(device, "Sair")
    await expect(device).to_have_url(AT_LOGIN)
    await fill_in(device, ANA, DEMO_PASSWORD)
    await live(device)


async def _clinic(page: Page) -> str:
    return await page.get_by_role("heading", level=1).inner_text()
