"""A new patient's conversation, and people who look at it."""

from dataclasses import dataclass
from typing import Any

from playwright.async_api import Page

from tests.browser.conftest import Visit
from tests.support.browser.pages import thread_of
from tests.support.channel import Channel, Delivered
from tests.support.people import Patient, new_patient


@dataclass(frozen=True)
class Talk:
    """The patient wrote "Mensagem 1", "Mensagem 2" … and nobody has answered."""

    patient: Patient
    conversation_id: str
    channel: Channel

    @classmethod
    async def begin(cls, channel: Channel, messages: int = 1) -> "Talk":
        """Have a new patient write for the first time."""
        patient = new_patient()
        for number in range(1, messages + 1):
            written = await channel.deliver(patient, f"Mensagem {number}")
        return cls(patient, written.conversation_id, channel)

    @property
    def name(self) -> str:
        """The patient's name."""
        return self.patient.name

    @property
    def path(self) -> str:
        """The conversation's address."""
        return f"/c/{self.conversation_id}"

    async def goes_on(self, body: str) -> Delivered:
        """The patient writes again."""
        return await self.channel.deliver(self.patient, body)

    async def opened_by(self, visit: Visit, who: str, **options: Any) -> Page:
        """Open the conversation on a device of a person."""
        page = await visit(who, self.path, **options)
        await thread_of(page, self.name)
        return page


async def another_tab(page: Page, talk: Talk) -> Page:
    """The conversation in a second tab of the same browser."""
    tab = await page.context.new_page()
    await tab.goto(talk.path)
    await thread_of(tab, talk.name)
    return tab
