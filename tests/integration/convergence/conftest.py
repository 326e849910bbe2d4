"""Tabs of the real browser modules, and a clinic around them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.integration.convergence.tabs import Browser
from tests.integration.convergence.world import World, begun

if TYPE_CHECKING:
    from tests.conftest import Clinics


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One process with the tabs of all tests of a module."""
    with Browser.started() as browser:
        yield browser


@pytest_asyncio.fixture
async def world(
    clinics: Clinics, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    """A clinic with two people at three devices."""
    async with begun(clinics, browser, monkeypatch) as world:
        yield world
