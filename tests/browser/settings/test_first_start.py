"""A new installation: from nothing to the first answered message, in the browser alone."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
from tests.support.browser.accessibility import accessibility_problems
from tests.support.browser.page_errors import Complaints
from tests.support.browser.pages import answer, message, open_conversation, thread_of
from tests.support.network.bad_network_scene import NETWORK
from tests.support.servers.server import Server

PASSWORD = "uma tarde no parque"
COLLEAGUES_PASSWORD = "outra manhã na praça"


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Server]:
    """A server whose database has no clinic."""
    server = Server(tmp_path)
    server.start()
    yield server
    server.stop()


def setup_codes(server: Server) -> list[str]:
    """The codes that the server's log shows."""
    lines = [line for line in server.log.read_text().splitlines() if '"setup.code"' in line]
    return [json.loads(line)["code"] for line in lines]


async def fill_in(page: Page, code: str) -> None:
    await page.get_by_label("Código do log").fill(code)
    await page.get_by_label("Nome da clínica").fill("Clínica São José")
    await page.get_by_label("Seu nome").fill("Eva Duarte")
    await page.get_by_label("E-mail").fill("eva@saojose.example")
    await page.get_by_label("Nova senha").fill(PASSWORD)
    await page.get_by_role("button", name="Criar a clínica").click()


async def test_a_newcomer_gets_from_nothing_to_an_answered_message(
    visit: Visit, empty: Server, complaints: Complaints
) -> None:
    complaints.allow("403")
    (code,) = setup_codes(empty)
    for path in ("/", "/login", "/c/x", "/settings/staff"):
        async with httpx.AsyncClient(base_url=empty.origin) as client:
            led = await client.get(path, headers={"Accept": "text/html"})
            assert (led.status_code, led.headers["location"]) == (303, "/setup")
    eva = await visit(path="/", at=empty)
    await expect(eva.get_by_text("Configure sua clínica")).to_be_visible()
    assert await accessibility_problems(eva, "setup") == []
    await fill_in(eva, "0" * len(code))
    await expect(eva.get_by_role("alert")).to_have_text("Esse não é o código do log do servidor.")
    await fill_in(eva, code)
    await expect(eva.get_by_test_id("connection-badge")).to_have_attribute("data-status", "live")
    await expect(eva.get_by_role("heading", level=1)).to_have_text("Clínica São José")

    await eva.goto("/settings/staff")
    await eva.get_by_label("E-mail").fill("caio@saojose.example")
    await eva.get_by_role("button", name="Criar link").click()
    caio = await visit(path=await eva.get_by_test_id("invitation-link").input_value(), at=empty)
    assert await accessibility_problems(caio, "join") == []
    await caio.get_by_label("Seu nome").fill("Caio Prado")
    await caio.get_by_label("Nova senha").fill(COLLEAGUES_PASSWORD)
    await caio.get_by_role("button", name="Participar").click()
    await expect(caio.get_by_test_id("connection-badge")).to_have_attribute("data-status", "live")

    await eva.goto("/settings/tokens")
    await eva.get_by_label("Nome do programa").fill("Canal")
    await eva.get_by_role("button", name="Criar token").click()
    token = await eva.get_by_test_id("new-token").inner_text()
    async with httpx.AsyncClient(
        base_url=empty.origin, headers={"Authorization": f"Bearer {token}"}
    ) as channel:
        body = {
            "patient": {"name": "Helena Prado", "phone": "+5511987654321"},
            "body": "Bom dia! Posso remarcar?",
            "externalId": "1",
        }
        assert (await channel.post("/api/v1/inbound", json=body)).status_code == 201
    await open_conversation(caio, "Helena Prado")
    await thread_of(caio, "Helena Prado")
    await answer(caio, "Pode, sim.")
    await expect(message(caio, "Pode, sim.")).to_have_attribute("data-status", "sent")


async def test_the_code_is_shown_until_there_is_a_clinic_and_good_for_one(
    visit: Visit, empty: Server, complaints: Complaints
) -> None:
    complaints.allow("403|409")
    complaints.allow(NETWORK)
    (code,) = setup_codes(empty)
    first = await visit(path="/", at=empty)
    late = await visit(path="/setup", at=empty)
    await fill_in(first, code)
    await expect(first.get_by_test_id("connection-badge")).to_be_visible()

    await fill_in(late, code)
    await expect(late.get_by_role("alert")).to_contain_text("já está configurado")
    await late.goto("/setup")
    await late.wait_for_url(re.compile("/login"))
    empty.stop()
    empty.start()
    assert len(setup_codes(empty)) == 1
