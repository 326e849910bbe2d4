"""The API keeps the promises of its own OpenAPI document, whatever is thrown at it."""

import asyncio
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copy
from socket import socket
from threading import Event, Thread
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from schemathesis import BaseSchema, Case, GenerationMode
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from clinic_chat.domain.conversations.views import get_conversation
from clinic_chat.domain.patient_records.changes import create_patient
from clinic_chat.domain.patient_records.views import get_patient
from clinic_chat.domain.patients.entered_identities import EnteredPatient
from clinic_chat.domain.queries.staff import list_staff
from clinic_chat.storage.migrate import migrate
from tests.integration.api.api_fixtures import ClinicApi, clinic_api, staff_answer
from tests.support.servers.postgresql import new_database

EXAMPLES = 250
BODIES_WITH_IDS = ("patientId", "intoPatientId", "assigneeId")


@dataclass(frozen=True)
class Served:
    """A server's address, what its token is sent in, and ids of what is there, by their names."""

    address: str
    bearer: dict[str, str]
    ids: dict[str, str]


async def ids_of_data(api: ClinicApi) -> dict[str, str]:
    """Ids of what is made for these tests: a patient who wrote and was answered, and another."""
    answer = await staff_answer(api)
    row = await get_conversation(api.scope, answer.conversation_id)
    patient = await get_patient(api.scope, row.patient_id)
    other = await create_patient(api.scope, EnteredPatient("Zilda"))
    return {
        "conversation_id": row.id,
        "message_id": answer.id,
        "patient_id": patient.id,
        "identity_id": patient.identities[0].id,
        "patientId": other.id,
        "intoPatientId": other.id,
        "assigneeId": (await list_staff(api.scope))[0].id,
    }


class ReadyServer(uvicorn.Server):
    """A server that tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = Event()

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()


@pytest.fixture(scope="module")
def sqlite_url(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a migrated SQLite database of these tests."""
    return (
        f"sqlite+aiosqlite:///{copy(sqlite_template, tmp_path_factory.mktemp('schema') / 'a.db')}"
    )


@pytest.fixture(scope="module")
def postgresql_url(postgres_url: str) -> str:
    """The URL of a migrated PostgreSQL database of these tests."""
    url = asyncio.run(new_database(postgres_url, "schema"))
    asyncio.run(migrate(url))
    return url


@pytest.fixture(scope="module", params=["sqlite_url", "postgresql_url"])
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    """The API on a real server in its own thread."""
    url: str = request.getfixturevalue(request.param)
    found: list[tuple[ReadyServer, ClinicApi, dict[str, str]]] = []
    ready = Event()

    async def serve() -> None:
        limits = {"inbound_per_minute": 100_000, "api_per_minute": 100_000}
        async with clinic_api(url, **limits) as api:
            server = ReadyServer(uvicorn.Config(api.app, port=0, log_level="warning"))
            found.append((server, api, await ids_of_data(api)))
            ready.set()
            await server.serve()

    thread = Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(20)
    server, api, ids = found[0]
    assert server.listens.wait(20)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Served(f"http://127.0.0.1:{port}", api.bearer, ids)
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def promises(served: Served) -> BaseSchema:
    project = ProjectConfig(headers=served.bearer, generation=GenerationConfig(deterministic=True))
    config = schemathesis.Config(projects=ProjectsConfig(default=project))
    address = f"{served.address}/api/v1/openapi.json"
    return schemathesis.openapi.from_url(address, config=config)


def with_ids(promises: BaseSchema, ids: dict[str, str]) -> None:
    """Have most requests name what is there, and the others anything."""

    def known(name: str, value: Any) -> Any:
        chosen = zlib.crc32(repr(value).encode("utf-8", "replace")) % 4
        return ids[name] if chosen and name in ids else value

    @promises.hook
    def map_path_parameters(_context: Any, parameters: Any) -> Any:
        return parameters and {name: known(name, value) for name, value in parameters.items()}

    @promises.hook
    def map_body(_context: Any, body: Any) -> Any:
        if not isinstance(body, dict):
            return body
        return {
            name: known(name, value) if name in BODIES_WITH_IDS else value
            for name, value in body.items()
        }


def operations_of(promises: BaseSchema) -> Iterator[str]:
    """The operations of the document, by method and path."""
    for path, methods in promises.raw_schema["paths"].items():
        yield from (f"{method.upper()} {path}" for method in methods)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_request_is_answered_as_documented(
    promises: BaseSchema, served: Served, mode: GenerationMode
) -> None:
    # What is made to be wrong has to stay as it is.
    if mode is GenerationMode.POSITIVE:
        with_ids(promises, served.ids)
    met: set[str] = set()

    @given(case=promises.as_strategy(mode))
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    def answered(case: Case[Any]) -> None:
        # What text may hold (visible characters, no control characters) is more than JSON
        # Schema can say, so a body that is valid by the document alone may be refused.
        met.add(case.operation.label)
        # Without a token it asks more often than an address may be wrong in a minute
        # (rest/test_rest_isolation.py asks each operation once).
        case.call_and_validate(excluded_checks=[positive_data_acceptance, ignored_auth])

    answered()
    if mode is GenerationMode.POSITIVE:
        assert met == set(operations_of(promises))
