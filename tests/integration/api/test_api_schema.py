"""The API keeps the promises of its own OpenAPI document, whatever is thrown at it."""

import asyncio
from collections.abc import Iterator
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
from schemathesis.specs.openapi.checks import positive_data_acceptance

from clinic_chat.storage.migrate import migrate
from tests.integration.api.api_fixtures import ClinicApi, clinic_api
from tests.support.servers.postgresql import new_database

EXAMPLES = 60


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
def served(request: pytest.FixtureRequest) -> Iterator[tuple[str, dict[str, str]]]:
    """The API on a real server in its own thread: its address and its bearer header."""
    url: str = request.getfixturevalue(request.param)
    found: list[tuple[ReadyServer, ClinicApi]] = []
    ready = Event()

    async def serve() -> None:
        async with clinic_api(url, inbound_per_minute=100_000) as api:
            server = ReadyServer(uvicorn.Config(api.app, port=0, log_level="warning"))
            found.append((server, api))
            ready.set()
            await server.serve()

    thread = Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(20)
    server, api = found[0]
    assert server.listens.wait(20)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}", api.bearer
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def promises(served: tuple[str, dict[str, str]]) -> BaseSchema:
    address, bearer = served
    project = ProjectConfig(headers=bearer, generation=GenerationConfig(deterministic=True))
    config = schemathesis.Config(projects=ProjectsConfig(default=project))
    return schemathesis.openapi.from_url(f"{address}/api/v1/openapi.json", config=config)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_request_is_answered_as_documented(
    promises: BaseSchema, mode: GenerationMode
) -> None:
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
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    answered()
