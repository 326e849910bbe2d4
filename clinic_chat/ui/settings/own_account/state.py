"""State of the screen of one's own account."""

from dataclasses import asdict, dataclass
from typing import Any

import reflex as rx
import segno

from clinic_chat.domain.accounts.second_factors.authenticator_app import (
    MAX_TEXT,
    RECOVERY_CODES,
    Seal,
)
from clinic_chat.domain.administration.own_account import (
    change_name,
    change_password,
    end_browser,
    end_other_browsers,
    list_browsers,
)
from clinic_chat.domain.administration.passkeys import (
    list_passkeys,
    remove_passkey,
    rename_passkey,
)
from clinic_chat.domain.administration.second_factors import (
    begin_factor,
    confirm_factor,
    read_own_factor,
    remove_own_factor,
)
from clinic_chat.realtime.connections import current_connection
from clinic_chat.realtime.gate import exposed
from clinic_chat.settings import get_settings
from clinic_chat.ui.settings.actions import (
    acting,
    count_attempt,
    own_session,
    refusals,
    show,
    text_of,
)


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


@dataclass(frozen=True)
class PasskeyRow:
    """One of the person's passkeys on the screen."""

    id: str
    name: str
    domain: str
    created_at: str
    last_used_at: str


class OwnAccount(rx.State):
    """The person's name, password, second factors and sessions."""

    browsers: list[BrowserRow] = []  # noqa: RUF012 - Reflex copies the default
    ready: bool = False
    error: str = ""
    """The code of what refused the last act, "" for nothing."""
    done: str = ""
    """What was done last: `name`, `password`, `factor`, `passkey` or `passkey_removed`."""
    factor_on: bool = False
    codes_left: int = 0
    """How many recovery codes were not used yet."""
    secret: str = ""
    """What the app has to be told, while it waits for its first code."""
    picture: str = ""
    """The same as a QR code, an image in a data URL."""
    new_codes: list[str] = []  # noqa: RUF012
    """The recovery codes that were made just now, which are shown once."""
    codes_of_passkey: bool = False
    """Whether they came with a passkey, not with an app."""
    passkeys: list[PasskeyRow] = []  # noqa: RUF012
    passkey_asked: str = ""
    """The id of the passkey that is being renamed or removed."""
    passkey_renamed: bool = False
    """Whether it is being renamed."""

    @exposed
    async def load(self) -> None:
        """Read where the person is signed in."""
        self.error = self.done = self.secret = self.picture = self.passkey_asked = ""
        self.new_codes = []
        await self._read()

    @exposed
    async def begin_factor(self) -> None:
        """Make a secret for the person's app."""
        self.error = self.done = ""
        async with refusals(self):
            told = await begin_factor(acting(), _seal())
            self.secret = told.secret
            self.picture = segno.make(told.address, error="m").svg_data_uri(scale=5, border=2)

    @exposed
    async def confirm_factor(self, form: dict[str, Any]) -> None:
        """Take the first code of the app."""
        self.error = self.done = ""
        async with refusals(self):
            count_attempt()
            self.new_codes = await confirm_factor(acting(), _seal(), text_of(form, "code"))
            self.codes_of_passkey = False
            self.secret = self.picture = ""
            self.done = "factor"
            await show(self, is_restricted=False)
        await self._read()

    @exposed
    async def remove_factor(self, form: dict[str, Any]) -> None:
        """Ask for the app no more."""
        self.error = self.done = ""
        async with refusals(self):
            count_attempt()
            await remove_own_factor(acting(), _seal(), text_of(form, "code"))
            self.new_codes = []
        await self._read()

    @exposed
    async def passkey_added(self, codes: list[str]) -> None:
        """Show the passkey that the browser has just added, and the codes that came with it."""
        self.error = ""
        self.done = "passkey"
        self.codes_of_passkey = True
        self.new_codes = [str(code)[:MAX_TEXT] for code in codes[:RECOVERY_CODES]]
        await self._read()
        if self.passkeys:
            await show(self, is_restricted=False)

    @exposed
    def ask_passkey(self, passkey_id: str, rename: bool) -> None:
        """Ask for the new name of a passkey, or whether to remove it; "" asks for none."""
        self.error = self.done = ""
        self.passkey_asked, self.passkey_renamed = passkey_id, rename

    @exposed
    async def rename_passkey(self, form: dict[str, Any]) -> None:
        """Give the passkey that is asked about another name."""
        self.error = self.done = ""
        async with refusals(self):
            await rename_passkey(acting(), self.passkey_asked, text_of(form, "name"))
            self.passkey_asked = ""
        await self._read()

    @exposed
    async def remove_passkey(self, form: dict[str, Any]) -> None:
        """Let the passkey that is asked about sign in no more."""
        self.error = self.done = ""
        async with refusals(self):
            count_attempt()
            await remove_passkey(acting(), self.passkey_asked, text_of(form, "password"))
            self.passkey_asked = ""
            self.new_codes = []
            self.done = "passkey_removed"
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
            count_attempt()
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
            if not current_connection().identity.by_provider:
                factor = await read_own_factor(acting())
                self.factor_on, self.codes_left = factor.is_on, factor.recovery_codes
                self.passkeys = [PasskeyRow(**asdict(one)) for one in await list_passkeys(acting())]
            self.ready = True


def _seal() -> Seal:
    return Seal(get_settings().signing_key())
