"""State of the API tokens screen."""

from dataclasses import asdict, dataclass
from typing import Any

import reflex as rx

from clinic_chat.domain.accounts.api_tokens import GRANTABLE
from clinic_chat.domain.administration.tokens import (
    create_clinic_token,
    list_clinic_tokens,
    revoke_clinic_token,
)
from clinic_chat.realtime.gate import exposed
from clinic_chat.ui.settings.actions import acting, number_of, refusals, text_of


@dataclass(frozen=True)
class TokenRow:
    """A token on the screen."""

    id: str
    name: str
    permissions: list[str]
    person: str
    created_at: str
    last_used_at: str
    expires_at: str
    revoked_at: str


class TokenSettings(rx.State):
    """The clinic's tokens."""

    tokens: list[TokenRow] = []  # noqa: RUF012 - Reflex copies the default
    ready: bool = False
    error: str = ""
    """The code of what refused the last act, "" for nothing."""
    new_token: str = ""
    """The text of a token that was made just now, which is shown once."""
    asked: str = ""
    """The token that the person is asked about before it is revoked."""

    @exposed
    async def load(self) -> None:
        """Read the tokens."""
        self.error = self.new_token = self.asked = ""
        await self._read()

    @exposed
    async def create(self, form: dict[str, Any]) -> None:
        """Make a token."""
        self.error = self.new_token = ""
        async with refusals(self):
            permissions = [one for one in GRANTABLE if form.get(str(one))]
            self.new_token = await create_clinic_token(
                acting(),
                text_of(form, "name"),
                permissions,
                for_oneself=bool(form.get("for_oneself")),
                days=number_of(form, "days") or None,
            )
        await self._read()

    @exposed
    async def close_token(self) -> None:
        """Forget the text of the token that was made just now."""
        self.new_token = ""

    @exposed
    async def ask(self, token_id: str) -> None:
        """Ask before a token is revoked; "" asks no more."""
        self.asked = str(token_id)

    @exposed
    async def revoke(self, token_id: str) -> None:
        """Make a token worth nothing."""
        self.error = self.asked = ""
        async with refusals(self):
            await revoke_clinic_token(acting(), token_id)
        await self._read()

    async def _read(self) -> None:
        async with refusals(self):
            self.tokens = [TokenRow(**asdict(one)) for one in await list_clinic_tokens(acting())]
            self.ready = True
