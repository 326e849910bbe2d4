"""A program that uses the REST API, and the database as it must always be."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx

from clinic_chat.doctor.examination import examine_database
from clinic_chat.doctor.finding import Verdict
from clinic_chat.domain.accounts.api_tokens import GRANTABLE, create_token
from tests.integration.api.api_fixtures import ClinicApi

UNKNOWN = "0190b5a0-7b3c-7def-8123-456789abcdef"
_numbers = count(1)


@dataclass(frozen=True)
class Program:
    """The holder of a token."""

    api: ClinicApi
    token: str

    async def ask(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """The answer to a request under `/api/v1`."""
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        if body is not None:
            options["json"] = body
        return await self.api.client.request(method, f"/api/v1{path}", headers=headers, **options)

    async def get(self, path: str, **query: Any) -> Any:
        """The body of a successful answer."""
        answer = await self.ask("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def add_patient(self, **fields: str) -> dict[str, Any]:
        """A new patient."""
        answer = await self.ask("POST", "/patients", fields)
        assert answer.status_code == 201, answer.text
        patient: dict[str, Any] = answer.json()["patient"]
        return patient

    async def deliver(self, phone: str, body: str = "Bom dia", name: str = "") -> dict[str, Any]:
        """A patient's message, as a channel brings it: its `conversationId` and `message`."""
        message = {
            "patient": {"phone": phone} | ({"name": name} if name else {}),
            "body": body,
            "externalId": f"delivered-{next(_numbers)}",
        }
        answer = await self.ask("POST", "/inbound", message)
        assert answer.status_code == 201, answer.text
        received: dict[str, Any] = answer.json()
        return received

    async def pages(self, path: str, name: str, **query: Any) -> list[Any]:
        """Every item of a list, by its pages."""
        found: list[Any] = []
        cursor = ""
        while True:
            page = await self.get(path, **query, **({"cursor": cursor} if cursor else {}))
            found += page[name]
            cursor = page["nextCursor"]
            if not cursor:
                return found


async def program_of(
    api: ClinicApi, clinic: str, permissions: Collection[str] = GRANTABLE, email: str = ""
) -> Program:
    """A program with a token of a clinic, or of one of its people."""
    token = await create_token(
        api.services.database,
        api.clinics[clinic],
        name="Agenda",
        permissions=permissions,
        email=email,
    )
    return Program(api, token)


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, code and field of a refusal, which has the shape of all."""
    error = answer.json()["error"]
    assert set(answer.json()) == {"error"}
    assert set(error) <= {"code", "message", "field", "details"}
    assert error["message"]
    return answer.status_code, error["code"], error.get("field", "")


async def faults(api: ClinicApi) -> list[str]:
    """What is wrong with the database: numbers, versions, counts, search words, references."""
    found = await examine_database(api.services.database.url)
    return [f"{one.subject}: {one.text}" for one in found if one.verdict is not Verdict.OK]
