"""State of the audit trail screen."""

from dataclasses import dataclass

import reflex as rx

from clinic_chat.domain.administration.audit_trail import AuditedAct, read_audit_trail
from clinic_chat.realtime.gate import exposed
from clinic_chat.ui.settings.actions import acting, refusals


@dataclass(frozen=True)
class ActRow:
    """An act on the screen."""

    id: str
    at: str
    action: str
    actor_kind: str
    actor_name: str
    subject_name: str
    before: str
    after: str
    count: int
    address: str


class AuditTrail(rx.State):
    """The acts that were read so far, newest first."""

    acts: list[ActRow] = []  # noqa: RUF012 - Reflex copies the default
    cursor: str = ""
    ready: bool = False
    error: str = ""
    """The code of what refused the last act, "" for nothing."""

    @exposed
    async def load(self) -> None:
        """Read the newest acts."""
        self.error = self.cursor = ""
        self.acts = []
        await self._read()

    @exposed
    async def load_more(self) -> None:
        """Read the acts before those that are here."""
        self.error = ""
        if self.cursor:
            await self._read()

    async def _read(self) -> None:
        async with refusals(self):
            page = await read_audit_trail(acting(), self.cursor)
            self.acts = [*self.acts, *(_row(act) for act in page.entries)]
            self.cursor = page.cursor
            self.ready = True


def _row(act: AuditedAct) -> ActRow:
    details = act.details
    return ActRow(
        act.id,
        act.at,
        act.action,
        act.actor_kind,
        act.actor_name,
        act.subject_name,
        str(details.get("before", "")),
        str(details.get("after", details.get("role", ""))),
        int(details.get("count", 0)),
        act.address,
    )
