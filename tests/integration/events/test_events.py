"""The event log under concurrency: no holes, commit order, and only what was committed."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from clinic_chat.domain.clinics.actors import SYSTEM
from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import Conversation, load_conversation
from clinic_chat.domain.errors import NotFound
from clinic_chat.domain.events.log import CommittedEvent, PersonalChange, events_after, last_seq
from clinic_chat.domain.messages.appending import append_message
from clinic_chat.domain.messages.message import Direction, Message
from clinic_chat.domain.messages.read_markers import mark_read
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.storage.database import Database
from tests.support.sending import send_message

if TYPE_CHECKING:
    from tests.conftest import Clinics

PROPERTY = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
PHONES = ["+5511900000001", "+5511900000002"]

# What somebody does, as (what, who, to which of the clinic's conversations).
ACTS = st.tuples(
    st.sampled_from(["receive", "send", "send again", "read", "fail"]),
    st.sampled_from(["ana", "bruno", "carla"]),
    st.integers(0, 1),
)


class _Failure(Exception):
    """A use case that fails after it has written."""


class Crowd:
    """Two clinics with two conversations each, and people who act in them."""

    def __init__(self, clinics: Clinics) -> None:
        self.clinics = clinics
        self.told: list[CommittedEvent | PersonalChange] = []
        self.conversations: dict[UUID, list[str]] = {}
        self._keys = count()

    async def start(self) -> None:
        """The first message of each conversation."""
        for channel in (self.clinics.aurora, self.clinics.boreal):
            self.conversations[channel.clinic_id] = [
                (await self._receive(channel, number)).message.conversation_id
                for number in range(2)
            ]

    async def act(self, what: str, who: str, number: int) -> None:
        person: ClinicScope = getattr(self.clinics, who)
        conversation = self.conversations[person.clinic_id][number]
        key = f"{next(self._keys)}" if what == "send" else "the same"
        if what == "receive":
            await self._receive(ClinicScope(person.database, person.clinic_id, SYSTEM), number)
        elif what in {"send", "send again"}:
            await send_message(person, conversation, what, key)
        elif what == "read":
            await mark_read(person, conversation, 1_000_000)
        else:
            with suppress(_Failure):
                await self._fail(person, conversation)

    async def _receive(self, channel: ClinicScope, number: int) -> Any:
        return await receive_message(
            channel,
            name="Paula",
            phone=PHONES[number],
            body="olá",
            external_id=f"{next(self._keys)}",
        )

    async def _fail(self, person: ClinicScope, conversation: str) -> None:
        async with person.write() as session:
            append_message(
                session,
                await load_conversation(session, conversation),
                direction=Direction.OUTBOUND,
                author_name="Ana",
                body="never",
                origin="test",
                client_id=f"{next(self._keys)}",
            )
            await session.flush()
            raise _Failure

    async def check(self, *, all_told: bool = True) -> None:
        """Everything this module promises, of both clinics."""
        for clinic_id in self.conversations:
            scope = ClinicScope(self.clinics.database, clinic_id, SYSTEM)
            log = await events_after(scope, 0, limit=10_000)
            assert [event.seq for event in log] == list(range(1, len(log) + 1))
            assert await last_seq(scope) == len(log)
            told = [
                item
                for item in self.told
                if isinstance(item, CommittedEvent) and item.clinic_id == clinic_id
            ]
            if all_told:
                assert [_as_read(event) for event in told] == log
            assert [event.seq for event in told] == sorted({event.seq for event in told})
            await self._check_conversations(scope, log)

    async def _check_conversations(self, scope: ClinicScope, log: list[CommittedEvent]) -> None:
        versions: dict[UUID, list[int]] = defaultdict(list)
        for event in log:
            versions[event.subject.id].append(event.subject.version)
        async with scope.read() as session:
            for conversation in (await session.scalars(select(Conversation))).all():
                assert versions[conversation.id] == list(range(1, conversation.version + 1))
                messages = (
                    await session.scalars(
                        select(Message)
                        .where(Message.conversation_id == conversation.id)
                        .order_by(Message.seq)
                    )
                ).all()
                assert [m.seq for m in messages] == list(range(1, conversation.last_seq + 1))
                inbound = [m for m in messages if m.direction == Direction.INBOUND]
                assert len(inbound) == conversation.inbound_count
                assert "never" not in {m.body for m in messages}
                new = [
                    (event.payload["messageId"], event.payload["seq"])
                    for event in log
                    if event.subject.id == conversation.id and event.type == "message:new"
                ]
                assert new == [(str(m.id), m.seq) for m in messages]


def _as_read(event: CommittedEvent) -> CommittedEvent:
    """The event as it comes back from the log, where tuples have become lists."""
    return replace(event, payload=json.loads(json.dumps(event.payload)))


@pytest.fixture
def new_crowd(new_clinics: Callable[[], Awaitable[Clinics]]) -> Callable[[], Awaitable[Crowd]]:
    """A crowd of its own for each example of a property."""

    async def create() -> Crowd:
        crowd = Crowd(await new_clinics())

        async def listen(announced: list[Any]) -> None:
            # Gives others the chance to overtake.
            await asyncio.sleep(0)
            crowd.told += announced

        crowd.clinics.database.on_commit(listen)
        await crowd.start()
        return crowd

    return create


@given(acts=st.lists(ACTS, max_size=25))
@PROPERTY
async def test_events_are_numbered_without_holes_in_the_order_they_are_told(
    any_database: Database, new_crowd: Callable[[], Awaitable[Crowd]], acts: list[Any]
) -> None:
    crowd = await new_crowd()
    await asyncio.gather(*(crowd.act(*act) for act in acts))
    await crowd.check()


@given(acts=st.lists(st.tuples(ACTS, st.integers(0, 60)), max_size=20))
@PROPERTY
async def test_people_who_go_away_in_the_middle_leave_no_holes(
    any_database: Database, new_crowd: Callable[[], Awaitable[Crowd]], acts: list[Any]
) -> None:
    crowd = await new_crowd()

    async def leave_after(steps: int, act: Any) -> None:
        task = asyncio.create_task(crowd.act(*act))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    await asyncio.gather(*(leave_after(steps, act) for act, steps in acts))
    for who in ("ana", "bruno", "carla"):
        await crowd.act("send", who, 0)
    await crowd.check(all_told=False)


async def test_several_processes_write_one_log_without_holes(
    any_database: Database, new_crowd: Callable[[], Awaitable[Crowd]]
) -> None:
    crowd = await new_crowd()
    conversation = crowd.conversations[crowd.clinics.ana.clinic_id][0]
    # Each has its own connections and queue, as another process has.
    processes = [Database(any_database.url) for _ in range(3)]
    await asyncio.gather(
        *(
            send_message(replace(crowd.clinics.ana, database=process), conversation, "oi", key)
            for process in processes
            for key in map(str, range(15))
        )
    )
    for process in processes:
        await process.close()
    await crowd.check(all_told=False)
    assert await last_seq(crowd.clinics.ana) == 2 + 15  # the same keys, from every process


async def test_a_rolled_back_transaction_is_not_told(
    any_database: Database, new_crowd: Callable[[], Awaitable[Crowd]]
) -> None:
    crowd = await new_crowd()
    before = list(crowd.told)
    await crowd.act("fail", "ana", 0)
    assert crowd.told == before
    await crowd.check()


async def test_a_commit_that_fails_is_not_told(
    any_database: Database, new_crowd: Callable[[], Awaitable[Crowd]]
) -> None:
    crowd = await new_crowd()
    before = list(crowd.told)
    conversation = crowd.conversations[crowd.clinics.ana.clinic_id][0]

    async def write_twice() -> None:
        async with crowd.clinics.ana.write() as session:
            for _ in range(2):  # the flush before the commit finds the same key twice
                append_message(
                    session,
                    await load_conversation(session, conversation),
                    direction=Direction.OUTBOUND,
                    author_name="Ana",
                    body="never",
                    origin="test",
                    client_id="twice",
                )

    with pytest.raises(IntegrityError):
        await write_twice()
    assert crowd.told == before
    await crowd.check()


async def test_a_repetition_is_not_told_again(
    any_database: Database, new_crowd: Callable[[], Awaitable[Crowd]]
) -> None:
    crowd = await new_crowd()
    await crowd.act("send again", "ana", 0)
    told = list(crowd.told)
    await crowd.act("send again", "ana", 0)
    assert crowd.told == told


async def test_what_is_told_is_committed_and_visible(
    any_database: Database, clinics: Clinics
) -> None:
    seen: list[int] = []

    async def look(announced: list[Any]) -> None:
        seen.append(len(await events_after(clinics.aurora, 0)))

    any_database.on_commit(look)
    for number in range(3):
        await receive_message(
            clinics.aurora, name="P", phone=PHONES[0], body="olá", external_id=f"{number}"
        )
    assert seen == [1, 2, 3]


async def test_one_clinics_log_does_not_show_in_another(
    any_database: Database, new_crowd: Callable[[], Awaitable[Crowd]]
) -> None:
    crowd = await new_crowd()
    await crowd.act("send", "ana", 0)
    theirs = await events_after(crowd.clinics.boreal, 0)
    assert [event.seq for event in theirs] == [1, 2]
    assert {event.clinic_id for event in theirs} == {crowd.clinics.boreal.clinic_id}


async def test_the_log_is_read_from_a_number_on_and_in_portions(
    any_database: Database, new_crowd: Callable[[], Awaitable[Crowd]]
) -> None:
    crowd = await new_crowd()
    for _ in range(5):
        await crowd.act("send", "ana", 0)
    log = await events_after(crowd.clinics.ana, 0)
    assert await events_after(crowd.clinics.ana, 3) == log[3:]
    assert await events_after(crowd.clinics.ana, 2, limit=2) == log[2:4]
    assert await events_after(crowd.clinics.ana, len(log)) == []


async def test_a_clinic_that_is_gone_cannot_be_written_to(
    any_database: Database, clinics: Clinics
) -> None:
    async with any_database.write() as session:
        await session.delete(await session.get_one(Clinic, clinics.boreal.clinic_id))
    with pytest.raises(NotFound):
        await receive_message(
            clinics.boreal, name="P", phone=PHONES[0], body="olá", external_id="1"
        )


async def test_events_hold_no_text_of_patients(any_database: Database, clinics: Clinics) -> None:
    await receive_message(
        clinics.aurora, name="Paula", phone=PHONES[0], body="dor no peito", external_id="1"
    )
    (event,) = await events_after(clinics.aurora, 0)
    assert "dor" not in str(event)
    assert "Paula" not in str(event)
