"""A client of the floors: hears what is said to everybody."""

from typing import Any

import orjson

from tests.load.clients.connection import Connection
from tests.load.clients.deliveries import Deliveries, Message

PATH = "/socket.io/?EIO=4&transport=websocket"


class Room:
    """What the clients of one floor share; `size` is how many bytes an event has."""

    def __init__(self, size: int) -> None:
        self.deliveries = Deliveries()
        self._size = size
        self._last: tuple[bytes, Message | None] = (b"", None)

    def content(self, text: str) -> dict[str, Any]:
        """What to say, so that the event is as long as the product's are together."""
        bare = len(orjson.dumps(["said", {"text": text, "fill": ""}]))
        return {"text": text, "fill": "x" * max(0, self._size - bare)}

    def find(self, event: bytes) -> Message | None:
        """The message in an event; the last one is not decoded again."""
        if event != self._last[0]:
            self._last = (event, self.deliveries.find(orjson.loads(event)[1]["text"]))
        return self._last[1]


class Listener(Connection):
    """One client in the room."""

    def __init__(self, host: str, room: Room) -> None:
        super().__init__(host, PATH)
        self._room = room

    def heard(self, event: bytes, at: float) -> None:
        message = self._room.find(event)
        if message is not None:
            message.received.append(at)
