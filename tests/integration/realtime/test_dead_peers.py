"""A client that does not answer any more is noticed, whatever it is connected by."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic

import aiohttp
import httpx
import pytest

from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from clinic_chat.realtime.presence.online import GRACE_SECONDS
from tests.conftest import PASSWORD, Clinics
from tests.support.network.polling import Polling
from tests.support.servers.forked_server import ForkedServer
from tests.support.socket_client import NAMESPACE, PATH, Wire, follows

NOTICED_SECONDS = 15
PING = "2"


@pytest.fixture
def server(clinics: Clinics, database_path: Path, tmp_path: Path) -> Iterator[ForkedServer]:
    with ForkedServer(database_path, tmp_path / "server.log") as server:
        server.start()
        yield server


async def test_a_client_that_answers_no_pings_is_dropped_in_time(
    server: ForkedServer, record_property: Callable[[str, object], None]
) -> None:
    ana, bruno = [await _sign_in(server, name) for name in ("ana", "bruno")]

    by_websocket, by_polling = await asyncio.gather(
        _silent_websocket(server, ana), _silent_polling(server, bruno, seen_by=ana)
    )

    assert by_websocket < NOTICED_SECONDS
    assert by_polling < NOTICED_SECONDS
    record_property(
        "a client that answers no pings is dropped after",
        f"{by_websocket:.1f} s by websocket, {by_polling:.1f} s by polling",
    )


async def _sign_in(server: ForkedServer, name: str) -> str:
    async with httpx.AsyncClient(base_url=server.origin, timeout=30) as client:
        form = {"email": f"{name}@aurora.example", "password": PASSWORD}
        return (await client.post("/auth/login", data=form)).cookies[COOKIE_NAME]


async def _silent_websocket(server: ForkedServer, cookie: str) -> float:
    """Seconds until a client that only listens is dropped."""
    async with (
        aiohttp.ClientSession(headers={"Cookie": f"{COOKIE_NAME}={cookie}"}) as session,
        session.ws_connect(f"{server.origin}{PATH}?token=w&EIO=4&transport=websocket") as socket,
    ):
        await socket.receive_str()
        await socket.send_str(f"40{NAMESPACE},{{}}")
        begun = monotonic()
        with suppress(TypeError):
            # Until what comes is no text but the end.
            while await socket.receive_str():
                pass
        return monotonic() - begun


async def _silent_polling(server: ForkedServer, cookie: str, *, seen_by: str) -> float:
    """Seconds until colleagues are told that a client is gone, without presence's own grace."""
    observer = await Wire.join(server, seen_by, follows())
    async with aiohttp.ClientSession() as session:
        client = Polling(server.origin, cookie, session)
        await client.enter(follows())
        begun = monotonic()
        arrival = await observer.wait_for(
            lambda frame: '"user:online"' in frame and "Bruno" in frame
        )
        since = observer.frames.index(arrival)
        while await client.poll() != PING:
            pass
        await observer.wait_for(lambda frame: '"user:offline"' in frame and "Bruno" in frame, since)
        seconds = monotonic() - begun - GRACE_SECONDS
    await observer.close()
    return seconds
