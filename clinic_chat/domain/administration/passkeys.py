"""Passkeys of a person's own account: adding, naming and removing them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.accounts.passkeys.acceptance import passkeys_at, use_up
from clinic_chat.domain.accounts.passkeys.messages import (
    Creation,
    NewKey,
    PasskeyRefused,
    Site,
    creation_options,
    verify_creation,
)
from clinic_chat.domain.accounts.passkeys.passkey import Passkey
from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.second_factors.factors import (
    codes_for_first_factor,
    forget_codes_of_none,
)
from clinic_chat.domain.accounts.users import User
from clinic_chat.domain.administration.audit_trail import Action, record_action
from clinic_chat.domain.administration.own_account import check_own_password
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import Conflict, NotFound
from clinic_chat.domain.events.log import SubjectKind
from clinic_chat.domain.validation import valid_name

PASSKEYS = 10
"""How many a person may have."""


@dataclass(frozen=True)
class OwnPasskey:
    """One of a person's passkeys; times are ISO 8601 in UTC or ""."""

    id: str
    name: str
    domain: str
    """The host name that it works at."""
    created_at: str
    last_used_at: str


async def list_passkeys(scope: ClinicScope) -> list[OwnPasskey]:
    """A person's passkeys, the oldest first."""
    require(scope, Permission.MANAGE_OWN_ACCOUNT)
    async with scope.database.read() as session:
        rows = await session.scalars(
            select(Passkey)
            .where(Passkey.user_id == scope.staff_id())
            .order_by(Passkey.created_at, Passkey.id)
        )
        return [
            OwnPasskey(
                str(row.id),
                row.name,
                row.domain,
                row.created_at.isoformat(),
                row.last_used_at.isoformat() if row.last_used_at else "",
            )
            for row in rows
        ]


async def begin_passkey(
    scope: ClinicScope, password: str, site: Site, challenge: bytes
) -> dict[str, Any]:
    """What the person's browser is asked for to make a passkey, once the password is right.

    Raises:
        WrongPassword: it is another.
        QueueFull: too many passwords are being checked already.
        Conflict: `too_many_passkeys`.
    """
    require(scope, Permission.MANAGE_OWN_ACCOUNT)
    await check_own_password(scope, password)
    user_id = scope.staff_id()
    async with scope.database.read() as session:
        await _check_number(session, user_id)
        user = await session.get_one(User, user_id)
    known = await passkeys_at(scope.database, user_id, site.domain)
    return creation_options(site, challenge, user_id, user.email, user.name, known)


async def add_passkey(
    scope: ClinicScope, site: Site, challenge: bytes, message: Creation, name: str
) -> list[str]:
    """Store the passkey that a browser made for a challenge of `begin_passkey`.

    Returns recovery codes, which are shown this once, with a person's first second factor.

    Raises:
        PasskeyRefused: the message is not right, or was used before.
        InvalidInput: a rule of `valid_name`.
        Conflict: `too_many_passkeys` or `passkey_exists`.
    """
    require(scope, Permission.MANAGE_OWN_ACCOUNT)
    user_id = scope.staff_id()
    wanted = valid_name(name)
    key = await verify_creation(site, challenge, message)
    try:
        async with scope.write() as session:
            await use_up(session, challenge)
            # One after the other, or two at the same moment would both be the tenth.
            await session.get_one(User, user_id, with_for_update=True)
            await _check_new(session, user_id, key)
            codes = await codes_for_first_factor(session, user_id)
            session.add(
                Passkey(
                    user_id=user_id,
                    credential_id=key.credential_id,
                    public_key=key.public_key,
                    domain=site.domain,
                    sign_count=key.sign_count,
                    name=wanted,
                )
            )
            await _record(session, scope, Action.PASSKEY_ADDED, wanted)
    except IntegrityError:
        raise PasskeyRefused("this challenge was answered before") from None
    return codes


async def rename_passkey(scope: ClinicScope, passkey_id: object, name: str) -> None:
    """Give a passkey another name.

    Raises:
        NotFound: it is no passkey of this person.
        InvalidInput: a rule of `valid_name`.
    """
    require(scope, Permission.MANAGE_OWN_ACCOUNT)
    wanted = valid_name(name)
    async with scope.write() as session:
        passkey = await _own(session, scope, passkey_id)
        passkey.name = wanted
        await _record(session, scope, Action.PASSKEY_RENAMED, wanted)


async def remove_passkey(scope: ClinicScope, passkey_id: object, password: str) -> None:
    """Let a passkey sign in no more; recovery codes go with the last second factor.

    Raises:
        WrongPassword: it is another.
        QueueFull: too many passwords are being checked already.
        NotFound: it is no passkey of this person.
    """
    require(scope, Permission.MANAGE_OWN_ACCOUNT)
    await check_own_password(scope, password)
    async with scope.write() as session:
        passkey = await _own(session, scope, passkey_id)
        await session.delete(passkey)
        await session.flush()
        await forget_codes_of_none(session, scope.staff_id())
        await _record(session, scope, Action.PASSKEY_REMOVED, passkey.name)


async def _check_new(session: AsyncSession, user_id: UUID, key: NewKey) -> None:
    await _check_number(session, user_id)
    taken = await session.scalar(
        select(Passkey.id).where(Passkey.credential_id == key.credential_id)
    )
    if taken is not None:
        raise Conflict("this passkey is there already", code="passkey_exists")


async def _check_number(session: AsyncSession, user_id: UUID) -> None:
    number = await session.scalar(
        select(func.count()).select_from(Passkey).where(Passkey.user_id == user_id)
    )
    if (number or 0) >= PASSKEYS:
        raise Conflict(f"a person has at most {PASSKEYS} passkeys", code="too_many_passkeys")


async def _own(session: AsyncSession, scope: ClinicScope, passkey_id: object) -> Passkey:
    try:
        key = UUID(str(passkey_id))
    except ValueError:
        raise NotFound("no such passkey") from None
    found: Passkey | None = await session.scalar(
        select(Passkey)
        .where(Passkey.id == key, Passkey.user_id == scope.staff_id())
        .with_for_update()
    )
    if found is None:
        raise NotFound("no such passkey")
    return found


async def _record(session: AsyncSession, scope: ClinicScope, action: Action, name: str) -> None:
    user = await session.get_one(User, scope.staff_id())
    await record_action(
        session, scope, action, (SubjectKind.STAFF, user.id, user.name), passkey=name
    )
