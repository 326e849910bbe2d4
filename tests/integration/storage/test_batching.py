"""Changes of a clinic that come together: few transactions, and an error is its maker's alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import Conversation
from clinic_chat.domain.errors import Conflict, InvalidInput, NotFound
from clinic_chat.domain.events.log import events_after
from clinic_chat.domain.messages.delivery import report_status
from clinic_chat.domain.messages.message import Message
from clinic_chat.domain.messages.read_markers import mark_read
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.messages.views import StoredMessage
from clinic_chat.domain.queries.message_pages import messages_page
from clinic_chat.storage.batching import MAX_BATCH
from tests.support.personal import read_seq
from tests.support.sending import send_message

if TYPE_CHECKING:
    from tests.conftest import Clinics

pytestmark = pytest.mark.usefixtures("any_database")

PHONE = "+5511987654321"


@pytest.fixture
def transactions(clinics: Clinics) -> list[int]:
    """How many events each transaction announced."""
    counts: list[int] = []

    async def committed(announced: list[Any]) -> None:
        counts.append(len(announced))

    clinics.aurora.database.on_commit(committed)
    return counts


async def _receive(
    scope: ClinicScope, key: str, phone: str = PHONE, body: str = "oi"
) -> StoredMessage:
    return await receive_message(scope, name="Paula", phone=phone, body=body, external_id=key)


async def test_what_patients_write_together_is_stored_in_order_in_few_transactions(
    clinics: Clinics, transactions: list[int]
) -> None:
    count = MAX_BATCH + 5
    stored = await asyncio.gather(
        *(_receive(clinics.aurora, f"{n}", body=f"{n}") for n in range(count)),
        _receive(clinics.aurora, "3"),
    )

    assert [one.message.seq for one in stored] == [*range(1, count + 1), 4]
    assert [one.created for one in stored] == [True] * count + [False]
    page = await messages_page(clinics.ana, stored[0].message.conversation_id, limit=1_000)
    assert [message.body for message in page.messages] == [f"{n}" for n in range(count)]
    log = await events_after(clinics.aurora, 0, limit=1_000)
    assert [event.seq for event in log] == list(range(1, count + 1))
    assert transactions == [MAX_BATCH, 5]


async def test_an_error_is_its_makers_alone(clinics: Clinics) -> None:
    first = await _receive(clinics.aurora, "1")
    conversation = first.message.conversation_id
    sent = await send_message(clinics.ana, conversation, "Bom dia", "a")
    await report_status(clinics.aurora, sent.message.id, "read")

    found = await asyncio.gather(
        _receive(clinics.aurora, "2"),
        report_status(clinics.aurora, str(uuid4()), "read"),
        report_status(clinics.aurora, sent.message.id, "failed"),
        report_status(clinics.aurora, first.message.id, "read"),
        mark_read(clinics.bruno, conversation, 2),
        mark_read(clinics.carla, conversation, 2),
        mark_read(clinics.ana, str(uuid4()), 2),
        _receive(clinics.aurora, "3"),
        return_exceptions=True,
    )

    assert [type(one) for one in found] == [
        StoredMessage,
        NotFound,
        Conflict,
        InvalidInput,
        int,
        NotFound,
        NotFound,
        StoredMessage,
    ]
    page = await messages_page(clinics.ana, conversation)
    assert [message.seq for message in page.messages] == [1, 2, 3, 4]
    assert await read_seq(clinics.bruno, UUID(conversation)) == 2
    assert await read_seq(clinics.ana, UUID(conversation)) == 0
    log = await events_after(clinics.aurora, 0)
    assert [event.seq for event in log] == list(range(1, 6))


async def test_half_done_work_that_fails_leaves_nothing(
    clinics: Clinics, transactions: list[int]
) -> None:
    first = await _receive(clinics.aurora, "1")
    transactions.clear()

    def breaks(session: Session) -> None:
        target = session.scalar(select(Conversation))
        assert target is not None
        target.preview = "never"
        session.add(
            Message(
                conversation_id=target.id,
                seq=1,
                direction="inbound",
                author_name="Paula",
                body="duplicate of a number",
                origin="api",
                client_id="7",
            )
        )

    found = await asyncio.gather(
        _receive(clinics.aurora, "2", body="dois"),
        clinics.aurora.transact_shared(breaks),
        _receive(clinics.aurora, "3", body="três"),
        return_exceptions=True,
    )

    assert isinstance(found[1], IntegrityError)
    page = await messages_page(clinics.ana, first.message.conversation_id)
    assert [message.body for message in page.messages] == ["oi", "dois", "três"]
    assert transactions == [1, 1]


async def test_one_that_is_not_told_of_is_stored(clinics: Clinics) -> None:
    async def fails(announced: list[Any]) -> None:
        raise RuntimeError(f"cannot tell of {len(announced)}")

    heard: list[Any] = []

    async def hears(announced: list[Any]) -> None:
        heard.extend(announced)

    clinics.aurora.database.on_commit(fails)
    clinics.aurora.database.on_commit(hears)
    stored = await _receive(clinics.aurora, "1")
    assert stored.created
    assert [item.seq for item in heard] == [1]
