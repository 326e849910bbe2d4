"""State of the screen of one's own account."""

from dataclasses import asdict, dataclass
from typing import Any

import reflex as rx

from clinic_chat.domain.administration.own_account import (
    change_name,
    change_password,
    end_browser,
    end_other_browsers,
    list_browsers,
)
from clinic_chat.domain.errors import RateLimited
from clinic_chat.realtime.connections import current_connection
from clinic_chat.realtime.gate import exposed
from clinic_chat.ui.settings.actions import acting, own_session, refusals, show, text_of


@dataclass(frozen=True)
class BrowserRow:
    """One of the person's sessions on the screen."""

    id: str
    clinic: str
    browser: str
    address: str
    signed_in_at: str
    seen_at: str
    is_this: bool


class OwnAccount(rx.State):
    """The person's name, password and sessions."""

    browsers: list[BrowserRow] = []  # noqa: RUF012 - Reflex copies the default
    ready: bool = False
    error: str = ""
    """The code of what refused the last act, "" for nothing."""
    done: str = ""
    """What was done last: `name` or `password`."""

    @exposed
    async def load(self) -> None:
        """Read where the person is signed in."""
        self.error = self.done = ""
        await self._read()

    @exposed
    async def save_name(self, form: dict[str, Any]) -> None:
        """Take another name."""
        self.error = self.done = ""
        async with refusals(self):
            name = await change_name(acting(), text_of(form, "name"))
            await show(self, user_name=name)
            self.done = "name"

    @exposed
    async def save_password(self, form: dict[str, Any]) -> None:
        """Set another password; other browsers are signed out."""
        self.error = self.done = ""
        async with refusals(self):
            if not current_connection().visitor.account.passwords.try_take():
                raise RateLimited
            await change_password(
                acting(), own_session(), text_of(form, "old"), text_of(form, "new")
            )
            self.done = "password"
        await self._read()

    @exposed
    async def end(self, session_id: str) -> None:
        """Sign out of one browser."""
        self.error = self.done = ""
        async with refusals(self):
            await end_browser(acting(), session_id)
        await self._read()

    @exposed
    async def end_others(self) -> None:
        """Sign out everywhere but here."""
        self.error = self.done = ""
        async with refusals(self):
            await end_other_browsers(acting(), own_session())
        await self._read()

    async def _read(self) -> None:
        async with refusals(self):
            self.browsers = [
                BrowserRow(**asdict(one)) for one in await list_browsers(acting(), own_session())
            ]
            self.ready = True
