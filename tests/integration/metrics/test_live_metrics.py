"""What happens to sockets, messages and the database shows in the metrics."""

import asyncio
import io
import json
import logging
import os
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import structlog

from clinic_chat.domain.accounts.api_tokens import Tokens
from clinic_chat.logs import configure_logging
from clinic_chat.realtime.commands.feeds import CHECK_MAXIMUM_MS, STALE_MAXIMUM_MS
from clinic_chat.storage.database import Database
from clinic_chat.storage.sqlite.library import sqlite3
from clinic_chat.workers.log_worker import LogWorker, Reader
from tests.conftest import Clinics
from tests.integration.realtime.sockets import Place, enters, limits, place
from tests.integration.realtime.test_feed_commands import ask, told
from tests.support.metrics import Scrape
from tests.support.sending import conversation_with
from tests.support.servers.own_server import Raw
from tests.support.socket_client import follows

__all__ = ["limits", "place"]
CHECK = "clinic_chat_browser_check_seconds"
STALE = "clinic_chat_browser_stale_seconds"


class Growth:
    """How much more there is of what is counted than when this was made."""

    def __init__(self, before: Scrape) -> None:
        self._before = before

    @classmethod
    async def from_now(cls) -> "Growth":
        return cls(await Scrape.here())

    async def of(self, name: str, **labels: str) -> float:
        after = await Scrape.here()
        return after.value(name, **labels) - self._before.value(name, **labels)

    async def reaches(self, number: float, name: str, **labels: str) -> None:
        """Return when what happens by itself has been counted so often."""
        for _ in range(500):
            if await self.of(name, **labels) >= number:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"{name} {labels} does not reach {number}")


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


async def test_sockets_are_counted_by_how_they_came_and_how_they_went(place: Place) -> None:
    growth = await Growth.from_now()
    cookie = await place.cookie("ana")
    async with place.socket(cookie) as ana, place.polls(cookie) as poller:
        await enters(ana)
        await poller.enter()

        scraped = await Scrape.here()
        assert scraped.value("clinic_chat_sockets", transport="websocket") == 1
        assert scraped.value("clinic_chat_sockets", transport="polling") == 1
        assert scraped.value("clinic_chat_tabs") == 2
        assert await growth.of("clinic_chat_socket_connects_total", transport="websocket") == 1
        assert await growth.of("clinic_chat_socket_connects_total", transport="polling") == 1
        await poller.post("1")
    await growth.reaches(2, "clinic_chat_socket_disconnects_total")
    assert await growth.of("clinic_chat_socket_disconnects_total", reason="client_disconnect") == 1


async def test_refusals_are_counted_by_their_reason(place: Place) -> None:
    growth = await Growth.from_now()
    async with place.socket():
        pass

    refused = {"event": "socket.refused", "reason": "unauthorized"}
    await growth.reaches(1, "clinic_chat_refusals_total", **refused)


async def test_a_message_is_counted_from_its_command_to_the_sockets(
    clinics: Clinics, place: Place
) -> None:
    key = await conversation_with(clinics.aurora, "+5511987654321")
    async with place.socket(await place.cookie("ana")) as ana:
        await enters(ana, follows(key))
        await told(ana, "conversations")
        await told(ana, "messages")
        growth = await Growth.from_now()

        sent = {"conversationId": key, "body": "bom dia", "clientId": str(uuid4())}
        answer, _ = await ask(ana, "message:send", sent)
        assert answer["ok"]
        await growth.reaches(1, "clinic_chat_delivery_seconds_count")

        ok = {"command": "message:send", "outcome": "ok"}
        assert await growth.of("clinic_chat_commands_total", **ok) == 1
        assert (
            await growth.of("clinic_chat_command_duration_seconds_count", command="message:send")
            == 1
        )
        assert await growth.of("clinic_chat_messages_total", direction="outbound") == 1
        assert await growth.of("clinic_chat_messages_total", direction="inbound") == 0
        assert await growth.of("clinic_chat_commit_duration_seconds_count") >= 1
        assert await growth.of("clinic_chat_transaction_wait_seconds_count") >= 1
        assert await growth.of("clinic_chat_batch_items_sum", queue="sends") == 1
        assert await growth.of("clinic_chat_batch_items_count", queue="bus") >= 1
        assert 0 < await growth.of("clinic_chat_delivery_seconds_sum") < 5

        answer, _ = await ask(ana, "message:send", {**sent, "conversationId": str(uuid4())})
        missing = {"command": "message:send", "outcome": "not_found"}
        assert await growth.of("clinic_chat_commands_total", **missing) == 1


async def test_nothing_waits_and_what_waits_shows_how_long(clinics: Clinics, place: Place) -> None:
    scraped = await Scrape.here()
    for queue in ("bus", "sends", "writes"):
        assert scraped.value("clinic_chat_queue_items", queue=queue) == 0
        assert scraped.value("clinic_chat_queue_age_seconds", queue=queue) == pytest.approx(
            0, abs=0.01
        )
    release = asyncio.Event()

    async def held() -> None:
        await release.wait()

    place.live.bus.call(held)
    place.live.bus.call(held)
    await asyncio.sleep(0.05)
    scraped = await Scrape.here()
    assert scraped.value("clinic_chat_queue_items", queue="bus") == 2
    assert scraped.value("clinic_chat_queue_age_seconds", queue="bus") >= 0.05
    release.set()


async def test_what_was_read_before_is_a_hit(clinics: Clinics, place: Place) -> None:
    key = await conversation_with(clinics.aurora, "+5511987654321")
    growth = await Growth.from_now()
    cookie = await place.cookie("ana")
    for _ in range(2):
        async with place.socket(cookie) as ana:
            await enters(ana, follows(key))
            await told(ana, "conversations")
            await told(ana, "messages")

    for cache in ("inbox_pages", "inbox_overviews", "thread_pages", "staff"):
        for outcome in ("miss", "hit"):
            labels = {"cache": cache, "outcome": outcome}
            assert await growth.of("clinic_chat_cache_requests_total", **labels) == 1, labels


async def test_a_token_that_is_asked_for_twice_is_read_once(database: Database) -> None:
    growth = await Growth.from_now()
    tokens = Tokens(database)
    for _ in range(2):
        assert await tokens.holder("cc_nobodys") is None

    # One that nobody has is not kept.
    assert await growth.of("clinic_chat_cache_requests_total", cache="api_tokens") == 2


async def test_the_database_says_how_large_it_is_and_who_uses_it(
    clinics: Clinics, place: Place
) -> None:
    path = clinics.database.url.removeprefix("sqlite+aiosqlite:///")
    async with clinics.aurora.read():
        scraped = await Scrape.here()

    assert scraped.value("clinic_chat_database_size_bytes") == os.stat(path).st_size
    assert scraped.value("clinic_chat_database_wal_size_bytes") == os.stat(f"{path}-wal").st_size
    for pool in ("readers", "writer"):
        assert scraped.has("clinic_chat_database_connections", pool=pool, state="in_use")
        assert scraped.has("clinic_chat_database_connections", pool=pool, state="idle")


async def test_a_lock_of_another_process_is_a_wait_and_then_a_refusal(
    clinics: Clinics, database_path: Any
) -> None:
    await conversation_with(clinics.aurora, "+5511987654321")
    growth = await Growth.from_now()
    other = sqlite3.connect(database_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(conversation_with(clinics.aurora, "+5511987654322"))
    await growth.reaches(1, "clinic_chat_database_busy_waits_total")
    other.close()
    await writing
    assert await growth.of("clinic_chat_database_unavailable_total") == 0


async def test_postgresql_says_how_large_it_is_too(postgres_database: Database) -> None:
    measured = {
        gauge.name: values for gauge, values in (await postgres_database.measured()).items()
    }

    assert measured["clinic_chat_database_size_bytes"][()] > 1_000_000
    assert "clinic_chat_database_wal_size_bytes" not in measured


async def test_a_reader_that_fails_is_behind_in_events_and_seconds(clinics: Clinics) -> None:
    def fails(_session: object, _events: object) -> None:
        raise OSError("no disk")

    reader = Reader("test", fails)
    worker = LogWorker(clinics.database, (reader,))
    await conversation_with(clinics.aurora, "+5511987654321")
    await worker.catch_up(reader)
    await asyncio.sleep(0.05)

    behind = {gauge.name: values[("test",)] for gauge, values in (await worker.measured()).items()}
    assert behind["clinic_chat_log_reader_behind_events"] == 1
    assert behind["clinic_chat_log_reader_behind_seconds"] >= 0.05

    takes = Reader("test", lambda _session, _events: None)
    worker = LogWorker(clinics.database, (takes,))
    await worker.catch_up(takes)
    behind = {gauge.name: values[("test",)] for gauge, values in (await worker.measured()).items()}
    assert behind["clinic_chat_log_reader_behind_events"] == 0
    assert behind["clinic_chat_log_reader_behind_seconds"] == pytest.approx(0, abs=0.01)


async def _in(place: Place, raw: Raw) -> None:
    await enters(raw, follows())
    await told(raw, "conversations")


async def test_a_tab_tells_what_its_check_took_and_how_long_it_was_stale(place: Place) -> None:
    async with place.socket(await place.cookie("ana")) as ana:
        await _in(place, ana)
        growth = await Growth.from_now()

        assert (await ask(ana, "feed:check", {"nonce": 1}))[0] == {"ok": True}
        assert await growth.of(f"{CHECK}_count") == await growth.of(f"{STALE}_count") == 0

        report = {"nonce": 2, "tookMs": 40, "staleMs": 2000}
        assert (await ask(ana, "feed:check", report))[0] == {"ok": True}
        assert await growth.of(f"{CHECK}_sum") == pytest.approx(0.04)
        assert await growth.of(f"{STALE}_sum") == pytest.approx(2)
        assert await growth.of(f"{CHECK}_count") == await growth.of(f"{STALE}_count") == 1

        most = {"tookMs": CHECK_MAXIMUM_MS, "staleMs": STALE_MAXIMUM_MS}
        assert (await ask(ana, "feed:check", most))[0] == {"ok": True}


async def test_what_is_no_time_is_refused_and_counted_nowhere(place: Place) -> None:
    bad: list[Any] = [-1, STALE_MAXIMUM_MS + 1, 2**70, 1.5, True, "40", "NaN", [], {}, [1] * 500]
    async with place.socket(await place.cookie("ana")) as ana:
        await _in(place, ana)
        growth = await Growth.from_now()
        for name in ("tookMs", "staleMs"):
            for value in bad:
                report = {"nonce": 1, "tookMs": 1, name: value}
                answer, _ = await ask(ana, "feed:check", report)
                assert answer["error"]["code"] == "number_invalid", report
        assert await growth.of(f"{CHECK}_count") == await growth.of(f"{STALE}_count") == 0


async def test_the_lines_of_a_command_have_its_id_and_others_have_not(
    place: Place, log: io.StringIO
) -> None:
    async with place.socket(await place.cookie("ana")) as ana:
        await _in(place, ana)
        for _ in range(2):
            await ask(ana, "message:send", {"author": f"somebody {uuid4()}"})
            await ask(ana, "message:send", {"conversationId": str(uuid4()), "body": "x"})
        await ask(ana, "message:body", {"conversationId": str(uuid4()), "seq": 1})

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    of_commands = [line for line in lines if line["event"].startswith("command.")]
    ids = [line["command_id"] for line in of_commands]
    assert len(ids) == len(set(ids)) >= 2
    assert all(len(one) == 8 for one in ids)
    assert not any("command_id" in line for line in lines if line not in of_commands)
