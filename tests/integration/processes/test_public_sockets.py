"""Programs at one process hear what happens at the other, and move when theirs is killed."""

import asyncio
from uuid import uuid4

import pytest

from clinic_chat.domain.accounts.api_tokens import create_token, revoke_token
from tests.conftest import Clinics
from tests.integration.processes.conftest import Pair
from tests.support.program import Program, connected

QUICK_SECONDS = 2.0


async def program_at(pair: Pair, origin: str, token: str) -> Program:
    """A program that has joined the conversation at one of the processes."""
    program = await connected(origin, "aurora", {"token": token})
    await program.ask("conversation:join", {"conversationId": pair.conversation})
    return program


@pytest.fixture
async def token(clinics: Clinics) -> str:
    """A token of Aurora."""
    return await create_token(clinics.database, clinics.aurora.clinic_id, name="Quiosque")


async def test_messages_typing_and_presence_cross(pair: Pair, token: str) -> None:
    one = await program_at(pair, pair.one.origin, token)
    other = await program_at(pair, pair.other.origin, token)
    async with asyncio.timeout(QUICK_SECONDS):
        sent = await one.ask(
            "message:send",
            {"conversationId": pair.conversation, "clientId": "1", "body": "De um processo"},
        )
        told = await other.gets("message:new", message=sent["message"])
        await one.ask("typing:start", {"conversationId": pair.conversation})
        await other.gets("typing:start", userName="Quiosque")
        await one.ask("typing:stop", {"conversationId": pair.conversation})
        await other.gets("typing:stop")
        ana = await pair.sits_down("ana", pair.one)
        await other.gets("user:online", userName="Ana Souza")
        await ana.types()
        await other.gets("typing:start", userName="Ana Souza")
    for program in (one, other):
        await program.client.eio.disconnect(abort=True)

    assert told["seq"] == 2


async def test_a_revoked_token_ends_in_both(pair: Pair, clinics: Clinics, token: str) -> None:
    both = [await program_at(pair, server.origin, token) for server in (pair.one, pair.other)]

    await revoke_token(clinics.database, token)

    async with asyncio.timeout(10):
        for program in both:
            await program.left.wait()


async def test_what_came_while_its_process_was_killed_is_not_missed(pair: Pair, token: str) -> None:
    program = await program_at(pair, pair.one.origin, token)
    ana = await pair.sits_down("ana", pair.other)
    first = await ana.does("message:send", clientId=str(uuid4()), body="Antes")
    seq = (await program.gets("message:new"))["seq"]
    pair.one.kill()
    await ana.does("message:send", clientId=str(uuid4()), body="Enquanto isso")
    moved = await program_at(pair, pair.other.origin, token)

    missed = await moved.ask("events:since", {"seq": seq})
    await moved.client.eio.disconnect(abort=True)

    assert "message" in first
    bodies = [e["message"]["body"] for e in missed["events"] if e["type"] == "message:new"]
    assert bodies == ["Enquanto isso"]
