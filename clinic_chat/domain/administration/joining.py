"""Following a link: joining a clinic, or setting a new password, before there is a session."""

from dataclasses import dataclass

from sqlalchemy import delete, select

from clinic_chat.domain.accounts.passwords import check_new_password, hash_password
from clinic_chat.domain.accounts.session_records import SignInSession
from clinic_chat.domain.accounts.users import LOCALES, Membership, User, clinics_of
from clinic_chat.domain.administration.audit_trail import Action, record_action
from clinic_chat.domain.administration.links import LinkKind, LinkOver, find_link
from clinic_chat.domain.clinics.actors import SYSTEM, Role
from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.events.log import SubjectKind
from clinic_chat.domain.validation import valid_name
from clinic_chat.storage.base import new_id, now
from clinic_chat.storage.database import Database


@dataclass(frozen=True)
class LinkOffer:
    """What the person behind a link sees before they use it."""

    kind: LinkKind
    clinic_name: str
    email: str
    name: str
    """Their name where they have an account already, else ""."""
    has_account: bool


async def read_link(database: Database, text: object) -> LinkOffer:
    """What a link offers.

    Raises:
        LinkOver: it never was one, was used, taken back or is too old.
    """
    async with database.read() as session:
        invitation = await find_link(session, text)
        clinic = await session.get_one(Clinic, invitation.clinic_id)
        user = await session.scalar(select(User).where(User.email == invitation.email))
        return LinkOffer(
            invitation.kind,
            clinic.name,
            invitation.email,
            user.name if user else "",
            user is not None,
        )


async def accept_invitation(
    database: Database,
    text: object,
    *,
    name: str,
    password: str,
    locale: str | None = None,
    address: str = "",
) -> str:
    """Join the clinic of a link; the person's email address is returned.

    Somebody who has an account keeps its name and password, and is not signed in by the link.

    Raises:
        LinkOver: it was used, taken back or is too old.
        InvalidInput: a rule of `valid_name` or `check_new_password`, or `locale_invalid`.
    """
    if locale is not None and locale not in LOCALES:
        raise InvalidInput(f"locale must be one of {', '.join(LOCALES)}", code="locale_invalid")
    offer = await read_link(database, text)
    if offer.kind != LinkKind.JOIN:
        raise LinkOver("this link is for a password")
    password_hash = ""
    display_name = offer.name
    if not offer.has_account:
        display_name = valid_name(name)
        check_new_password(password, (offer.email, display_name, offer.clinic_name))
        # Before the transaction: it takes long enough to keep other writers waiting.
        password_hash = await hash_password(password)
    async with database.read() as session:
        clinic_id = (await find_link(session, text)).clinic_id
    scope = ClinicScope(database, clinic_id, SYSTEM, address=address)
    async with scope.write() as session:
        invitation = await find_link(session, text)
        invitation.used_at = now()
        user = await session.scalar(select(User).where(User.email == invitation.email))
        if user is None:
            user = User(
                id=new_id(),
                email=invitation.email,
                name=display_name,
                password_hash=password_hash,
                locale=locale,
            )
            session.add(user)
            await session.flush()
        membership = await session.get(Membership, (user.id, clinic_id))
        if membership is None:
            role = invitation.role or Role.RECEPTIONIST
            session.add(Membership(user_id=user.id, clinic_id=clinic_id, role=role))
            await record_action(
                session,
                scope,
                Action.MEMBER_ADDED,
                (SubjectKind.STAFF, user.id, user.name),
                actor_name=user.name,
                role=str(role),
            )
        return invitation.email


async def set_password_by_link(
    database: Database, text: object, password: str, *, address: str = ""
) -> str:
    """Set the password of the person a link was made for; their sessions end.

    Returns their email address.

    Raises:
        LinkOver: it was used, taken back or is too old.
        InvalidInput: a rule of `check_new_password`.
    """
    offer = await read_link(database, text)
    if offer.kind != LinkKind.PASSWORD:
        raise LinkOver("this link is for joining")
    check_new_password(password, (offer.email, offer.name, offer.clinic_name))
    password_hash = await hash_password(password)
    async with database.read() as session:
        clinic_id = (await find_link(session, text)).clinic_id
    scope = ClinicScope(database, clinic_id, SYSTEM, address=address)
    async with scope.write() as session:
        invitation = await find_link(session, text)
        # They may have joined another clinic since the link was made.
        if invitation.user_id is None or len(await clinics_of(database, invitation.user_id)) > 1:
            raise LinkOver("this link does not count any more")
        invitation.used_at = now()
        user = await session.get_one(User, invitation.user_id)
        user.password_hash = password_hash
        await session.execute(delete(SignInSession).where(SignInSession.user_id == user.id))
        await record_action(
            session,
            scope,
            Action.PASSWORD_CHANGED,
            (SubjectKind.STAFF, user.id, user.name),
            actor_name=user.name,
            by="link",
        )
        return user.email
