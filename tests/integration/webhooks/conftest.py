"""The workers that send, as a test has them look."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import Clinics
from tests.integration.webhooks.receiver import Sending


@pytest.fixture
async def sending(clinics: Clinics) -> AsyncIterator[Sending]:
    sending = Sending(clinics.database)
    yield sending
    await sending.worker.stop()
