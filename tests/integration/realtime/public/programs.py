"""Programs at the sockets of a process."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import pytest_asyncio

from clinic_chat.domain.accounts.api_tokens import GRANTABLE, create_token
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.messages.views import StaffMessage
from tests.conftest import Clinics
from tests.integration.realtime.sockets import Place, limits, place
from tests.support.program import Program, connected
from tests.support.servers.own_server import HOST

__all__ = ["limits", "place"]
PHONE = "+5511987654321"


@dataclass
class PublicDoor:
    """The namespaces of a process, tokens for them, and a conversation in Aurora."""

    place: Place
    clinics: Clinics
    conversation: str
    programs: list[Program] = field(default_factory=list)

    def scope(self, of: ClinicScope) -> ClinicScope:
        """The scope with the process's own database, whose commits it hears at once."""
        return replace(of, database=self.place.services.database)

    async def token(
        self, clinic: str = "aurora", *, email: str = "", permissions: Any = GRANTABLE, **more: Any
    ) -> str:
        """A new token of a clinic, or of one of its people."""
        scope = self.clinics.aurora if clinic == "aurora" else self.clinics.boreal
        return await create_token(
            scope.database,
            scope.clinic_id,
            name="Quiosque",
            permissions=permissions,
            email=email,
            **more,
        )

    async def connect(
        self,
        token: str = "",
        clinic: str = "aurora",
        transport: str = "websocket",
        auth: dict[str, Any] | None = None,
    ) -> Program:
        """A program in a clinic's namespace, with a new token of Aurora if it has none.

        Raises:
            ProgramRefused: it was refused.
        """
        if auth is None:
            auth = {"token": token or await self.token()}
        program = await connected(f"http://{HOST}:{self.place.port}", clinic, auth, transport)
        self.programs.append(program)
        return program

    async def patient_writes(self, body: str) -> StaffMessage:
        """The patient's next message."""
        stored = await receive_message(
            self.scope(self.clinics.aurora),
            name="Paula",
            phone=PHONE,
            body=body,
            external_id=str(uuid4()),
        )
        return stored.message


@pytest_asyncio.fixture
async def door(clinics: Clinics, place: Place) -> AsyncIterator[PublicDoor]:
    """The namespaces of a process, and a patient who has written to Aurora."""
    first = await receive_message(
        replace(clinics.aurora, database=place.services.database),
        name="Paula",
        phone=PHONE,
        body="Olá",
        external_id="first",
    )
    door = PublicDoor(place, clinics, first.message.conversation_id)
    yield door
    for program in door.programs:
        await program.client.disconnect()
