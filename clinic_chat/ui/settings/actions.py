"""Events of the settings screens: who acts, and the code of a refusal in place of an exception."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import reflex as rx

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import DomainError, RateLimited
from clinic_chat.realtime.connections import current_connection
from clinic_chat.storage.database import StorageUnavailable
from clinic_chat.ui.account.state import Account

MAX_DIGITS = 6


def acting() -> ClinicScope:
    """The clinic and the person of the event that is being handled."""
    return current_connection().scope


def own_session() -> UUID:
    """The session of the event that is being handled."""
    session_id: UUID = current_connection().identity.session_id
    return session_id


async def show(state: rx.State, **changes: str | bool) -> None:
    """Show in this tab what was changed of the identity, before the session is looked up again."""
    visitor = current_connection().visitor
    visitor.identity = replace(visitor.identity, **changes)
    account = await state.get_state(Account)
    account.fill_in(visitor.identity)


@asynccontextmanager
async def refusals(state: Any) -> AsyncIterator[None]:
    """Put the code of what refuses the block into the state's `error`."""
    try:
        yield
    except StorageUnavailable:
        state.error = "storage_unavailable"
    except DomainError as refusal:
        state.error = refusal.code


def count_attempt() -> None:
    """Refuse a guess at a secret, or what costs others something, after too many in a minute.

    Raises:
        RateLimited: too many of the person's.
    """
    if not current_connection().visitor.account.passwords.try_take():
        raise RateLimited


def text_of(form: dict[str, Any], name: str) -> str:
    """A field of a form, "" when it is not there or no text."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def number_of(form: dict[str, Any], name: str) -> int:
    """The number in a field of a form, 0 for an empty one, -1 for what is no number."""
    text = text_of(form, name).strip()
    if not text:
        return 0
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else -1
