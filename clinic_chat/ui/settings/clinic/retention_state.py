"""State of the retention of conversations on the clinic screen."""

from typing import Any

import reflex as rx

from clinic_chat.domain.administration.clinic_settings import (
    change_clinic_settings,
    read_clinic_settings,
)
from clinic_chat.domain.retention.conversations import count_over_term
from clinic_chat.realtime.gate import exposed
from clinic_chat.ui.settings.actions import acting, number_of, refusals


class Retention(rx.State):
    """The term as it is stored, and what it does."""

    months: int = 0
    """0 is for ever."""
    begins_at: str = ""
    """When deletion begins or began, ISO 8601 in UTC."""
    over_term: int = 0
    """The number of conversations that are over the term now."""
    ready: bool = False
    error: str = ""
    """The code of what refused the last act, "" for nothing."""
    saved: bool = False

    @exposed
    async def load(self) -> None:
        """Read the term."""
        self.error = ""
        self.saved = False
        await self._read()

    @exposed
    async def save(self, form: dict[str, Any]) -> None:
        """Change the term."""
        self.error = ""
        self.saved = False
        async with refusals(self):
            await change_clinic_settings(acting(), retention_months=number_of(form, "months"))
            await self._read()
            self.saved = True

    async def _read(self) -> None:
        async with refusals(self):
            scope = acting()
            found = await read_clinic_settings(scope)
            self.months = found.retention_months
            self.begins_at = found.retention_from.isoformat() if found.retention_from else ""
            self.over_term = await count_over_term(scope)
            self.ready = True
