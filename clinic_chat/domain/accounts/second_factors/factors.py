"""Second factors of either kind: which ones a person has, and forgetting them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.accounts.passkeys.passkey import Passkey
from clinic_chat.domain.accounts.second_factors.authenticator_app import (
    RecoveryCode,
    SecondFactor,
    new_recovery_codes,
)
from clinic_chat.domain.accounts.users import User


@dataclass(frozen=True)
class Factors:
    """Which kinds of second factor a person has set up."""

    app: bool
    passkey: bool

    def __bool__(self) -> bool:
        return self.app or self.passkey


def has_factor(user_id: Any) -> ColumnElement[bool]:
    """Whether the person of a column, or of an id, has a second factor."""
    return or_(_has_app(user_id), _has_passkey(user_id))


async def factors_of(session: AsyncSession, user_id: UUID) -> Factors:
    """The kinds of second factor that a person has."""
    row = (
        await session.execute(
            select(User.id, _has_app(User.id), _has_passkey(User.id)).where(User.id == user_id)
        )
    ).one()
    return Factors(row[1], row[2])


async def codes_for_first_factor(session: AsyncSession, user_id: UUID) -> list[str]:
    """Recovery codes for who sets up their first factor, before it is stored; else none."""
    if await factors_of(session, user_id):
        return []
    texts, rows = new_recovery_codes(user_id)
    session.add_all(rows)
    return texts


async def recovery_codes_left(session: AsyncSession, user_id: UUID) -> int:
    """How many of a person's recovery codes were not used yet."""
    left: int | None = await session.scalar(
        select(func.count())
        .select_from(RecoveryCode)
        .where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    )
    return left or 0


async def forget_app(session: AsyncSession, user_id: UUID) -> None:
    """Forget a person's app, and the recovery codes unless there is another factor."""
    await session.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id))
    await forget_codes_of_none(session, user_id)


async def forget_codes_of_none(session: AsyncSession, user_id: UUID) -> None:
    """Forget a person's recovery codes if no factor is left that they stand in for."""
    if not await factors_of(session, user_id):
        await session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))


async def forget_factors(session: AsyncSession, user_id: UUID) -> None:
    """Forget a person's app, passkeys and recovery codes."""
    await session.execute(delete(Passkey).where(Passkey.user_id == user_id))
    await forget_app(session, user_id)


def _has_app(user_id: Any) -> ColumnElement[bool]:
    return exists().where(SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_not(None))


def _has_passkey(user_id: Any) -> ColumnElement[bool]:
    return exists().where(Passkey.user_id == user_id)
