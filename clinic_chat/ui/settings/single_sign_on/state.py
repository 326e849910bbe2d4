"""State of the single sign-on screen."""

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import reflex as rx

from clinic_chat.domain.accounts.second_factors.authenticator_app import Seal
from clinic_chat.domain.single_sign_on.providers import provider_seal
from clinic_chat.domain.single_sign_on.settings import (
    WantedProvider,
    check_provider,
    list_linked_people,
    read_provider,
    remove_provider,
    save_provider,
    unlink_person,
)
from clinic_chat.outbound.client import Outbound
from clinic_chat.realtime.gate import exposed
from clinic_chat.settings import get_settings
from clinic_chat.ui.settings.actions import acting, count_attempt, refusals, text_of


@dataclass(frozen=True)
class LinkedRow:
    """A person who came from the provider, on the screen."""

    id: str
    name: str
    email: str
    linked_at: str


class SingleSignOn(rx.State):
    """The clinic's provider as it is stored, without its secret."""

    issuer: str = ""
    client_id: str = ""
    is_enabled: bool = True
    is_set: bool = False
    is_readable: bool = True
    """Whether the stored secret can be opened."""
    people: list[LinkedRow] = []  # noqa: RUF012 - Reflex copies the default
    ready: bool = False
    error: str = ""
    """The code of what refused the last act, "" for nothing."""
    done: str = ""
    """What was done last: `saved`, `removed`, `unlinked`, or `fine` after a check."""
    problems: list[str] = []  # noqa: RUF012
    """The codes of what a check found."""
    found_issuer: str = ""
    """What the provider called itself then."""
    asked: str = ""
    """What the person is asked about: `provider`, or somebody's id."""
    form: int = 0
    """Counts the times that the form begins anew."""
    secrets: int = 0
    """Counts the secrets that were stored, after each of which the field is empty."""

    @exposed
    async def load(self) -> None:
        """Read the provider."""
        self._begin()
        self.form += 1
        await self._read()

    @exposed
    async def save(self, form: dict[str, Any]) -> None:
        """Set the provider, and look at it."""
        self._begin()
        async with refusals(self):
            wanted = WantedProvider(
                text_of(form, "issuer"),
                text_of(form, "client_id"),
                text_of(form, "client_secret"),
                bool(form.get("is_enabled")),
            )
            await save_provider(acting(), _seal(), wanted)
            self.done = "saved"
            self.secrets += 1
            await self._read()
            await self._check()

    @exposed
    async def check(self) -> None:
        """Look at the provider."""
        self._begin()
        async with refusals(self):
            await self._check()
            if not self.problems:
                self.done = "fine"

    @exposed
    async def ask(self, about: str) -> None:
        """Ask before something is removed; "" asks no more."""
        self.asked = str(about)

    @exposed
    async def remove(self) -> None:
        """Forget the provider."""
        self._begin()
        async with refusals(self):
            await remove_provider(acting())
            self.done = "removed"
            self.form += 1
        await self._read()

    @exposed
    async def unlink(self, user_id: str) -> None:
        """Forget a person's account at the provider."""
        self._begin()
        async with refusals(self):
            await unlink_person(acting(), user_id)
            self.done = "unlinked"
        await self._read()

    def _begin(self) -> None:
        self.error = self.done = self.asked = self.found_issuer = ""
        self.problems = []

    async def _check(self) -> None:
        count_attempt()
        found = await check_provider(acting(), _outbound(), self.issuer)
        self.problems = found.problems
        self.found_issuer = found.issuer

    async def _read(self) -> None:
        async with refusals(self):
            found = await read_provider(acting(), _seal())
            self.is_set = found is not None
            self.issuer = found.issuer if found else ""
            self.client_id = found.client_id if found else ""
            self.is_enabled = found.is_enabled if found else True
            self.is_readable = found.is_readable if found else True
            self.people = [LinkedRow(**asdict(one)) for one in await list_linked_people(acting())]
            self.ready = True


def _seal() -> Seal:
    return provider_seal(get_settings().signing_key())


@lru_cache(maxsize=1)
def _outbound() -> Outbound:
    settings = get_settings()
    return Outbound(settings.outbound_private_hosts, settings.outbound_ca_file)
