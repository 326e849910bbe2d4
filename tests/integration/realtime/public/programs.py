"""Programs at the sockets of a process: the official client of the protocol in Python."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import pytest_asyncio
import socketio

from clinic_chat.domain.accounts.api_tokens import GRANTABLE, create_token
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.messages.views import StaffMessage
from tests.conftest import Clinics
from tests.integration.realtime.sockets import Place, limits, place
from tests.support.servers.own_server import HOST

__all__ = ["limits", "place"]
SECONDS = 10.0
PHONE = "+5511987654321"


@dataclass
class Program:
    """A connected program; `events` is every event that it got, in order."""

    client: socketio.AsyncClient
    namespace: str
    refusal: Any = None
    """What it got instead of being let in."""
    events: list[dict[str, Any]] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def ask(self, event: str, data: Any = None) -> dict[str, Any]:
        """Send a command; its acknowledgement."""
        answer: dict[str, Any] = await self.client.call(
            event, {} if data is None else data, namespace=self.namespace, timeout=SECONDS
        )
        return answer

    async def gets(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The first event of a type with these fields."""

        def found() -> dict[str, Any] | None:
            return next(
                (
                    event
                    for event in self.events
                    if event["type"] == kind
                    and all(event.get(name) == value for name, value in fields.items())
                ),
                None,
            )

        async with asyncio.timeout(SECONDS), self.news:
            await self.news.wait_for(lambda: found() is not None)
        event = found()
        assert event is not None
        return event

    async def heard(self, data: dict[str, Any]) -> None:
        """Keep an event."""
        async with self.news:
            self.events.append(data)
            self.news.notify_all()


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
        self, token: str = "", clinic: str = "aurora", transport: str = "websocket", **options: Any
    ) -> Program:
        """A program in a clinic's namespace.

        Raises:
            socketio.exceptions.ConnectionError: it was refused; `refusal` says with what.
        """
        client = socketio.AsyncClient(reconnection=False)
        program = Program(client, f"/clinic/{clinic}")

        async def hear(_event: str, data: dict[str, Any]) -> None:
            await program.heard(data)

        client.on("*", hear, namespace=program.namespace)

        async def refused(data: Any) -> None:
            program.refusal = data

        client.on("connect_error", refused, namespace=program.namespace)
        self.programs.append(program)
        await client.connect(
            f"http://{HOST}:{self.place.port}",
            auth=options.pop("auth", {"token": token or await self.token()}),
            namespaces=[program.namespace],
            socketio_path="/_event",
            transports=[transport],
            wait_timeout=SECONDS,
            **options,
        )
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
