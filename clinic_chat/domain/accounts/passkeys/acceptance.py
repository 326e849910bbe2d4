"""Acceptance of passkeys: whose one is, whether its answer is right, and that it counts once."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.accounts.passkeys.messages import (
    CHALLENGE_SECONDS,
    Assertion,
    PasskeyRefused,
    Site,
    encode,
    verify_assertion,
)
from clinic_chat.domain.accounts.passkeys.passkey import Passkey, UsedChallenge
from clinic_chat.domain.accounts.users import User
from clinic_chat.domain.validation import storable
from clinic_chat.logs import audit
from clinic_chat.storage.base import now
from clinic_chat.storage.database import Database


@dataclass(frozen=True)
class Owner:
    """The person of a passkey."""

    user_id: UUID
    email: str


async def owner_of(database: Database, credential_id: str) -> Owner | None:
    """Whose passkey this is, None for an unknown one."""
    if not storable(credential_id):
        return None
    async with database.read() as session:
        row = (
            await session.execute(
                select(User.id, User.email)
                .join(Passkey, Passkey.user_id == User.id)
                .where(Passkey.credential_id == credential_id)
            )
        ).one_or_none()
    return Owner(*row) if row else None


async def passkeys_at(database: Database, user_id: UUID, domain: str) -> list[str]:
    """The identifiers of a person's credentials that work at a domain."""
    async with database.read() as session:
        found = await session.scalars(
            select(Passkey.credential_id).where(
                Passkey.user_id == user_id, Passkey.domain == domain
            )
        )
        return list(found)


async def accept_passkey(
    database: Database, site: Site, challenge: bytes, message: Assertion, owner: Owner
) -> None:
    """Take an answer to a challenge as the proof that it is the owner of the passkey, once.

    Raises:
        PasskeyRefused: the answer is not right, was used before, or is of a copied device.
    """
    async with database.read() as session:
        passkey = await _passkey(session, site, message, owner)
    sign_count = await verify_assertion(site, challenge, message, passkey.public_key)
    try:
        async with database.write() as session:
            await use_up(session, challenge)
            passkey = await _passkey(session, site, message, owner, lock=True)
            # Two devices with one key count apart: one of them is a copy. Many count nothing.
            passkey_id, before = passkey.id, passkey.sign_count
            went_back = sign_count <= before and (sign_count, before) != (0, 0)
            if not went_back:
                passkey.sign_count = sign_count
                passkey.last_used_at = now()
    except IntegrityError:
        raise PasskeyRefused("this challenge was answered before") from None
    if went_back:
        audit("passkey.sign_count_went_back", user=owner.user_id, passkey=passkey_id)
        raise PasskeyRefused("the sign count went back")


async def use_up(session: AsyncSession, challenge: bytes) -> None:
    """Take a challenge, which counts once.

    Raises:
        IntegrityError: it was taken before.
    """
    moment = now()
    await session.execute(delete(UsedChallenge).where(UsedChallenge.expires_at < moment))
    session.add(
        UsedChallenge(
            challenge_hash=hashlib.sha256(challenge).hexdigest(),
            # Twice as long as it counts, because processes' clocks differ.
            expires_at=moment + timedelta(seconds=2 * CHALLENGE_SECONDS),
        )
    )
    await session.flush()


async def _passkey(
    session: AsyncSession, site: Site, message: Assertion, owner: Owner, *, lock: bool = False
) -> Passkey:
    query = select(Passkey).where(
        Passkey.credential_id == message.credential_id,
        Passkey.user_id == owner.user_id,
        Passkey.domain == site.domain,
    )
    found: Passkey | None = await session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise PasskeyRefused("there is no such passkey of this person at this address")
    # The device names the account too, where it keeps one (WebAuthn Level 3, section 7.2 step 6).
    if message.user_handle and message.user_handle != encode(owner.user_id.bytes):
        raise PasskeyRefused("the passkey is for another account")
    return found
