"""The id of an HTTP request: in its log lines and its answer, and never what a stranger wrote."""

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import structlog
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from clinic_chat.api.request_ids import RequestIds
from clinic_chat.logs import configure_logging
from clinic_chat.web.peers import PEER

PROXY, STRANGER = "192.0.2.1", "192.0.2.2"
MADE = re.compile(r"[0-9a-f]{16}")
UUID_OF_A_PROXY = "0b6c1f2e-7a83-4b1e-9f43-2f6a5d0c9b11"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is written to the log."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging("INFO", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    structlog.get_logger("clinic_chat.test").info("first")
    structlog.get_logger("clinic_chat.test").info("second")
    logging.getLogger("uvicorn.error").info("of a library")
    await PlainTextResponse("page")(scope, receive, send)


async def ask(headers: Any = (), *, client: str = PROXY, peer: str | None = None) -> str:
    """The id in the answer."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        if peer:
            scope[PEER] = (peer, 1)
        await RequestIds(application, PROXY)(scope, receive, send)

    transport = httpx.ASGITransport(served, client=(client, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://inbox.example") as web:
        answer = await web.get("/", headers=list(headers))
    assert answer.text == "page"
    return answer.headers["x-request-id"]


async def test_every_line_of_a_request_has_the_id_of_its_answer(log: io.StringIO) -> None:
    first, second = await ask(), await ask()
    structlog.get_logger("clinic_chat.test").info("afterwards")

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line.get("request_id") for line in lines] == [first] * 3 + [second] * 3 + [None]
    assert first != second
    assert MADE.fullmatch(first)


@pytest.mark.parametrize("given", [UUID_OF_A_PROXY, "0123456789abcdef0123456789ABCDEF"])
async def test_the_id_of_a_trusted_proxy_is_kept(given: str) -> None:
    assert await ask([("X-Request-ID", given)]) == given


async def test_who_asks_through_a_proxy_is_not_the_proxy() -> None:
    given = [("X-Request-ID", UUID_OF_A_PROXY)]

    assert await ask(given, client=STRANGER, peer=PROXY) == UUID_OF_A_PROXY
    assert MADE.fullmatch(await ask(given, client=PROXY, peer=STRANGER))
    assert MADE.fullmatch(await ask(given, client=STRANGER))


@pytest.mark.parametrize(
    "given",
    [
        "",
        "abcdef",
        "f" * 65,
        "maria-souza-da-silva-x",
        "0123456789abcdef\t0123456789abcdef",
        "0123456789abcdef; rm -rf /",
        "é" * 20,
    ],
)
async def test_an_id_that_is_none_is_replaced(given: str) -> None:
    assert MADE.fullmatch(await ask([("X-Request-ID", given.encode("latin-1"))]))


async def test_of_several_ids_none_is_taken() -> None:
    several = [("X-Request-ID", UUID_OF_A_PROXY), ("X-Request-ID", UUID_OF_A_PROXY)]

    assert MADE.fullmatch(await ask(several))
