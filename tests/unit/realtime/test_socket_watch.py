"""The watch over connections: whoever keeps it waiting keeps nobody else waiting."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from engineio.exceptions import SocketIsClosedError

from clinic_chat.realtime.transport import heartbeat as watch
from clinic_chat.realtime.transport.heartbeat import watch_peers

WAIT_SECONDS = 5


class Connection:
    """What the watch knows of a connection whose ping is due."""

    closed = closing = False

    def __init__(self, checked: Callable[[], Awaitable[bool]]) -> None:
        self.check_ping_timeout = checked
        self.due = time.monotonic()


async def test_a_connection_whose_end_takes_for_ever_keeps_no_ping_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "CHECK_SECONDS", 0)
    never, ended, pinged = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def ends_for_ever() -> bool:
        ended.set()
        await never.wait()
        return False

    async def is_closed_already() -> bool:
        raise SocketIsClosedError

    async def answers() -> bool:
        await ended.wait()
        pinged.set()
        return True

    connections = (ends_for_ever, is_closed_already, answers)
    watching = asyncio.create_task(watch_peers(_server(*map(Connection, connections))))

    async with asyncio.timeout(WAIT_SECONDS):
        await pinged.wait()
    watching.cancel()
    await asyncio.wait([watching])
    assert watching.cancelled()


def _server(*connections: Connection) -> Any:
    sockets = {str(number): connection for number, connection in enumerate(connections)}
    return SimpleNamespace(eio=SimpleNamespace(sockets=sockets), overdue=list)
