"""State of the clinic screen."""

from typing import Any

import reflex as rx

from clinic_chat.domain.administration.clinic_settings import (
    change_clinic_settings,
    read_clinic_settings,
)
from clinic_chat.realtime.gate import exposed
from clinic_chat.ui.settings.actions import acting, number_of, refusals, show, text_of


class ClinicForm(rx.State):
    """The clinic's settings as they are stored."""

    name: str = ""
    timezone: str = ""
    locale: str = ""
    session_idle_minutes: int = 0
    second_factor_required: bool = False
    ready: bool = False
    error: str = ""
    """The code of what refused the last act, "" for nothing."""
    saved: bool = False
    form: int = 0
    """Counts the times that the form begins anew, with what is stored by then."""

    @exposed
    async def load(self) -> None:
        """Read the settings."""
        self.error = ""
        self.saved = False
        await self._read()
        self.form += 1

    @exposed
    async def save(self, form: dict[str, Any]) -> None:
        """Change the settings."""
        self.error = ""
        self.saved = False
        async with refusals(self):
            wanted = {
                "name": text_of(form, "name"),
                "timezone": text_of(form, "timezone"),
                "locale": text_of(form, "locale"),
                "session_idle_minutes": number_of(form, "idle"),
                "second_factor_required": bool(form.get("second_factor_required")),
            }
            # What was left as it was shown may have been changed by somebody else meanwhile.
            changes = {key: new for key, new in wanted.items() if new != getattr(self, key)}
            await change_clinic_settings(acting(), **changes)
            self.saved = True
            await self._read()
            if any(new != getattr(self, key) for key, new in wanted.items()):
                self.form += 1
            await show(self, clinic_name=self.name, timezone=self.timezone)

    async def _read(self) -> None:
        async with refusals(self):
            found = await read_clinic_settings(acting())
            self.name, self.timezone, self.locale = found.name, found.timezone, found.locale
            self.session_idle_minutes = found.session_idle_minutes
            self.second_factor_required = found.second_factor_required
            self.ready = True
