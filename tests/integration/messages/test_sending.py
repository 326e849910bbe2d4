"""Answers that come together: one transaction, and each is stored or refused for itself."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import InvalidInput, NotFound
from clinic_chat.domain.events.log import events_after
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.messages.sending import Sends
from clinic_chat.domain.messages.views import StoredMessage
from clinic_chat.domain.queries.message_pages import messages_page
from clinic_chat.storage.batching import MAX_BATCH
from clinic_chat.storage.database import Database, StorageUnavailable
from clinic_chat.storage.sqlite import engine as storage
from clinic_chat.storage.sqlite.library import sqlite3

if TYPE_CHECKING:
    from tests.conftest import Clinics


async def _conversation(scope: ClinicScope, phone: str = "+5511987654321") -> str:
    stored = await receive_message(
        scope, name="Paula", phone=phone, body="olá", external_id=f"first {phone}"
    )
    return stored.message.conversation_id


@pytest.mark.usefixtures("any_database")
async def test_those_that_come_together_are_stored_in_their_order_in_few_transactions(
    clinics: Clinics,
) -> None:
    conversation = await _conversation(clinics.aurora)
    sends = Sends(clinics.ana.database)
    batches: list[int] = []

    async def committed(announced: list[Any]) -> None:
        batches.append(len(announced))

    clinics.ana.database.on_commit(committed)
    count = 2 * MAX_BATCH + 5

    stored = await asyncio.gather(
        *(sends.send(clinics.ana, conversation, f"{n}", f"key {n}") for n in range(count))
    )

    assert [one.message.seq for one in stored] == list(range(2, count + 2))
    page = await messages_page(clinics.bruno, conversation, limit=1_000)
    assert [message.body for message in page.messages[1:]] == [str(n) for n in range(count)]
    log = await events_after(clinics.aurora, 0, limit=1_000)
    assert [event.seq for event in log] == list(range(1, count + 2))
    assert batches == [MAX_BATCH, MAX_BATCH, 5]


@pytest.mark.usefixtures("any_database")
async def test_one_that_cannot_be_stored_keeps_no_other_back(clinics: Clinics) -> None:
    ours, theirs = await _conversation(clinics.aurora), await _conversation(clinics.boreal)
    sends = Sends(clinics.ana.database)

    found = await asyncio.gather(
        sends.send(clinics.ana, ours, "um", "1"),
        sends.send(clinics.ana, theirs, "não", "2"),
        sends.send(clinics.ana, str(uuid4()), "não", "3"),
        sends.send(clinics.ana, "not an id", "não", "4"),
        sends.send(clinics.ana, ours, "", "5"),
        sends.send(clinics.ana, ours, "um", "1"),
        sends.send(clinics.bruno, ours, "dois", "1"),
        sends.send(clinics.carla, theirs, "delas", "1"),
        return_exceptions=True,
    )

    refused = [type(one) for one in found if not isinstance(one, StoredMessage)]
    assert refused == [NotFound, NotFound, NotFound, InvalidInput]
    first, again, bruno, carla = (one for one in found if isinstance(one, StoredMessage))
    assert again == StoredMessage(first.message, created=False)
    assert (bruno.message.body, bruno.message.seq, bruno.created) == ("dois", 3, True)
    assert (carla.message.conversation_id, carla.message.seq) == (theirs, 2)
    assert (await messages_page(clinics.ana, ours)).last_seq == 3


async def test_when_the_database_is_locked_all_hear_it_and_can_send_again(
    clinics: Clinics, database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "BUSY_TIMEOUT_MS", 50)
    conversation = await _conversation(clinics.aurora)
    database = Database(f"sqlite+aiosqlite:///{database_path}")
    ana = ClinicScope(database, clinics.ana.clinic_id, clinics.ana.actor)
    sends = Sends(database)
    with closing(sqlite3.connect(database_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        found = await asyncio.gather(
            *(sends.send(ana, conversation, "oi", f"{n}") for n in range(3)),
            return_exceptions=True,
        )
        other.execute("ROLLBACK")
    assert [type(one) for one in found] == [StorageUnavailable] * 3
    again = await asyncio.gather(*(sends.send(ana, conversation, "oi", f"{n}") for n in range(3)))
    assert [one.message.seq for one in again] == [2, 3, 4]
    await database.close()


async def test_one_who_goes_away_takes_the_answer_from_nobody(clinics: Clinics) -> None:
    conversation = await _conversation(clinics.aurora)
    sends = Sends(clinics.ana.database)
    waiting = [
        asyncio.create_task(sends.send(clinics.ana, conversation, "oi", f"{n}")) for n in range(3)
    ]
    await asyncio.sleep(0)
    waiting[1].cancel()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(found[1], asyncio.CancelledError)
    assert [one.message.client_id for one in found if isinstance(one, StoredMessage)] == ["0", "2"]
    # It had been handed over, so it counts; sending it again makes no second one.
    assert not (await sends.send(clinics.ana, conversation, "oi", "1")).created
