"""A conversation between two staff members and a patient, with one of them on a bad network."""

from contextlib import closing
from dataclasses import dataclass
from typing import Self

from playwright.async_api import Page, expect

from clinic_chat.storage.sqlite.library import sqlite3
from tests.browser.conftest import Visit
from tests.support.browser.badge import CONNECTED, WATCH_BADGE, badge_is
from tests.support.browser.pages import answer, bodies, message, messages, thread_of
from tests.support.channel import Channel
from tests.support.network.connect_attempts import RECORD_ATTEMPTS
from tests.support.network.proxy import Proxy
from tests.support.people import ANA, BRUNO, Patient, new_patient
from tests.support.servers.restartable_server import QuickServer
from tests.support.servers.server import Server

# What Chromium says of requests that a test makes fail.
NETWORK = (
    r"WebSocket (connection to .* failed|is already in CLOSING)"
    r"|Failed to load resource: (net::|the server responded with a status of 400)"
)
SCRIPT = RECORD_ATTEMPTS + WATCH_BADGE


@dataclass
class Scene:
    """Ana writes through the proxy, Bruno directly; both look at the same conversation."""

    ana: Page
    bruno: Page
    patient: Patient
    conversation_id: str
    channel: Channel
    server: Server | QuickServer
    rounds: int = 0

    @classmethod
    async def open(
        cls,
        visit: Visit,
        proxy: Proxy,
        server: Server | QuickServer,
        channel: Channel,
        script: str = "",
    ) -> Self:
        """Both pages, live, with one message of a new patient."""
        patient = new_patient()
        first = await channel.deliver(patient, "Bom dia")
        path = f"/c/{first.conversation_id}"
        ana = await visit(ANA, path, at=proxy, script=SCRIPT + script)
        bruno = await visit(BRUNO, path, at=server)
        for page in (ana, bruno):
            await thread_of(page, patient.name)
        return cls(ana, bruno, patient, first.conversation_id, channel, server)

    async def talk(self) -> None:
        """Everybody writes one message; whether Ana's goes out now is the network's business."""
        await self.ana_writes()
        await self.others_write()

    async def ana_writes(self) -> str:
        """Ana writes the next message; its text."""
        self.rounds += 1
        text = f"Ana {self.rounds}"
        await answer(self.ana, text)
        await expect(message(self.ana, text)).to_be_visible()
        return text

    async def others_write(self) -> None:
        """The patient and Bruno answer."""
        await self.channel.deliver(self.patient, f"Paciente {self.rounds}")
        await answer(self.bruno, f"Bruno {self.rounds}")
        await expect(message(self.bruno, f"Bruno {self.rounds}")).to_be_visible()

    async def agree(self) -> None:
        """Everything was written once, in each author's order, and both screens show just that."""
        for page in (self.ana, self.bruno):
            await badge_is(page, CONNECTED, within=30)
            await expect(messages(page)).to_have_count(1 + 3 * self.rounds, timeout=30_000)
            await expect(
                page.locator(
                    "[data-testid=message]:is([data-status=sending], [data-status=waiting])"
                )
            ).to_have_count(0)
        stored = stored_bodies(self.server, self.conversation_id)
        for page in (self.ana, self.bruno):
            assert await bodies(page) == stored
        assert len(stored) == 1 + 3 * self.rounds
        for author in ("Ana", "Paciente", "Bruno"):
            assert [body for body in stored if body.startswith(author)] == [
                f"{author} {number}" for number in range(1, self.rounds + 1)
            ]


def stored_bodies(server: Server | QuickServer, conversation_id: str) -> list[str]:
    """The messages of a conversation as the server's database has them."""
    with closing(sqlite3.connect(server.database)) as connection:
        rows = connection.execute(
            "SELECT body FROM messages WHERE conversation_id = ? ORDER BY seq",
            (conversation_id.replace("-", ""),),
        )
        return [body for (body,) in rows]
