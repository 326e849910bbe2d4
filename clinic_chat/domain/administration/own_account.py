"""What people change of their own account: name, password, and where they are signed in."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.accounts.passwords import (
    check_new_password,
    hash_password,
    verify_password,
)
from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.session_records import SignInSession
from clinic_chat.domain.accounts.users import User, clinics_of
from clinic_chat.domain.administration.audit_trail import Action, record_action
from clinic_chat.domain.clinics.actors import StaffActor
from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import InvalidInput, NotFound
from clinic_chat.domain.events.log import SubjectKind
from clinic_chat.domain.validation import valid_name


class WrongPassword(InvalidInput):
    """The password that was given is not the person's."""

    code = "password_wrong"


@dataclass(frozen=True)
class SignedInBrowser:
    """One of a person's sessions; times are ISO 8601 in UTC."""

    id: str
    clinic: str
    browser: str
    """Its name and system, such as "Firefox · Windows"; "" when it did not say."""
    address: str
    signed_in_at: str
    seen_at: str
    is_this: bool


async def change_name(scope: ClinicScope, name: str) -> str:
    """Give oneself another name, which colleagues see. Returns it as it is stored.

    Raises:
        InvalidInput: a rule of `valid_name`.
    """
    require(scope, Permission.MANAGE_OWN_ACCOUNT)
    wanted = valid_name(name)
    async with scope.write() as session:
        user = await session.get_one(User, scope.staff_id())
        before, user.name = user.name, wanted
        if before != wanted:
            await record_action(
                session,
                scope,
                Action.PROFILE_CHANGED,
                (SubjectKind.STAFF, user.id, wanted),
                before=before,
            )
    return wanted


async def check_own_password(scope: ClinicScope, password: str) -> None:
    """Make sure that it is a session's own person who acts: they know the password.

    Raises:
        WrongPassword: it is another.
        QueueFull: too many passwords are being checked already.
    """
    require(scope, Permission.MANAGE_OWN_ACCOUNT)

    async def read_hash() -> str | None:
        async with scope.database.read() as session:
            found: str | None = await session.scalar(
                select(User.password_hash).where(User.id == scope.staff_id())
            )
            return found

    if not await verify_password(password, read_hash):
        raise WrongPassword("this is not your password")


async def change_password(scope: ClinicScope, session_id: UUID, old: str, new: str) -> list[UUID]:
    """Set a new password; the person's other sessions end. Returns their ids.

    Raises:
        WrongPassword: `old` is not the person's password.
        InvalidInput: a rule of `check_new_password`.
        QueueFull: too many passwords are being checked already.
    """
    await check_own_password(scope, old)
    user_id = scope.staff_id()
    async with scope.database.read() as session:
        user = await session.get_one(User, user_id)
    clinics = await clinics_of(scope.database, user_id)
    check_new_password(new, (user.email, user.name, *(clinic.name for clinic in clinics)))
    password_hash = await hash_password(new)
    async with scope.write() as session:
        stored = await session.get_one(User, user_id)
        stored.password_hash = password_hash
        ended = await _end_others(session, scope, session_id)
        await record_action(
            session,
            scope,
            Action.PASSWORD_CHANGED,
            (SubjectKind.STAFF, user_id, stored.name),
            sessions=len(ended),
        )
        return ended


async def list_browsers(scope: ClinicScope, session_id: UUID) -> list[SignedInBrowser]:
    """Where a person is signed in, this browser first, then by last use.

    By the word of a clinic's provider one sees, and ends, the sessions in this clinic alone.
    """
    require(scope, Permission.MANAGE_OWN_SESSIONS)
    async with scope.database.read() as session:
        rows = await session.execute(
            select(SignInSession, Clinic.name)
            .join(Clinic, Clinic.id == SignInSession.clinic_id)
            .where(*_own_sessions(scope))
            .order_by(SignInSession.seen_at.desc(), SignInSession.id)
        )
        browsers = [
            SignedInBrowser(
                str(row.id),
                clinic,
                browser_name(row.user_agent),
                row.address,
                row.signed_in_at.isoformat(),
                row.seen_at.isoformat(),
                row.id == session_id,
            )
            for row, clinic in rows
        ]
    return sorted(browsers, key=lambda browser: not browser.is_this)


def browser_name(user_agent: str) -> str:
    """A browser's name and system by its User-Agent header, as far as it can be told."""
    named = [next((name for sign, name in known if sign in user_agent), "") for known in _SIGNS]
    return " · ".join(filter(None, named)) or user_agent[:40]


# In this order, because most of them also have the signs of those behind them.
_SIGNS = (
    (
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser", "Samsung Internet"),
        ("Firefox", "Firefox"),
        ("FxiOS", "Firefox"),
        ("CriOS", "Chrome"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    ),
    (
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ),
)


async def end_browser(scope: ClinicScope, session_id: object) -> UUID:
    """Sign oneself out of one browser. Returns the session's id.

    Raises:
        NotFound: it is no session of this person.
    """
    require(scope, Permission.MANAGE_OWN_SESSIONS)
    try:
        key = UUID(str(session_id))
    except ValueError:
        raise NotFound("no such session") from None
    async with scope.write() as session:
        row = await session.scalar(
            select(SignInSession).where(SignInSession.id == key, *_own_sessions(scope))
        )
        if row is None:
            raise NotFound("no such session")
        await session.delete(row)
        await _record_end(session, scope, 1)
    return key


async def end_other_browsers(scope: ClinicScope, session_id: UUID) -> list[UUID]:
    """Sign oneself out everywhere but here. Returns the ids of the sessions that ended."""
    require(scope, Permission.MANAGE_OWN_SESSIONS)
    async with scope.write() as session:
        ended = await _end_others(session, scope, session_id)
        if ended:
            await _record_end(session, scope, len(ended))
        return ended


def _own_sessions(scope: ClinicScope) -> list[ColumnElement[bool]]:
    mine = [SignInSession.user_id == scope.staff_id()]
    if isinstance(scope.actor, StaffActor) and scope.actor.by_provider:
        mine.append(SignInSession.clinic_id == scope.clinic_id)
    return mine


async def _end_others(session: AsyncSession, scope: ClinicScope, session_id: UUID) -> list[UUID]:
    rows = await session.scalars(
        delete(SignInSession)
        .where(*_own_sessions(scope), SignInSession.id != session_id)
        .returning(SignInSession.id)
    )
    return list(rows)


async def _record_end(session: AsyncSession, scope: ClinicScope, number: int) -> None:
    user = await session.get_one(User, scope.staff_id())
    await record_action(
        session,
        scope,
        Action.SESSIONS_ENDED,
        (SubjectKind.STAFF, user.id, user.name),
        sessions=number,
    )
