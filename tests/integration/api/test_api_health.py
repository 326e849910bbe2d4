"""Liveness and readiness."""

from pathlib import Path
from uuid import UUID

import httpx

from clinic_chat.api.app import create_api
from clinic_chat.services import Services
from clinic_chat.settings import Settings
from tests.conftest import TEST_KEY
from tests.integration.api.api_fixtures import clinic_api


async def test_a_working_process_is_live_and_ready(any_database_url: str) -> None:
    async with clinic_api(any_database_url) as api:
        live = await api.client.get("/healthz")
        ready = await api.client.get("/readyz")
        head = await api.client.head("/healthz")

    assert (live.status_code, live.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()) == (
        200,
        {"status": "ok", "checks": {"database": "ok"}},
    )
    assert (head.status_code, head.content) == (200, b"")


async def test_without_its_database_a_process_lives_and_is_not_ready(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/no/such/folder/clinic_chat.db"
    services = Services(Settings(database_url=url, secret_key=TEST_KEY))

    async def on_signed_out(_session_id: UUID) -> None:
        return

    transport = httpx.ASGITransport(create_api(services, on_signed_out))
    async with httpx.AsyncClient(transport=transport, base_url="http://inbox.example") as client:
        live = await client.get("/healthz")
        ready = await client.get("/readyz")
        inbound = await client.post(
            "/api/v1/inbound", json={}, headers={"Authorization": "Bearer cc_x"}
        )
        login = await client.post("/auth/login", data={"email": "a@b.example", "password": "x"})
        logout = await client.post(
            "/auth/logout", headers={"Cookie": "clinic_chat_session=of-somebody"}
        )
    await services.close()

    assert live.status_code == 200
    assert ready.status_code == 503
    assert ready.json() == {"status": "unavailable", "checks": {"database": "unavailable"}}
    assert inbound.status_code == 503
    assert inbound.headers["retry-after"] == "1"
    assert inbound.json()["error"]["code"] == "storage_unavailable"
    assert (login.status_code, login.headers["location"]) == (303, "/login?error=unavailable")
    assert (logout.status_code, logout.headers["location"]) == (303, "/login?error=unavailable")
    assert "Max-Age=0" in logout.headers["set-cookie"]
