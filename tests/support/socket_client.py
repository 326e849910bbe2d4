"""A socket without a browser, which sends what no page of ours would."""

import asyncio
import json
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self
from uuid import uuid4

import aiohttp

from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from tests.support.servers.server import Reached

PATH = "/_event/"
NAMESPACE = "/_event"
ANSWER_SECONDS = 20
_ANSWER = re.compile(rf"^43{NAMESPACE},(\d+)(\[.*\])$", re.DOTALL)


class Refused(Exception):
    """The server did not let the socket into the namespace, with its reason."""


def follows(conversation_id: str = "") -> dict[str, Any]:
    """What a page says at connect that shows the list, and a conversation where one is named."""
    feeds = {"conversations": {"key": "inbox"}}
    if conversation_id:
        feeds["messages"] = {"key": conversation_id}
    return {"live": feeds}


class Wire:
    """A websocket to the server; `frames` is every text it has received.

    `over` says that the server, or we, have closed it.
    """

    def __init__(self, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse):
        self.frames: list[str] = []
        self._session = session
        self._socket = socket
        self._news = asyncio.Condition()
        self._asked = 0
        self.over = False
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def open(
        cls,
        server: Reached,
        cookie: str | None = None,
        *,
        origin: str | None = None,
        token: str | None = None,
    ) -> Self:
        """Connect to Engine.IO; nobody is asked who this is yet.

        Raises:
            aiohttp.WSServerHandshakeError: the server refused.
        """
        headers = {"Cookie": f"{COOKIE_NAME}={cookie}"} if cookie is not None else {}
        if origin is not None:
            headers["Origin"] = origin
        query = f"token={token or uuid4()}&EIO=4&transport=websocket"
        session = aiohttp.ClientSession()
        try:
            socket = await session.ws_connect(
                f"{server.origin}{PATH}?{query}", headers=headers, max_msg_size=0
            )
        except BaseException:
            await session.close()
            raise
        return cls(session, socket)

    @classmethod
    async def join(
        cls, server: Reached, cookie: str | None, auth: object = None, **options: Any
    ) -> Self:
        """Connect and enter the namespace of the pages, with what a page says about itself.

        Raises:
            Refused: with the server's reason.
        """
        wire = await cls.open(server, cookie, **options)
        await wire.enter(auth)
        return wire

    async def enter(self, auth: object = None) -> None:
        """Enter the namespace of the pages, with what a page says about itself in `auth`."""
        since = len(self.frames)
        await self.send(f"40{NAMESPACE},{json.dumps(auth or {})}")
        answer = await self.wait_for(
            lambda frame: frame.startswith((f"40{NAMESPACE}", f"44{NAMESPACE}")), since
        )
        if answer.startswith("44"):
            await self.close()
            raise Refused(json.loads(answer.removeprefix(f"44{NAMESPACE},"))["message"])

    async def send(self, frame: str | bytes) -> None:
        """Send a frame as it is; one that the server has closed the socket to goes nowhere."""
        with suppress(ConnectionError):
            if isinstance(frame, str):
                await self._socket.send_str(frame)
            else:
                await self._socket.send_bytes(frame)

    async def ask(self, event: str, *arguments: object) -> Any:
        """Send an event and return the server's answer."""
        self._asked += 1
        number = self._asked
        await self.send(f"42{NAMESPACE},{number}{json.dumps([event, *arguments])}")

        def answers(frame: str) -> bool:
            found = _ANSWER.match(frame)
            return found is not None and int(found[1]) == number

        found = _ANSWER.match(await self.wait_for(answers))
        assert found
        (answer,) = json.loads(found[2])
        return answer

    async def state_event(self, name: str, payload: object = None, path: str = "/") -> None:
        """Send a state event of Reflex as its front end does."""
        where = {"pathname": path, "asPath": path, "query": {}}
        event = {"name": name, "payload": payload or {}, "router_data": where}
        await self.send(f"42{NAMESPACE},{json.dumps(['event', event])}")

    async def wait_for(self, wanted: Callable[[str], bool], since: int = 0) -> str:
        """The first frame from number `since` on that is wanted.

        Raises:
            ConnectionError: the socket closed before.
        """

        def found() -> str | None:
            return next((frame for frame in self.frames[since:] if wanted(frame)), None)

        async with asyncio.timeout(ANSWER_SECONDS), self._news:
            await self._news.wait_for(lambda: found() or self.over)
        if frame := found():
            return frame
        raise ConnectionError("the server closed the socket")

    async def closed(self) -> None:
        """Return when the server has closed the socket."""
        await asyncio.wait_for(asyncio.shield(self._reader), ANSWER_SECONDS)

    async def close(self) -> None:
        """Close the socket."""
        await self._socket.close()
        await self._reader
        await self._session.close()

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    if message.data == "2":
                        await self.send("3")
                    await self._heard(message.data)
        finally:
            self.over = True
            await self._heard(None)

    async def _heard(self, frame: str | None) -> None:
        async with self._news:
            if frame is not None:
                self.frames.append(frame)
            self._news.notify_all()
