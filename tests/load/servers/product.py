"""Clinic Chat itself: its production server on a database of its own, and signed-in people."""

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

import httpx

from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from clinic_chat.settings import PROJECT_ROOT
from tests.load.servers.data import PASSWORD, ClinicData, fill
from tests.load.servers.process import Process
from tests.support.servers.ports import HOST, free_port

START_SECONDS = 120
CHECK_SECONDS = 0.1
# Sign-ins hash with Argon2id, which the server does two at a time.
SIGN_INS_AT_ONCE = 10
SIGN_IN_SECONDS = 300
SETTINGS = {
    "CLINIC_CHAT_SECRET_KEY": "only-for-load-and-nothing-else-at-all",
    "CLINIC_CHAT_LOGIN_ATTEMPTS_PER_MINUTE": "100000",
    "CLINIC_CHAT_SENDS_PER_MINUTE": "1000000",
    "CLINIC_CHAT_INBOUND_PER_MINUTE": "1000000",
    "CLINIC_CHAT_CONNECTS_PER_MINUTE": "1000000",
    "CLINIC_CHAT_EVENTS_PER_MINUTE": "1000000",
    "CLINIC_CHAT_REQUESTS_PER_MINUTE": "1000000",
    "CLINIC_CHAT_LOG_LEVEL": "WARNING",
}


class Product:
    """The production server. It may be stopped and started again; the port stays."""

    def __init__(
        self,
        folder: Path,
        profile: Path | None = None,
        observed: Path | None = None,
        database_url: str | None = None,
    ) -> None:
        self._folder = folder
        self.database_url = database_url or f"sqlite+aiosqlite:///{folder / 'clinic_chat.db'}"
        port = free_port()
        self.host = f"{HOST}:{port}"
        module = ["tests.load.servers.profiled", str(profile)] if profile else ["clinic_chat"]
        if observed:
            module = ["tests.load.servers.observed", str(observed)]
        address = ("--host", HOST, "--port", str(port))
        self._command = [sys.executable, "-m", *module, "serve", *address]
        self.settings = SETTINGS
        """Of the next start, without the database's."""
        self.clinics: list[ClinicData] = []
        self.process: Process

    @classmethod
    async def filled(
        cls,
        folder: Path,
        *,
        clinics: int,
        people: int,
        conversations: int,
        profile: Path | None,
        observed: Path | None = None,
        database_url: str | None = None,
    ) -> Self:
        """A server that is not started yet, with this many clinics, and of each the others."""
        product = cls(folder, profile, observed, database_url)
        product.clinics = await fill(product.database_url, clinics, people, conversations)
        return product

    async def start(self) -> None:
        """Start in a fresh process and return when it answers that it is ready."""
        self.process = Process(
            self._command, PROJECT_ROOT, self.environment(), self._folder / "server.log"
        )
        async with asyncio.timeout(START_SECONDS), httpx.AsyncClient() as client:
            while not await self._ready(client):
                if self.process.ended():
                    raise SystemExit(f"the server ended at its start:\n{self.process.tail()}")
                await asyncio.sleep(CHECK_SECONDS)

    def environment(self) -> dict[str, str]:
        """What the server and commands on its database are started with."""
        ours = {k: v for k, v in os.environ.items() if not k.startswith("CLINIC_CHAT_")}
        return ours | self.settings | {"CLINIC_CHAT_DATABASE_URL": self.database_url}

    def log_bytes(self) -> int:
        """How much the server has written."""
        return (self._folder / "server.log").stat().st_size

    async def signed_in(self) -> list[list[str]]:
        """Session cookies as of `sign_in`, for a server that has not started yet.

        The process that hashed the passwords ends, so that its memory is not measured.
        """
        await self.start()
        try:
            return await self.sign_in()
        finally:
            self.process.stop()

    async def sign_in(self) -> list[list[str]]:
        """A session cookie of every person, by clinic."""
        # So many passwords of one address may wait to be checked.
        few = asyncio.Semaphore(SIGN_INS_AT_ONCE)
        return [
            list(await asyncio.gather(*(self._cookie(email, few) for email in clinic.emails)))
            for clinic in self.clinics
        ]

    async def _cookie(self, email: str, few: asyncio.Semaphore) -> str:
        # A client of their own: who signs in with another session's cookie ends that session.
        async with few, httpx.AsyncClient(timeout=SIGN_IN_SECONDS) as client:
            answer = await client.post(
                f"http://{self.host}/auth/login",
                data={"email": email, "password": PASSWORD},
                headers={"Origin": f"http://{self.host}"},
            )
        cookie = answer.cookies.get(COOKIE_NAME)
        if cookie is None:
            raise SystemExit(f"{email} could not sign in: {answer.status_code} {answer.text}")
        return cookie

    async def _ready(self, client: httpx.AsyncClient) -> bool:
        with suppress(httpx.TransportError):
            return (await client.get(f"http://{self.host}/readyz")).status_code == 200
        return False
