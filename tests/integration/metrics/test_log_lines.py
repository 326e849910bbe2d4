"""What a production server writes: JSON, line by line, with the id of the request it is about."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.people import ANA
from tests.support.servers.server import Server

# The loop of the server that all tests share.
pytestmark = pytest.mark.asyncio(loop_scope="session")


async def refused_sign_in(server: Server, **headers: str) -> tuple[str, list[dict[str, Any]]]:
    """The id in the answer to a wrong password, and the lines that were written meanwhile."""
    before = len(server.log.read_text())
    form = {"email": ANA, "password": f"wrong {uuid4()}"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(base_url=server.origin, timeout=30) as web:
        answer = await web.post("/auth/login", data=form, headers=named)
    assert answer.headers["location"].startswith("/login?error=invalid")
    lines = server.log.read_text()[before:].splitlines()
    return answer.headers["x-request-id"], [json.loads(line) for line in lines]


async def test_the_lines_of_a_request_have_the_id_of_its_answer(server: Server) -> None:
    request_id, lines = await refused_sign_in(server)

    (refused,) = [line for line in lines if line["event"] == "sign_in.refused"]
    assert refused["request_id"] == request_id
    assert (await refused_sign_in(server))[0] != request_id


async def test_the_id_of_a_trusted_proxy_is_the_requests(server: Server) -> None:
    # The server's own machine is one, unless others are named.
    given = str(uuid4())
    request_id, lines = await refused_sign_in(server, X_Request_ID=given)

    assert request_id == given
    assert [line["request_id"] for line in lines if line["event"] == "sign_in.refused"] == [given]


async def test_every_line_is_an_object_with_its_time_level_and_place(server: Server) -> None:
    await refused_sign_in(server)
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]

    assert len(lines) > 3
    assert all({"event", "level", "logger", "timestamp"} <= line.keys() for line in lines)
