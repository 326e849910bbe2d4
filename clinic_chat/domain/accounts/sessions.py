"""Sign-in sessions: one person in one clinic, identified by an opaque cookie.

A session ends after `session_idle_minutes` without activity of its person, and `session_days`
after the sign-in, also if the person has switched clinics since. An open tab, its freshness
checks and its reconnects are not activity.
"""

import hashlib
import hmac
import secrets
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.accounts.hashing_queue import LOW_PRIORITY, QueueEntry
from clinic_chat.domain.accounts.passwords import verify_password
from clinic_chat.domain.accounts.second_factors.authenticator_app import (
    Seal,
    accept_code,
    confirmed_app,
    use_recovery_code,
)
from clinic_chat.domain.accounts.second_factors.factors import Factors, factors_of
from clinic_chat.domain.accounts.session_records import (
    BY_COOKIE,
    BY_ID,
    Browser,
    Identity,
    Proof,
    SignInSession,
)
from clinic_chat.domain.accounts.users import User, clinics_of, normal_email
from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.domain.validation import storable
from clinic_chat.settings import Settings
from clinic_chat.storage.base import now
from clinic_chat.storage.database import Database, StorageUnavailable

SEEN_RESOLUTION = timedelta(minutes=5)
COOKIE_NAME = "clinic_chat_session"
COOKIE_BYTES = 32
# A statement has a limited number of parameters.
READ_AT_ONCE = 500
# Of an app's codes in a row (NIST SP 800-63B-4 section 3.2.2): three of a million are right at any
# time, so 1 in 3,333 who guess as often would get in.
MOST_WRONG_CODES = 100


class SecondFactorNeeded(Exception):
    """The password is right; a second factor is asked for too.

    A code is for `Sessions.finish_sign_in`, a passkey for `accept_passkey`.
    """

    def __init__(self, user_id: UUID, factors: Factors) -> None:
        super().__init__("a second factor is needed")
        self.user_id = user_id
        self.factors = factors


class CodesLocked(Exception):
    """A person's app counts no more before a recovery code or an administrator unlocks it."""


class Sessions:
    """Starts, finds and ends sessions."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._key = settings.signing_key()
        self.seal = Seal(self._key)
        """Opens the secrets of second factors."""
        self._idle = timedelta(minutes=settings.session_idle_minutes)
        self._lifetime = timedelta(days=settings.session_days)

    async def sign_in(
        self,
        email: str,
        password: str,
        *,
        entry: QueueEntry = LOW_PRIORITY,
        instead_of: str | None = None,
        browser: Browser | None = None,
    ) -> str | None:
        """The cookie of a new session, or None for an unknown email or a wrong password.

        Both refusals take the same time, so that nobody learns which addresses exist. The session
        of the cookie `instead_of` ends in the same transaction.

        Raises:
            SecondFactorNeeded: the password is right, and the person has a second factor.
            QueueFull: too many passwords are being checked already.
            Exception: whatever `entry.admit` raises.
        """
        user: User | None = None

        async def read_hash() -> str | None:
            nonlocal user
            user = await self._user(normal_email(email))
            return user.password_hash if user else None

        if not await verify_password(password, read_hash, entry):
            return None
        if user is None or not await self._open_clinics(user.id):
            return None
        async with self._database.read() as session:
            factors = await factors_of(session, user.id)
        if factors:
            raise SecondFactorNeeded(user.id, factors)
        return await self.start(user.id, instead_of=instead_of, browser=browser)

    async def finish_sign_in(
        self,
        user_id: UUID,
        code: str,
        *,
        instead_of: str | None = None,
        browser: Browser | None = None,
    ) -> str | None:
        """The cookie of a new session of a person whose password was right, None for a wrong code.

        `code` is of the person's app, or a recovery code.

        Raises:
            CodesLocked: too many were wrong in a row, so none of the app counts any more.
        """
        async with self._database.write() as session:
            app = await confirmed_app(session, user_id)
            is_locked = app is not None and app.wrong_codes >= MOST_WRONG_CODES
            by_app = app is not None and not is_locked and accept_code(self.seal, app, code, now())
            is_right = by_app or await use_recovery_code(session, user_id, code)
            if app is not None:
                app.wrong_codes = 0 if is_right else app.wrong_codes + 1
        if not is_right:
            if is_locked:
                raise CodesLocked
            return None
        return await self.start(user_id, proof=Proof.CODE, instead_of=instead_of, browser=browser)

    async def email_of(self, user_id: UUID) -> str | None:
        """A person's email address, None for nobody's id."""
        async with self._database.read() as session:
            found: str | None = await session.scalar(select(User.email).where(User.id == user_id))
            return found

    async def start(
        self,
        user_id: UUID,
        *,
        proof: Proof = Proof.PASSWORD,
        instead_of: str | None = None,
        browser: Browser | None = None,
    ) -> str | None:
        """The cookie of a new session of a person who has proved who they are.

        None for who may not sign in: deactivated, in no clinic, or the demo's on a real server.
        The session of the cookie `instead_of` ends in the same transaction.
        """
        clinics = await self._open_clinics(user_id)
        if not clinics:
            return None
        clinic_id = await self._latest_clinic(user_id, clinics)
        async with self._database.write() as session:
            return await self.begin(
                session, user_id, clinic_id, proof=proof, instead_of=instead_of, browser=browser
            )

    async def may_sign_in(self, user_id: UUID, clinic_id: UUID) -> bool:
        """Whether a person may have a session in a clinic."""
        return any(clinic.id == clinic_id for clinic in await self._open_clinics(user_id))

    async def begin(
        self,
        session: AsyncSession,
        user_id: UUID,
        clinic_id: UUID,
        *,
        proof: Proof,
        instead_of: str | None = None,
        browser: Browser | None = None,
    ) -> str:
        """The cookie of a new session in a clinic, as a part of the caller's transaction.

        The session of the cookie `instead_of` ends, and those of the person that are too old.
        """
        if instead_of:
            await session.execute(
                delete(SignInSession).where(SignInSession.cookie_hash == self._hash(instead_of))
            )
        await session.execute(
            delete(SignInSession).where(
                SignInSession.user_id == user_id,
                SignInSession.signed_in_at < now() - self._lifetime,
            )
        )
        return self._add(session, user_id, clinic_id, now(), browser or Browser(), proof)

    async def switch(self, cookie: str, clinic_slug: str) -> str | None:
        """The cookie of a new session in another of the person's clinics; the old one ends.

        None when the session is not live, also because another switch was faster, when the person
        is not in that clinic, or when the word of a clinic's provider began the session.
        """
        identity = await self.find(cookie)
        if identity is None or identity.by_provider:
            return None
        for clinic in await clinics_of(self._database, identity.user_id):
            if clinic.slug == clinic_slug:
                async with self._database.write() as session:
                    ended = await session.execute(
                        delete(SignInSession)
                        .where(SignInSession.id == identity.session_id)
                        .returning(
                            SignInSession.signed_in_at,
                            SignInSession.proof,
                            SignInSession.user_agent,
                            SignInSession.address,
                        )
                    )
                    before = ended.one_or_none()
                    if before is None:
                        return None
                    signed_in_at, proof, *browser = before
                    return self._add(
                        session, identity.user_id, clinic.id, signed_in_at, Browser(*browser), proof
                    )
        return None

    async def find(self, cookie: str | None) -> Identity | None:
        """The identity of a cookie's session, or None when it is unknown, idle too long or over."""
        if not cookie:
            return None
        found = await self._live(BY_COOKIE, {"cookie_hash": self._hash(cookie)}, {})
        return found[0] if found else None

    async def still_live(
        self, session_ids: Collection[UUID], active_at: Mapping[UUID, datetime] | None = None
    ) -> dict[UUID, Identity]:
        """The identities of those of these sessions that are live, by session id.

        `active_at` has the times of the persons' last activity by session id, where known.
        """
        ids = list(session_ids)
        found: list[Identity] = []
        for start in range(0, len(ids), READ_AT_ONCE):
            some = {"ids": ids[start : start + READ_AT_ONCE]}
            found += await self._live(BY_ID, some, active_at or {})
        return {identity.session_id: identity for identity in found}

    async def note_activity(self, cookie: str | None) -> None:
        """Record activity of the cookie's person at this moment; ignores an unknown cookie."""
        identity = await self.find(cookie)
        if identity is not None:
            await self.still_live([identity.session_id], {identity.session_id: now()})

    async def _live(
        self, statement: Any, parameters: dict[str, Any], active_at: Mapping[UUID, datetime]
    ) -> list[Identity]:
        async with self._database.read() as session:
            rows = (await session.execute(statement, parameters)).all()
        moment = now()
        identities = []
        unseen: dict[UUID, datetime] = {}
        for seen_at, signed_in_at, idle_minutes, *who in rows:
            identity = Identity(*who)
            idle = timedelta(minutes=idle_minutes) if idle_minutes else self._idle
            active = max(active_at.get(identity.session_id, seen_at), seen_at)
            # Activity after its end does not bring a session back.
            if active - seen_at > idle or moment - active > idle:
                continue
            if moment - signed_in_at > self._lifetime:
                continue
            if active - seen_at > SEEN_RESOLUTION:
                unseen[identity.session_id] = active
            identities.append(identity)
        if unseen:
            # The identity is valid even if the activity cannot be stored.
            with suppress(StorageUnavailable):
                await self._touch(unseen)
        return identities

    async def end(self, session_id: UUID) -> None:
        """End a session; its cookie is not valid any more."""
        async with self._database.write() as session:
            await session.execute(delete(SignInSession).where(SignInSession.id == session_id))

    async def _user(self, address: str) -> User | None:
        if not storable(address):
            return None
        async with self._database.read() as session:
            user: User | None = await session.scalar(select(User).where(User.email == address))
            return user

    async def _open_clinics(self, user_id: UUID) -> list[Clinic]:
        """The clinics that a person may sign in to.

        None in which they are the demo's beside a real clinic: its passwords are published.
        """
        async with self._database.read() as session:
            user = await session.get(User, user_id)
        if user is None or user.deactivated_at is not None:
            return []
        clinics = await clinics_of(self._database, user_id)
        if not any(clinic.is_demo for clinic in clinics):
            return clinics
        async with self._database.read() as session:
            real = await session.scalar(select(Clinic.id).where(Clinic.is_demo.is_(False)).limit(1))
        return clinics if real is None else []

    def _add(
        self,
        session: AsyncSession,
        user_id: UUID,
        clinic_id: UUID,
        signed_in_at: datetime,
        browser: Browser,
        proof: Proof,
    ) -> str:
        cookie = secrets.token_urlsafe(COOKIE_BYTES)
        session.add(
            SignInSession(
                cookie_hash=self._hash(cookie),
                user_id=user_id,
                clinic_id=clinic_id,
                signed_in_at=signed_in_at,
                proof=proof,
                user_agent=browser.user_agent[:200],
                address=browser.address[:45],
            )
        )
        return cookie

    async def _latest_clinic(self, user_id: UUID, clinics: list[Clinic]) -> UUID:
        async with self._database.read() as session:
            latest = await session.scalar(
                select(SignInSession.clinic_id)
                .where(
                    SignInSession.user_id == user_id,
                    # A clinic's provider does not decide where its people begin elsewhere.
                    SignInSession.proof != Proof.PROVIDER,
                )
                .order_by(SignInSession.created_at.desc())
                .limit(1)
            )
        ids = [clinic.id for clinic in clinics]
        return latest if latest in ids else ids[0]

    async def _touch(self, active_at: Mapping[UUID, datetime]) -> None:
        async with self._database.write() as session:
            # One statement by primary key, because everybody at work is due every few minutes.
            await session.execute(
                update(SignInSession),
                [{"id": session_id, "seen_at": at} for session_id, at in active_at.items()],
            )

    def _hash(self, cookie: str) -> str:
        return hmac.new(
            self._key, cookie.encode("utf-8", "surrogatepass"), hashlib.sha256
        ).hexdigest()
