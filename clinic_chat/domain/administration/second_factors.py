"""Second factors: a person's own app, and what an administrator does for one who lost theirs."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.second_factors.authenticator_app import (
    NewFactor,
    Seal,
    SecondFactor,
    accept_code,
    confirmed_app,
    new_factor,
    use_recovery_code,
)
from clinic_chat.domain.accounts.second_factors.factors import (
    codes_for_first_factor,
    factors_of,
    forget_app,
    forget_factors,
    recovery_codes_left,
)
from clinic_chat.domain.accounts.session_records import SignInSession
from clinic_chat.domain.accounts.users import Membership, User
from clinic_chat.domain.administration.audit_trail import Action, record_action
from clinic_chat.domain.administration.members import member_of
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import Conflict, InvalidInput, NotFound
from clinic_chat.domain.events.log import SubjectKind
from clinic_chat.storage.base import now


class WrongCode(InvalidInput):
    """The code is not the app's of now, or was used already."""

    code = "code_wrong"


@dataclass(frozen=True)
class OwnFactor:
    """A person's app for codes, and what stands in for it."""

    is_on: bool
    recovery_codes: int
    """How many were not used yet."""


async def read_own_factor(scope: ClinicScope) -> OwnFactor:
    """Whether a person has an app for codes, and their recovery codes."""
    require(scope, Permission.MANAGE_OWN_ACCOUNT)
    user_id = scope.staff_id()
    async with scope.database.read() as session:
        factors = await factors_of(session, user_id)
        left = await recovery_codes_left(session, user_id)
    return OwnFactor(factors.app, left)


async def begin_factor(scope: ClinicScope, seal: Seal) -> NewFactor:
    """A secret for the person's app; nothing is asked for before its first code was right.

    Raises:
        Conflict: `factor_exists`.
    """
    require(scope, Permission.MANAGE_OWN_ACCOUNT)
    user_id = scope.staff_id()
    async with scope.write() as session:
        if await confirmed_app(session, user_id) is not None:
            raise Conflict("there is a second factor already", code="factor_exists")
        await forget_app(session, user_id)
        user = await session.get_one(User, user_id)
        told, row = new_factor(seal, user_id, user.email)
        session.add(row)
    return told


async def confirm_factor(scope: ClinicScope, seal: Seal, code: str) -> list[str]:
    """Ask for the app from now on.

    Returns new recovery codes, which are shown this once; none for who has those of a passkey.

    Raises:
        NotFound: no secret was made.
        WrongCode: the code is not the app's.
    """
    require(scope, Permission.MANAGE_OWN_ACCOUNT)
    user_id = scope.staff_id()
    async with scope.write() as session:
        factor = await session.get(SecondFactor, user_id, with_for_update=True)
        if factor is None or factor.confirmed_at is not None:
            raise NotFound("no second factor waits for its first code")
        if not accept_code(seal, factor, code, now()):
            raise WrongCode("this is not the app's code of now")
        texts = await codes_for_first_factor(session, user_id)
        factor.confirmed_at = now()
        await _record(session, scope, Action.FACTOR_ADDED, user_id)
    return texts


async def remove_own_factor(scope: ClinicScope, seal: Seal, code: str) -> None:
    """Ask for the app no more; a code of the app or a recovery code says that it is its person.

    Raises:
        NotFound: there is none.
        WrongCode: the code is neither.
    """
    require(scope, Permission.MANAGE_OWN_ACCOUNT)
    user_id = scope.staff_id()
    async with scope.write() as session:
        factor = await confirmed_app(session, user_id)
        if factor is None:
            raise NotFound("there is no second factor")
        if not (
            accept_code(seal, factor, code, now())
            or await use_recovery_code(session, user_id, code)
        ):
            raise WrongCode("this is neither the app's code of now nor a recovery code")
        await forget_app(session, user_id)
        await _record(session, scope, Action.FACTOR_REMOVED, user_id)


async def remove_factor_of(scope: ClinicScope, user_id: object) -> None:
    """Forget the app and the passkeys of a member who lost them; their sessions end.

    Raises:
        NotFound: there is no such member, or they have none.
        Conflict: `works_elsewhere`: another clinic is behind the same factor.
    """
    require(scope, Permission.MANAGE_STAFF)
    async with scope.write() as session:
        user, _ = await member_of(session, scope, user_id)
        elsewhere = await session.scalar(
            select(func.count())
            .select_from(Membership)
            .where(Membership.user_id == user.id, Membership.clinic_id != scope.clinic_id)
        )
        if elsewhere:
            raise Conflict("this person works in another clinic too", code="works_elsewhere")
        if not await factors_of(session, user.id):
            raise NotFound("there is no second factor")
        await forget_factors(session, user.id)
        await session.execute(delete(SignInSession).where(SignInSession.user_id == user.id))
        await _record(session, scope, Action.FACTOR_REMOVED, user.id)


async def _record(session: AsyncSession, scope: ClinicScope, action: Action, user_id: UUID) -> None:
    user = await session.get_one(User, user_id)
    await record_action(session, scope, action, (SubjectKind.STAFF, user.id, user.name))
