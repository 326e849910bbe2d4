"""State of the clinic screen."""

from typing import Any

import reflex as rx

from clinic_chat.domain.administration.clinic_settings import (
    ClinicSettings,
    change_clinic_settings,
    read_clinic_settings,
)
from clinic_chat.realtime.gate import exposed
from clinic_chat.ui.settings.actions import acting, refusals, show, text_of

MAX_DIGITS = 6


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

    @exposed
    async def load(self) -> None:
        """Read the settings."""
        self.error = ""
        self.saved = False
        await self._read()

    @exposed
    async def save(self, form: dict[str, Any]) -> None:
        """Change the settings."""
        self.error = ""
        self.saved = False
        async with refusals(self):
            await change_clinic_settings(
                acting(),
                ClinicSettings(
                    text_of(form, "name"),
                    text_of(form, "timezone"),
                    text_of(form, "locale"),
                    _minutes(text_of(form, "idle")),
                    bool(form.get("second_factor_required")),
                ),
            )
            self.saved = True
            await self._read()
            await show(self, clinic_name=self.name, timezone=self.timezone)

    async def _read(self) -> None:
        async with refusals(self):
            found = await read_clinic_settings(acting())
            self.name, self.timezone, self.locale = found.name, found.timezone, found.locale
            self.session_idle_minutes = found.session_idle_minutes
            self.second_factor_required = found.second_factor_required
            self.ready = True


def _minutes(text: str) -> int:
    """The number in a field; one that is none is refused as too small."""
    text = text.strip()
    if not text:
        return 0
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else -1
