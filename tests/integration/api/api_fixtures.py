"""The HTTP side on a real database, with two clinics and their staff."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI

from clinic_chat.api.app import create_api
from clinic_chat.domain.accounts.api_tokens import create_token
from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from clinic_chat.domain.accounts.users import Membership, User
from clinic_chat.domain.clinics.actors import SYSTEM, Role
from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.messages.views import StaffMessage
from clinic_chat.services import Services
from clinic_chat.settings import Settings
from tests.conftest import TEST_KEY
from tests.support.sending import send_message

PASSWORD = "correct horse battery"
HOST = "inbox.example"
# Limits slide over the clock's minutes; tests of them start here and let the clock run, so that
# none sees a minute end.
EARLY_IN_A_MINUTE = datetime(2030, 5, 6, 12, 0, 5, tzinfo=UTC)


@dataclass
class ClinicApi:
    """A running API: Ana works in `aurora` and `boreal`, Carla in `boreal` alone."""

    services: Services
    app: FastAPI
    client: httpx.AsyncClient
    clinics: dict[str, UUID]
    token: str
    """Aurora's."""
    signed_out: list[UUID] = field(default_factory=list)

    @property
    def scope(self) -> ClinicScope:
        """Aurora as its token has it."""
        return ClinicScope(self.services.database, self.clinics["aurora"], SYSTEM)

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def sign_in(self, email: str = "ana@aurora.example", **options: Any) -> httpx.Response:
        form = {"email": email, "password": PASSWORD} | options.pop("form", {})
        return await self.client.post("/auth/login", data=form, **options)

    def browser(self, scheme: str = "http") -> httpx.AsyncClient:
        """Another client, with its own cookies."""
        return _client(self.app, scheme)


@asynccontextmanager
async def clinic_api(url: str, **settings: Any) -> AsyncIterator[ClinicApi]:
    """The API on a migrated, empty database, with these settings."""
    services = Services(Settings(database_url=url, secret_key=TEST_KEY, **settings))
    signed_out: list[UUID] = []

    async def on_signed_out(session_id: UUID) -> None:
        signed_out.append(session_id)

    clinics = await _people(services)
    token = await create_token(services.database, clinics["aurora"])
    app = create_api(services, on_signed_out)
    async with _client(app) as client:
        yield ClinicApi(services, app, client, clinics, token, signed_out)
    await services.close()


def _client(app: FastAPI, scheme: str = "http") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"{scheme}://{HOST}")


async def _people(services: Services) -> dict[str, UUID]:
    aurora = Clinic(slug="aurora", name="Clínica Aurora")
    boreal = Clinic(slug="boreal", name="Clínica Boreal")
    ana = User(email="ana@aurora.example", name="Ana", password_hash=_cheap_hash())
    carla = User(email="carla@boreal.example", name="Carla", password_hash=_cheap_hash())
    async with services.database.write() as session:
        session.add_all([aurora, boreal, ana, carla])
        await session.flush()
        session.add_all(
            Membership(user_id=user.id, clinic_id=clinic.id, role=Role.RECEPTIONIST)
            for user, clinic in ((ana, aurora), (ana, boreal), (carla, boreal))
        )
    return {"aurora": aurora.id, "boreal": boreal.id}


async def staff_answer(api: ClinicApi) -> StaffMessage:
    """Ana's answer to a patient of Aurora, who wrote first; she is signed in then."""
    await api.sign_in(headers={"Accept": "application/json"})
    identity = await api.services.sessions.find(api.client.cookies[COOKIE_NAME])
    assert identity is not None
    asked = await receive_message(
        api.scope,
        name="Maria Souza",
        phone="+5511987654321",
        body="Bom dia",
        external_id="wa-1",
    )
    ana = ClinicScope(api.services.database, api.clinics["aurora"], identity.actor)
    return (await send_message(ana, asked.message.conversation_id, "Olá, Maria", "k")).message


@lru_cache(maxsize=1)
def _cheap_hash() -> str:
    # A hash carries its parameters, so verifying this one is quick too.
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
