"""What administrators set of their clinic's identity provider."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.second_factors.authenticator_app import Seal
from clinic_chat.domain.accounts.session_records import Proof, SignInSession
from clinic_chat.domain.accounts.users import User
from clinic_chat.domain.administration.audit_trail import Action, record_action
from clinic_chat.domain.administration.members import member_of
from clinic_chat.domain.clinics.scope import ClinicScope, locked_clinic
from clinic_chat.domain.errors import InvalidInput, NotFound
from clinic_chat.domain.events.log import SubjectKind
from clinic_chat.domain.single_sign_on.providers import (
    CLIENT_ID_LIMIT,
    ISSUER_LIMIT,
    SECRET_LIMIT,
    IdentityProvider,
    ProviderAccount,
)
from clinic_chat.openid.discovery import issuer_in, problems_of, read_document
from clinic_chat.outbound.addresses import checked_url
from clinic_chat.outbound.client import Outbound
from clinic_chat.outbound.errors import OutboundError


@dataclass(frozen=True)
class ProviderSettings:
    """A clinic's provider as administrators see it; the secret is never shown."""

    issuer: str
    client_id: str
    is_enabled: bool
    is_readable: bool
    """Whether the secret can be opened: not when the server's key is another than it was."""


@dataclass(frozen=True)
class WantedProvider:
    """What an administrator typed; no secret keeps the one that there is."""

    issuer: str
    client_id: str
    secret: str
    is_enabled: bool


@dataclass(frozen=True)
class LinkedPerson:
    """A person whose account at the provider is known; `linked_at` is ISO 8601 in UTC."""

    id: str
    name: str
    email: str
    linked_at: str


@dataclass(frozen=True)
class ProviderCheck:
    """What is wrong with a provider: codes of `Failure` and `Problem`, none when all is well."""

    problems: list[str]
    issuer: str
    """What it calls itself, "" when it could not be asked."""


async def read_provider(scope: ClinicScope, seal: Seal) -> ProviderSettings | None:
    """The clinic's provider, None when there is none."""
    require(scope, Permission.MANAGE_CLINIC)
    async with scope.read() as session:
        row = await session.scalar(select(IdentityProvider))
    if row is None:
        return None
    return ProviderSettings(
        row.issuer, row.client_id, row.is_enabled, seal.open(row.sealed_secret) is not None
    )


async def save_provider(scope: ClinicScope, seal: Seal, wanted: WantedProvider) -> None:
    """Set the clinic's provider, or change it.

    With another issuer or client it is another one: who was known is forgotten. Sessions that it
    began end then, and when it is turned off.

    Raises:
        InvalidInput: `issuer_invalid`, `client_id_invalid`, `secret_invalid` or `secret_missing`.
    """
    require(scope, Permission.MANAGE_CLINIC)
    issuer, client_id = wanted.issuer.strip(), wanted.client_id.strip()
    secret = wanted.secret.strip()
    _check_issuer(issuer)
    if not _is_text(client_id, CLIENT_ID_LIMIT):
        raise InvalidInput("a client id has 1 to 255 signs", code="client_id_invalid")
    if secret and not _is_text(secret, SECRET_LIMIT):
        raise InvalidInput("a secret has 1 to 500 signs", code="secret_invalid")
    async with scope.write() as session:
        row = await session.scalar(select(IdentityProvider))
        before = _public(row)
        is_other = row is None or (row.issuer, row.client_id) != (issuer, client_id)
        # A secret goes to the provider that it is of, and to no other address.
        if is_other and not secret:
            raise InvalidInput("give the client's secret", code="secret_missing")
        if row is None:
            row = IdentityProvider(clinic_id=scope.clinic_id)
            session.add(row)
        row.issuer, row.client_id, row.is_enabled = issuer, client_id, wanted.is_enabled
        if secret:
            row.sealed_secret = seal.close(secret)
        after = _public(row)
        changed = {
            key: [before.get(key), after[key]] for key in after if before.get(key) != after[key]
        }
        if not changed and not secret:
            return
        if is_other:
            await session.execute(delete(ProviderAccount))
        ended = 0
        if before and (is_other or not row.is_enabled):
            ended = await _end_sessions(session, scope)
        await _record(
            session,
            scope,
            Action.PROVIDER_SET,
            changed=changed,
            secret=bool(secret),
            sessions=ended,
        )


async def remove_provider(scope: ClinicScope) -> None:
    """Forget the clinic's provider and who came from there; the sessions that it began end.

    Raises:
        NotFound: there is none.
    """
    require(scope, Permission.MANAGE_CLINIC)
    async with scope.write() as session:
        row = await session.scalar(select(IdentityProvider))
        if row is None:
            raise NotFound("the clinic has no identity provider")
        issuer = row.issuer
        await session.delete(row)
        await session.execute(delete(ProviderAccount))
        ended = await _end_sessions(session, scope)
        await _record(session, scope, Action.PROVIDER_REMOVED, issuer=issuer, sessions=ended)


async def list_linked_people(scope: ClinicScope) -> list[LinkedPerson]:
    """Whose account at the provider is known, by name."""
    require(scope, Permission.MANAGE_CLINIC)
    async with scope.read() as session:
        rows = await session.execute(
            select(User.id, User.name, User.email, ProviderAccount.linked_at)
            .join(ProviderAccount, ProviderAccount.user_id == User.id)
            .order_by(User.name, User.id)
        )
        return [
            LinkedPerson(str(key), name, email, at.isoformat()) for key, name, email, at in rows
        ]


async def unlink_person(scope: ClinicScope, user_id: object) -> None:
    """Forget a person's account at the provider; their sessions by it end.

    They are found by their address again the next time, with whatever account they have then.

    Raises:
        NotFound: there is no such member, or none is known.
    """
    require(scope, Permission.MANAGE_CLINIC)
    async with scope.write() as session:
        user, _ = await member_of(session, scope, user_id)
        accounts = list(
            await session.scalars(select(ProviderAccount).where(ProviderAccount.user_id == user.id))
        )
        if not accounts:
            raise NotFound("no account at the provider is known")
        for account in accounts:
            await session.delete(account)
        ended = await _end_sessions(session, scope, user.id)
        await record_action(
            session,
            scope,
            Action.ACCOUNT_UNLINKED,
            (SubjectKind.STAFF, user.id, user.name),
            sessions=ended,
        )


async def check_provider(scope: ClinicScope, outbound: Outbound, issuer: str) -> ProviderCheck:
    """Ask a provider what it says of itself, and tell what is wrong with it.

    Raises:
        InvalidInput: `issuer_invalid`.
    """
    require(scope, Permission.MANAGE_CLINIC)
    wanted = issuer.strip()
    _check_issuer(wanted)
    try:
        document = await read_document(outbound, scope.clinic_id, wanted)
    except OutboundError as error:
        return ProviderCheck([str(error.failure)], "")
    return ProviderCheck([str(one) for one in problems_of(document, wanted)], issuer_in(document))


def _check_issuer(issuer: str) -> None:
    try:
        url = checked_url(issuer)
    except OutboundError:
        url = None
    if url is None or url.query or len(issuer) > ISSUER_LIMIT:
        raise InvalidInput("an issuer is an https address", code="issuer_invalid")


def _is_text(value: str, limit: int) -> bool:
    return 1 <= len(value) <= limit and value.isascii() and value.isprintable()


def _public(row: IdentityProvider | None) -> dict[str, str | bool]:
    if row is None:
        return {}
    return {"issuer": row.issuer, "client_id": row.client_id, "is_enabled": row.is_enabled}


async def _end_sessions(
    session: AsyncSession, scope: ClinicScope, user_id: UUID | None = None
) -> int:
    """End the sessions that the provider began, of one person or of everybody."""
    whose = [SignInSession.user_id == user_id] if user_id else []
    ended = await session.scalars(
        delete(SignInSession)
        .where(
            SignInSession.clinic_id == scope.clinic_id,
            SignInSession.proof == Proof.PROVIDER,
            *whose,
        )
        .returning(SignInSession.id)
    )
    return len(list(ended))


async def _record(
    session: AsyncSession, scope: ClinicScope, action: Action, **details: Any
) -> None:
    clinic = locked_clinic(session)
    subject = (SubjectKind.CLINIC, clinic.id, clinic.name)
    await record_action(session, scope, action, subject, **details)
