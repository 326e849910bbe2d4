"""Sign-in by the word of a clinic's provider: who of the clinic it is, and a session of the clinic.

Clinics share the server, and a clinic's administrators decide what its provider says. So its word
counts for active members of this clinic, and starts a session that is this clinic's alone.
"""

import hashlib
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.accounts.session_records import Browser, Proof
from clinic_chat.domain.accounts.sessions import Sessions
from clinic_chat.domain.accounts.users import Membership, User, normal_email
from clinic_chat.domain.administration.audit_trail import Action, record_action
from clinic_chat.domain.clinics.actors import SYSTEM
from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.domain.clinics.scope import ClinicScope, locked_clinic
from clinic_chat.domain.events.log import SubjectKind
from clinic_chat.domain.single_sign_on.providers import (
    IdentityProvider,
    KnownProvider,
    ProviderAccount,
    UsedState,
)
from clinic_chat.openid.id_tokens import Claims
from clinic_chat.storage.base import now
from clinic_chat.storage.database import Database

STATE_SECONDS = 600
"""How long somebody may take at the provider."""


class NotMember(Exception):
    """Nobody of the clinic who may sign in is meant."""


class EmailNotVerified(Exception):
    """The provider does not say that the person's address is theirs."""


class OtherAccount(Exception):
    """The member of this address is known by another account at the provider."""


class StateOver(Exception):
    """The sign-in is over, or the provider was changed meanwhile."""


async def start_provider_session(
    database: Database,
    sessions: Sessions,
    provider: KnownProvider,
    claims: Claims,
    *,
    state: str,
    instead_of: str | None,
    browser: Browser,
) -> str:
    """The cookie of a new session of the member that the provider means. Nobody is created.

    Somebody who comes for the first time is found by their address, and by their account from then
    on. The session of the cookie `instead_of` ends.

    Raises:
        NotMember, EmailNotVerified, OtherAccount, StateOver: no session is started.
    """
    scope = ClinicScope(database, provider.clinic_id, SYSTEM, browser.address)
    # The clinic is locked: a provider that is removed at this moment ends this session too.
    async with scope.write() as session:
        await _use_state(session, provider, state)
        if await _is_demo_beside_real_clinics(session):
            raise NotMember
        user = await _member(session, scope, provider, claims)
        return await sessions.begin(
            session,
            user.id,
            scope.clinic_id,
            proof=Proof.PROVIDER,
            instead_of=instead_of,
            browser=browser,
        )


async def _use_state(session: AsyncSession, provider: KnownProvider, state: str) -> None:
    row = await session.scalar(select(IdentityProvider))
    if row is None or not row.is_enabled or row.id != provider.id:
        raise StateOver
    if (row.issuer, row.client_id) != (provider.issuer, provider.client_id):
        raise StateOver
    state_hash = hashlib.sha256(state.encode()).hexdigest()
    if await session.get(UsedState, state_hash) is not None:
        raise StateOver
    await session.execute(
        delete(UsedState).where(UsedState.used_at < now() - timedelta(seconds=2 * STATE_SECONDS))
    )
    session.add(UsedState(state_hash=state_hash, clinic_id=provider.clinic_id))


async def _member(
    session: AsyncSession, scope: ClinicScope, provider: KnownProvider, claims: Claims
) -> User:
    members = (
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.clinic_id == scope.clinic_id,
            Membership.deactivated_at.is_(None),
            User.deactivated_at.is_(None),
        )
    )
    key = (scope.clinic_id, provider.issuer, claims.subject)
    if account := await session.get(ProviderAccount, key):
        user: User | None = await session.scalar(members.where(User.id == account.user_id))
        if user is None:
            raise NotMember
        return user
    if not claims.email_verified:
        raise EmailNotVerified
    # Some letters of other scripts have a Latin one in lower case.
    email = normal_email(claims.email) if claims.email.isascii() else claims.email
    user = await session.scalar(members.where(User.email == email))
    if user is None:
        raise NotMember
    if await session.scalar(
        select(ProviderAccount.subject).where(
            ProviderAccount.issuer == provider.issuer, ProviderAccount.user_id == user.id
        )
    ):
        raise OtherAccount
    session.add(
        ProviderAccount(
            clinic_id=scope.clinic_id,
            issuer=provider.issuer,
            subject=claims.subject,
            user_id=user.id,
        )
    )
    await record_action(
        session,
        scope,
        Action.ACCOUNT_LINKED,
        (SubjectKind.STAFF, user.id, user.name),
        actor_name=user.name,
        issuer=provider.issuer,
    )
    return user


async def _is_demo_beside_real_clinics(session: AsyncSession) -> bool:
    if not locked_clinic(session).is_demo:
        return False
    real = await session.scalar(select(Clinic.id).where(Clinic.is_demo.is_(False)).limit(1))
    return real is not None
