"""The examples of docs/examples, with the official clients of Node and Python."""

import asyncio
import json
import os
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from clinic_chat.settings import PROJECT_ROOT
from tests.integration.realtime.public.programs import PublicDoor, door, limits, place
from tests.support.program import SECONDS
from tests.support.servers.own_server import HOST

__all__ = ["door", "limits", "place"]
EXAMPLES = PROJECT_ROOT / "docs" / "examples"
MODULES = PROJECT_ROOT / ".web" / "node_modules"


@asynccontextmanager
async def running(door: PublicDoor, token: str, *command: object) -> AsyncIterator[Process]:
    """An example as a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        env={
            **os.environ,
            "CLINIC_CHAT_URL": f"http://{HOST}:{door.place.port}",
            "CLINIC_CHAT_TOKEN": token,
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def line(process: Process) -> str:
    """The next line that a process prints."""
    assert process.stdout is not None
    async with asyncio.timeout(SECONDS * 2):
        said = await process.stdout.readline()
    if not said:
        assert process.stderr is not None
        raise AssertionError((await process.stderr.read()).decode())
    return said.decode().strip()


async def event(process: Process, kind: str) -> dict[str, Any]:
    """The next event of a type that the Node example prints."""
    while True:
        found: dict[str, Any] = json.loads(await line(process))
        if found["type"] == kind:
            return found


@pytest.fixture
def node_example(tmp_path: Path) -> Path:
    """The Node example beside the npm package that the build has installed."""
    assert (MODULES / "socket.io-client").is_dir()
    (tmp_path / "node_modules").symlink_to(MODULES)
    return Path(shutil.copy(EXAMPLES / "follow_clinic.mjs", tmp_path))


async def test_the_node_example_follows_a_clinic(door: PublicDoor, node_example: Path) -> None:
    token = await door.token()
    async with running(door, token, "node", node_example, "aurora") as process:
        past = await event(process, "message:new")
        await door.patient_writes("Bom dia")
        live = await event(process, "conversation:updated")
        while live["updates"]["preview"] != "Bom dia":
            live = await event(process, "conversation:updated")
    for body in ("Um", "Dois"):
        await door.patient_writes(body)
    async with running(door, token, "node", node_example, "aurora", live["seq"]) as process:
        missed = [await event(process, "message:new") for _ in range(2)]

    assert past["message"]["body"] == "Olá"
    assert [one["message"]["body"] for one in missed] == ["Um", "Dois"]


async def test_the_node_client_is_told_why_it_is_refused(
    door: PublicDoor, node_example: Path
) -> None:
    async with running(door, "cc_wrong", "node", node_example, "aurora") as process:
        assert process.stderr is not None
        async with asyncio.timeout(SECONDS * 2):
            said = (await process.stderr.readline()).decode()

    assert "unauthorized" in said


async def test_the_python_example_answers_each_message_once(door: PublicDoor) -> None:
    token = await door.token()
    example = (sys.executable, EXAMPLES / "answer_patients.py", "aurora", door.conversation)
    async with running(door, token, *example) as process:
        first = await line(process)
        await door.patient_writes("Bom dia")
        second = await line(process)
    async with running(door, token, *example) as process:
        again = [await line(process) for _ in range(2)]

    program = await door.connect(token)
    page = await program.ask("message:page", {"conversationId": door.conversation})
    answers = [m["body"] for m in page["messages"] if m["direction"] == "outbound"]
    assert [first, second] == again == answers == ["Recebemos: Olá", "Recebemos: Bom dia"]
