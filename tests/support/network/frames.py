"""What goes over a page's sockets, for tests about what must never reach a browser."""

import asyncio
import re

from playwright.async_api import Page, WebSocket

ANSWER_SECONDS = 20
_QUESTION = re.compile(r'^42/_event,(\d+)\["([a-z:-]+)"')
_ANSWER = re.compile(r"^43/_event,(\d+)\[")


def received_by(page: Page) -> list[str]:
    """A list that grows with every frame of the sockets that the page opens from now on."""
    frames: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda data: frames.append(_text(data)))

    page.on("websocket", listen)
    return frames


def sent_by(page: Page) -> list[str]:
    """A list that grows with every frame that the page's sockets send, from its next load on."""
    frames: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda data: frames.append(_text(data)))

    page.on("websocket", listen)
    return frames


class Questions:
    """What a page has asked the server and whether it was answered, from its next load on."""

    def __init__(self, page: Page) -> None:
        self._open: dict[str, str] = {}
        self._answered: set[str] = set()
        self.names: set[str] = set()
        """What has been asked at all."""
        self._news = asyncio.Event()
        page.on("websocket", self._listen)

    async def answered(self, *names: str) -> None:
        """Return when each of these was asked and answered, and nothing is open any more."""
        async with asyncio.timeout(ANSWER_SECONDS):
            while self._open or not self._answered.issuperset(names):
                self._news.clear()
                await self._news.wait()

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda data: self._sent(_text(data)))
        socket.on("framereceived", lambda data: self._received(_text(data)))

    def _sent(self, frame: str) -> None:
        if asked := _QUESTION.match(frame):
            self._open[asked[1]] = asked[2]
            self.names.add(asked[2])

    def _received(self, frame: str) -> None:
        if answer := _ANSWER.match(frame):
            self._answered.add(self._open.pop(answer[1], ""))
            self._news.set()


def _text(data: str | bytes) -> str:
    return data if isinstance(data, str) else data.decode(errors="replace")
