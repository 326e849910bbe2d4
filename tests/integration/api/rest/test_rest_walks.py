"""A walk through the pages of a list meets everything exactly once, while others write."""

import asyncio
from collections import Counter

from tests.integration.api.api_fixtures import ClinicApi
from tests.integration.api.rest.program import Program, faults

FIRST = 25


async def writes(program: Program, until: asyncio.Event, phones: list[str]) -> int:
    """Messages to old conversations and new ones, until told to stop. Returns their number."""
    number = 0
    while not until.is_set() or not number:
        await program.deliver(phones[number % len(phones)])
        await program.deliver(f"+5521987{number:06}")
        number += 1
    return number


async def test_every_conversation_and_patient_is_met_once(api: ClinicApi, program: Program) -> None:
    phones = [f"+55119876{number:05}" for number in range(FIRST)]
    before = {(await program.deliver(phone))["conversationId"] for phone in phones}
    done = asyncio.Event()
    writing = asyncio.create_task(writes(program, done, phones))

    walked = await program.pages("/conversations", "conversations", limit=2, sort="created")
    resolved = await program.pages(
        "/conversations", "conversations", limit=2, sort="created", status="open", assignee="none"
    )
    patients = await program.pages("/patients", "patients", limit=2)
    done.set()

    assert await writing > 1
    for found in (walked, resolved, patients):
        assert set(Counter(one["id"] for one in found).values()) == {1}
    for found in (walked, resolved):
        assert before <= {one["id"] for one in found}
    assert set(phones) <= {one["phone"] for one in patients}
    assert await faults(api) == []


async def test_what_is_active_during_a_walk_is_at_the_front_afterwards(program: Program) -> None:
    phones = [f"+55119876{number:05}" for number in range(6)]
    ids = [(await program.deliver(phone))["conversationId"] for phone in phones]

    page = await program.get("/conversations", limit=2)
    await program.deliver(phones[0])
    rest: list[dict[str, str]] = []
    cursor = page["nextCursor"]
    while cursor:
        page = await program.get("/conversations", limit=2, cursor=cursor)
        rest += page["conversations"]
        cursor = page["nextCursor"]

    assert [row["id"] for row in rest] == ids[3:0:-1]
    assert (await program.get("/conversations", limit=1))["conversations"][0]["id"] == ids[0]


async def test_every_message_is_met_once_forwards_and_backwards(program: Program) -> None:
    phone = "+5511987654321"
    its = ""
    for number in range(11):
        its = (await program.deliver(phone, f"{number}"))["conversationId"]
    path = f"/conversations/{its}/messages"
    done = asyncio.Event()
    writing = asyncio.create_task(writes(program, done, [phone]))

    backwards: list[int] = []
    before = 2**62 - 1
    while before > 1:
        page = await program.get(path, before=before, limit=3)
        backwards = [message["seq"] for message in page["messages"]] + backwards
        before = backwards[0]
    forwards: list[int] = []
    after = 0
    while after < 11:
        page = await program.get(path, after=after, limit=3)
        forwards += [message["seq"] for message in page["messages"]]
        after = forwards[-1]
    done.set()

    await writing
    assert backwards == list(range(1, backwards[-1] + 1))
    assert forwards == list(range(1, after + 1))
