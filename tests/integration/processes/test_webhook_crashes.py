"""Servers and a receiver that are killed in mid-delivery: every event arrives, in order."""

import asyncio
import base64
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from clinic_chat.domain.accounts.api_tokens import create_token
from clinic_chat.domain.webhooks.queue import CLAIM, queued_in_all
from clinic_chat.storage.database import Database
from tests.conftest import Clinics
from tests.integration.webhooks.receiver import Event, event_in, verified
from tests.support.provider.certificates import ADDRESS
from tests.support.provider.https_server import Asked
from tests.support.servers.forked_server import ForkedServer
from tests.support.servers.ports import free_port

pytestmark = pytest.mark.usefixtures("any_database")

KILLS = 3
# Of a killed server a few conversations wait for the end of its claim.
PATIENTS = 40
BUSY_SECONDS = 0.6
LOOK_SECONDS = 0.2
# What a killed server had claimed, and the longest of the first retries of it.
QUIET_SECONDS = CLAIM.total_seconds() + 60


@asynccontextmanager
async def receiving(port: int, file: Path) -> AsyncIterator[None]:
    """A receiver, killed at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.webhooks.receiver_process"),
        *(str(port), str(file)),
        cwd=Path(__file__).parents[3],
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"listens\n"
    yield
    process.send_signal(signal.SIGKILL)
    await process.wait()


def taken(file: Path) -> list[Event]:
    """What the receivers kept; a line that a killed one was writing was not answered."""
    found = []
    for line in file.read_text().splitlines() if file.exists() else []:
        try:
            headers, body = json.loads(line)
        except ValueError:
            continue
        found.append(event_in(Asked("POST", "/", headers, base64.b64decode(body))))
    return found


async def test_every_event_arrives_whoever_is_killed(
    any_database: Database, clinics: Clinics, tmp_path: Path
) -> None:
    token = await create_token(any_database, clinics.aurora.clinic_id)
    port, file = free_port(), tmp_path / "taken"
    written: set[str] = set()
    ended = asyncio.Event()

    async def write(client: httpx.AsyncClient, number: int) -> None:
        body = f"Oi {number:03}"
        message = {
            "patient": {"name": "Paula", "phone": f"+55119876{number % PATIENTS:05}"},
            "body": body,
            "externalId": body,
        }
        while True:
            try:
                answer = await client.post("/api/v1/inbound", json=message)
            except httpx.HTTPError:
                continue
            assert answer.status_code in (200, 201), answer.text
            written.add(body)
            return

    async def write_until_ended(client: httpx.AsyncClient) -> None:
        while not ended.is_set():
            await write(client, len(written))
            await asyncio.sleep(0.02)

    with ForkedServer(any_database.url, tmp_path / "log", outbound_private_hosts=ADDRESS) as server:
        server.start()
        async with httpx.AsyncClient(
            base_url=server.origin, headers={"Authorization": f"Bearer {token}"}, timeout=30
        ) as client:
            wanted = {"url": f"http://{ADDRESS}:{port}", "eventTypes": ["message:new"]}
            created = await client.post("/api/v1/webhooks", json=wanted)
            assert created.status_code == 201, created.text
            writing = asyncio.create_task(write_until_ended(client))
            for _ in range(KILLS):
                async with receiving(port, file):
                    await asyncio.sleep(BUSY_SECONDS)
                await asyncio.sleep(BUSY_SECONDS)
                async with receiving(port, file):
                    await asyncio.sleep(BUSY_SECONDS)
                    server.kill()
                    server.start()
            ended.set()
            await writing
            assert taken(file), "nothing arrived in between"
            async with receiving(port, file):
                for _ in range(int(QUIET_SECONDS / LOOK_SECONDS)):
                    if written == _bodies(file) and not (await queued_in_all(any_database))[0]:
                        break
                    await asyncio.sleep(LOOK_SECONDS)
        events = taken(file)

    secret = created.json()["secret"]
    for conversation in {event.conversation for event in events}:
        seqs = [event.seq for event in events if event.conversation == conversation]
        assert seqs == sorted(seqs)
    assert _bodies(file) == written
    assert len({event.id for event in events}) == len(written)
    for event in events:
        verified(secret, event)


def _bodies(file: Path) -> set[str]:
    return {event.data["message"]["body"] for event in taken(file)}
