"""Two programs of two clinics, with what they find there."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.api.api_fixtures import ClinicApi, clinic_api
from tests.integration.api.rest.program import Program, program_of


@pytest.fixture
async def api(any_database_url: str) -> AsyncIterator[ClinicApi]:
    async with clinic_api(any_database_url, api_per_minute=100_000) as api:
        yield api


@pytest.fixture
async def program(api: ClinicApi) -> Program:
    """A program of Aurora that may do all that programs can."""
    return Program(api, api.token)


@pytest.fixture
async def stranger(api: ClinicApi) -> Program:
    """A program of Boreal that may do all that programs can."""
    return await program_of(api, "boreal")
