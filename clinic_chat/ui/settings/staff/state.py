"""State of the staff screen."""

from collections.abc import Awaitable
from dataclasses import asdict, dataclass
from typing import Any

import reflex as rx

from clinic_chat.domain.administration.invitations import (
    invite,
    list_invitations,
    reset_password_link,
    revoke_invitation,
)
from clinic_chat.domain.administration.members import (
    activate_member,
    change_role,
    deactivate_member,
    end_sessions_of,
    list_members,
)
from clinic_chat.domain.administration.second_factors import remove_factor_of
from clinic_chat.realtime.gate import exposed
from clinic_chat.ui.account.state import Account
from clinic_chat.ui.settings.actions import acting, refusals, text_of


@dataclass(frozen=True)
class MemberRow:
    """A member on the screen."""

    id: str
    name: str
    email: str
    role: str
    is_active: bool
    has_factor: bool
    sessions: int
    seen_at: str
    is_me: bool


@dataclass(frozen=True)
class InvitationRow:
    """An open invitation on the screen."""

    id: str
    email: str
    role: str
    expires_at: str


class StaffSettings(rx.State):
    """The clinic's members and the links that wait to be followed."""

    members: list[MemberRow] = []  # noqa: RUF012 - Reflex copies the default
    invitations: list[InvitationRow] = []  # noqa: RUF012
    ready: bool = False
    error: str = ""
    """The code of what refused the last act, "" for nothing."""
    asked: str = ""
    """The member whom the person is asked about before they are deactivated."""
    link: str = ""
    """The text of a link that was made just now, which is shown once."""
    link_email: str = ""
    link_kind: str = ""
    """`join` or `password`."""

    @exposed
    async def load(self) -> None:
        """Read members and invitations."""
        self.error = self.asked = self.link = ""
        await self._read()

    @exposed
    async def invite(self, form: dict[str, Any]) -> None:
        """Make a link by which a person joins."""
        email = text_of(form, "email").strip().lower()
        await self._make_link("join", email, invite(acting(), email, text_of(form, "role")))

    @exposed
    async def make_reset_link(self, user_id: str, email: str) -> None:
        """Make a link by which a member sets a new password."""
        await self._make_link("password", str(email), reset_password_link(acting(), user_id))

    @exposed
    async def close_link(self) -> None:
        """Forget the link that was made just now."""
        self.link = ""

    @exposed
    async def revoke(self, invitation_id: str) -> None:
        """Take an invitation back."""
        await self._act(revoke_invitation(acting(), invitation_id))

    @exposed
    async def change_role(self, user_id: str, role: str) -> None:
        """Give a member another role."""
        await self._act(change_role(acting(), user_id, role))

    @exposed
    async def ask(self, user_id: str) -> None:
        """Ask before a member is deactivated; "" asks no more."""
        self.asked = str(user_id)

    @exposed
    async def deactivate(self, user_id: str) -> None:
        """Keep a member out of the clinic."""
        self.asked = ""
        await self._act(deactivate_member(acting(), user_id))

    @exposed
    async def activate(self, user_id: str) -> None:
        """Let a member in again."""
        await self._act(activate_member(acting(), user_id))

    @exposed
    async def end_sessions(self, user_id: str) -> None:
        """Sign a member out everywhere in the clinic."""
        await self._act(end_sessions_of(acting(), user_id))

    @exposed
    async def remove_factor(self, user_id: str) -> None:
        """Forget the second factor of a member who lost it."""
        await self._act(remove_factor_of(acting(), user_id))

    async def _make_link(self, kind: str, email: str, making: Awaitable[str]) -> None:
        self.error = self.link = ""
        async with refusals(self):
            self.link = await making
            self.link_kind, self.link_email = kind, email
        await self._read()

    async def _act(self, act: Awaitable[object]) -> None:
        self.error = ""
        async with refusals(self):
            await act
        await self._read()

    async def _read(self) -> None:
        async with refusals(self):
            account = await self.get_state(Account)
            self.members = [
                MemberRow(**asdict(member), is_me=member.id == account.user_id)
                for member in await list_members(acting())
            ]
            self.invitations = [
                InvitationRow(**asdict(one)) for one in await list_invitations(acting())
            ]
            self.ready = True
