"""Refusals are counted in the log, and a library's words do not get there."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from clinic_chat.logs import configure_logging
from clinic_chat.web import refusals
from clinic_chat.web.refusals import Refusals


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is written to the log."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging("INFO", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


async def test_a_thousand_refusals_are_two_lines(
    log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "LOG_SECONDS", 0.05)
    counted = Refusals()
    for _ in range(1_000):
        counted.count("socket.refused", reason="unauthorized")
    counted.count("socket.refused", reason="malformed")
    await asyncio.sleep(0.1)

    told = [(line["reason"], line["times"]) for line in lines(log)]
    assert told == [("unauthorized", "1"), ("malformed", "1"), ("unauthorized", "999")]


async def test_of_very_many_kinds_the_oldest_is_told_and_forgotten(log: io.StringIO) -> None:
    counted = Refusals()
    for _ in range(2):
        counted.count("first")
    for number in range(refusals.MAX_KINDS):
        counted.count("command.not_found", user=number)

    assert len(counted._kinds) == refusals.MAX_KINDS
    assert [line["times"] for line in lines(log) if line["event"] == "first"] == ["1", "1"]


@pytest.mark.parametrize(
    "name", ["reflex.app", "engineio.server", "socketio.server", "asyncio", "websockets.server"]
)
def test_of_a_library_only_the_place_and_the_type_are_logged(log: io.StringIO, name: str) -> None:
    library = logging.getLogger(name)
    library.setLevel(logging.DEBUG)
    for _ in range(100):
        try:
            raise ValueError("typed by a person")
        except ValueError:
            library.error("Event data: %s", "typed by a person", exc_info=True)
    library.info("typed by a person")

    (line,) = lines(log)
    assert "typed" not in log.getvalue()
    assert line["exception"] == "ValueError"
    assert "test_refusals.py" in line["event"]


def test_our_own_words_and_the_servers_about_itself_are_logged(log: io.StringIO) -> None:
    structlog.get_logger("clinic_chat.x").warning("something", number=1)
    logging.getLogger("uvicorn.error").info("Uvicorn running")

    assert [line["event"] for line in lines(log)] == ["something", "Uvicorn running"]
