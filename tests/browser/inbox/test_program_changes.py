"""What programs do over HTTP is on the screens of staff that are open, at once."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.support.browser.pages import answer, message, messages, row, thread_of
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.people import ANA, new_patient
from tests.support.servers.server import Server


@pytest.fixture
async def program(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """A program of the clinic."""
    async with httpx.AsyncClient(
        base_url=f"{server.origin}/api/v1/",
        headers={"Authorization": f"Bearer {server.token('aurora')}"},
        timeout=30,
    ) as client:
        yield client


async def asked(program: httpx.AsyncClient, method: str, path: str, body: Any = None) -> Any:
    response = await program.request(method, path, json=body)
    assert response.is_success, response.text
    return response.json()


async def test_a_conversation_that_a_program_starts_is_there_to_be_written_in(
    visit: Visit, program: httpx.AsyncClient
) -> None:
    patient = new_patient()
    page = await visit(ANA)

    body = {"patient": {"name": patient.name, "phone": patient.phone}}
    await asked(program, "POST", "conversations", body)

    its = row(page, patient.name)
    await expect(its).to_contain_text("Nenhuma mensagem ainda")
    await its.click()
    await expect(page.locator(".thread-header")).to_contain_text(patient.name)
    await expect(messages(page)).to_have_count(0)
    await answer(page, "Bom dia, aqui é da clínica")
    await expect(message(page, "Bom dia, aqui é da clínica")).to_be_visible()
    await expect(its).not_to_contain_text("Nenhuma mensagem ainda")


async def test_a_programs_message_is_signed_with_its_name(
    visit: Visit, channel: Channel, program: httpx.AsyncClient
) -> None:
    talk = await Talk.begin(channel)
    page = await talk.opened_by(visit, ANA)
    path = f"conversations/{talk.conversation_id}/messages"

    await asked(program, "POST", path, {"body": "Lembrete: quinta às 9h", "clientId": "1"})

    await expect(message(page, "Lembrete: quinta às 9h")).to_be_visible()


async def test_a_renamed_patient_has_the_new_name_on_open_screens(
    visit: Visit, channel: Channel, program: httpx.AsyncClient
) -> None:
    talk = await Talk.begin(channel)
    page = await talk.opened_by(visit, ANA)
    found = await asked(program, "GET", f"conversations/{talk.conversation_id}")
    its = found["conversation"]["patientId"]
    name = f"{new_patient().name} Corrigida"

    await asked(program, "PATCH", f"patients/{its}", {"name": name})

    await expect(row(page, name)).to_be_visible()
    await thread_of(page, name)


async def test_a_merged_patient_has_the_others_name_on_open_screens(
    visit: Visit, channel: Channel, program: httpx.AsyncClient
) -> None:
    talk = await Talk.begin(channel)
    page = await talk.opened_by(visit, ANA)
    found = await asked(program, "GET", f"conversations/{talk.conversation_id}")
    its = found["conversation"]["patientId"]
    other = await asked(program, "POST", "patients", {"name": f"{new_patient().name} Fichada"})

    into = {"intoPatientId": other["patient"]["id"]}
    await asked(program, "POST", f"patients/{its}/merge", into)

    await thread_of(page, other["patient"]["name"])
    # What the patient writes next is in the same conversation.
    await talk.goes_on("Sou eu de novo")
    await expect(message(page, "Sou eu de novo")).to_be_visible()
