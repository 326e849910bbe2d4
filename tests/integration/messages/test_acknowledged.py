"""Acknowledged means durable: what a killed server told its clients is in the database."""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from clinic_chat.domain.accounts.api_tokens import create_token
from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.storage.sqlite.library import sqlite3
from tests.conftest import PASSWORD, Clinics
from tests.support.servers.forked_server import ForkedServer
from tests.support.socket_client import Refused, Wire

KILLS = 30
LANES = 2
SEED = 20_240_601
# So many answers a life of the server lasts at most.
LIFE = 12


@dataclass
class Ledger:
    """What clients were told, and how many answers there were in this life of the server."""

    sent: dict[str, list[str]] = field(default_factory=dict)
    """Author → the keys of their messages in the order they were written."""
    told: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Key → every answer with a message for it."""
    asked: int = 0
    answers: int = 0
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def answered(self, key: str, message: dict[str, Any]) -> None:
        async with self.news:
            self.told.setdefault(key, []).append(message)
            self.answers += 1
            self.news.notify_all()

    async def wait_for(self, answers: int) -> None:
        async with self.news:
            await self.news.wait_for(lambda: self.answers >= answers)


@pytest.fixture
def server(database_path: Path, tmp_path: Path) -> Iterator[ForkedServer]:
    limits: dict[str, Any] = {"sends_per_minute": 1_000_000, "login_attempts_per_minute": 1000}
    with ForkedServer(database_path, tmp_path / "server.log", **limits) as server:
        yield server


async def test_nothing_that_clients_were_told_is_lost_when_the_server_is_killed(
    clinics: Clinics,
    server: ForkedServer,
    database_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    chance = random.Random(SEED)  # noqa: S311 - a reproducible test, not a secret
    first = await receive_message(
        clinics.aurora, name="Paula", phone="+5511987654321", body="Olá", external_id="first"
    )
    conversation = first.message.conversation_id
    token = await create_token(clinics.database, clinics.aurora.clinic_id)
    server.start()
    cookies = [await _sign_in(server, f"{name}@aurora.example") for name in ("ana", "bruno")]
    ledger = Ledger()
    writers = [
        asyncio.create_task(_write(server, cookie, conversation, f"{lane}-{number}", ledger))
        for number, cookie in enumerate(cookies)
        for lane in range(LANES)
    ]
    writers.append(asyncio.create_task(_receive(server, token, ledger)))
    try:
        for _ in range(KILLS):
            await ledger.wait_for(ledger.answers + chance.randint(1, LIFE))
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
        await ledger.wait_for(ledger.answers + len(writers))
    finally:
        for writer in writers:
            writer.cancel()
        await asyncio.gather(*writers, return_exceptions=True)
    await asyncio.to_thread(server.kill)

    with closing(sqlite3.connect(database_path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        stored = connection.execute(
            "SELECT client_id, id, seq, body FROM messages ORDER BY seq"
        ).fetchall()
        events = [seq for (seq,) in connection.execute("SELECT seq FROM events ORDER BY seq")]
    keys = [key for key, *_ in stored]
    by_key = {key: rest for key, *rest in stored}
    assert len(by_key) == len(stored)
    assert [seq for _, _, seq, _ in stored] == list(range(1, len(stored) + 1))
    assert events == list(range(1, len(events) + 1))
    for key, answers in ledger.told.items():
        assert key in by_key, f"{key} was acknowledged and is gone"
        ident, seq, body = by_key[key]
        for answer in answers:
            assert (answer["id"].replace("-", ""), answer["seq"], answer["body"]) == (
                *(ident, seq, body),
            )
    for written in ledger.sent.values():
        mine = set(written)
        # The last one may have been stored without an answer.
        assert [key for key in keys if key in mine] in (written, written[:-1])
    record_property(
        f"server killed {KILLS} times",
        f"{len(ledger.told)} messages acknowledged, {len(stored) - 1} stored, "
        f"{ledger.asked - ledger.answers} sends without an answer",
    )


async def _write(
    server: ForkedServer, cookie: str, conversation: str, name: str, ledger: Ledger
) -> None:
    """Send without a pause, each message again until there is an answer, as the outbox does."""
    written = ledger.sent.setdefault(name, [])
    while True:
        with suppress(OSError, TimeoutError, Refused, httpx.HTTPError):
            wire = await Wire.join(server, cookie)
            try:
                while True:
                    await _send_next(wire, conversation, name, written, ledger)
            finally:
                await wire.close()


async def _send_next(
    wire: Wire, conversation: str, name: str, written: list[str], ledger: Ledger
) -> None:
    if not written or written[-1] in ledger.told:
        written.append(f"{name}-{len(written)}")
    key = written[-1]
    ledger.asked += 1
    data = {"conversationId": conversation, "clientId": key, "body": f"Mensagem {key}"}
    answer = await wire.ask("message:send", data)
    assert "message" in answer, answer
    await ledger.answered(key, answer["message"])


async def _receive(server: ForkedServer, token: str, ledger: Ledger) -> None:
    """Deliver a patient's messages by HTTP, each again until there is an answer."""
    written = ledger.sent.setdefault("patient", [])
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=server.origin, headers=headers, timeout=20) as client:
        while True:
            if not written or written[-1] in ledger.told:
                written.append(f"patient-{len(written)}")
            key = written[-1]
            patient = {"name": "Paula", "phone": "+5511987654321"}
            body = {"patient": patient, "body": f"Recado {key}", "externalId": key}
            ledger.asked += 1
            with suppress(httpx.TransportError):
                answer = await client.post("/api/v1/inbound", json=body)
                assert answer.status_code in {200, 201}, answer.text
                await ledger.answered(key, answer.json()["message"])


async def _sign_in(server: ForkedServer, email: str) -> str:
    async with httpx.AsyncClient(base_url=server.origin, timeout=30) as client:
        answer = await client.post("/auth/login", data={"email": email, "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return answer.cookies[COOKIE_NAME]
