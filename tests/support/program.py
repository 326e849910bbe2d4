"""A program at a clinic's namespace: the client of python-socketio, which others use too."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import socketio

SECONDS = 10.0


@dataclass
class Program:
    """A connected program; `events` is every event that it got, in order."""

    client: socketio.AsyncClient
    namespace: str
    refusal: Any = None
    """What it got instead of being let in."""
    events: list[dict[str, Any]] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server has ended the connection to the namespace."""

    async def ask(self, event: str, data: Any = None) -> dict[str, Any]:
        """Send a command; its acknowledgement."""
        answer: dict[str, Any] = await self.client.call(
            event, {} if data is None else data, namespace=self.namespace, timeout=SECONDS
        )
        return answer

    async def gets(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The first event of a type with these fields."""

        def found() -> dict[str, Any] | None:
            return next(
                (
                    event
                    for event in self.events
                    if event["type"] == kind
                    and all(event.get(name) == value for name, value in fields.items())
                ),
                None,
            )

        async with asyncio.timeout(SECONDS), self.news:
            await self.news.wait_for(lambda: found() is not None)
        event = found()
        assert event is not None
        return event

    async def heard(self, data: dict[str, Any]) -> None:
        """Keep an event."""
        async with self.news:
            self.events.append(data)
            self.news.notify_all()


async def connected(
    origin: str, clinic: str, auth: dict[str, Any], transport: str = "websocket"
) -> Program:
    """A program in a clinic's namespace.

    Raises:
        ProgramRefused: it was refused.
    """
    client = socketio.AsyncClient(reconnection=False)
    program = Program(client, f"/clinic/{clinic}")

    async def hear(_event: str, data: dict[str, Any]) -> None:
        await program.heard(data)

    async def refused(data: Any) -> None:
        program.refusal = data

    async def ended(*_: object) -> None:
        program.left.set()

    client.on("disconnect", ended, namespace=program.namespace)
    client.on("*", hear, namespace=program.namespace)
    client.on("connect_error", refused, namespace=program.namespace)
    try:
        await client.connect(
            origin,
            auth=auth,
            namespaces=[program.namespace],
            socketio_path="/_event",
            transports=[transport],
            wait_timeout=SECONDS,
        )
    except socketio.exceptions.ConnectionError:
        await client.disconnect()
        raise ProgramRefused(program.refusal) from None
    return program


class ProgramRefused(Exception):
    """A program was not let in; `data` is what it got instead."""

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        self.data = data
