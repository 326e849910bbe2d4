"""A socket client without a browser that polls."""

import asyncio
import json

import aiohttp

from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from tests.support.socket_client import ANSWER_SECONDS, NAMESPACE, PATH


class Polling:
    """A session of Engine.IO over HTTP; it answers no pings by itself."""

    def __init__(self, origin: str, cookie: str, session: aiohttp.ClientSession) -> None:
        self._url = f"{origin}{PATH}?token=t&EIO=4&transport=polling"
        self._headers = {"Cookie": f"{COOKIE_NAME}={cookie}"}
        self._session = session
        self.sid = ""
        self._heard = ""

    async def enter(self, auth: object = None) -> None:
        """Open a session and enter the namespace, with what a page says about itself."""
        greeting = await self.poll()
        self.sid = json.loads(greeting[1:])["sid"]
        self._url += f"&sid={self.sid}"
        await self.send(f"40{NAMESPACE},{json.dumps(auth or {})}")
        assert f"40{NAMESPACE}" in await self.poll()

    async def send(self, frame: str) -> None:
        """Send a frame."""
        async with self._session.post(self._url, data=frame, headers=self._headers) as answer:
            assert answer.status == 200

    async def hears(self, text: str) -> None:
        """Poll until something that the server has sent has this text, and answer its pings."""
        async with asyncio.timeout(ANSWER_SECONDS):
            while text not in self._heard:
                if "2" in (await self.poll()).split("\x1e"):
                    await self.send("3")

    async def poll(self) -> str:
        """What the server sends next."""
        async with self._session.get(self._url, headers=self._headers) as answer:
            assert answer.status == 200
            frames = await answer.text()
        self._heard += frames
        return frames
