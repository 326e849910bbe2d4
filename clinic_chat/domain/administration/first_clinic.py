"""The first clinic of a server and its administrator, made from a browser on a new installation."""

import re
import unicodedata
from dataclasses import dataclass

from sqlalchemy import func, select

from clinic_chat.domain.accounts.passwords import check_new_password, hash_password
from clinic_chat.domain.accounts.users import LOCALES, Membership, User, checked_email
from clinic_chat.domain.administration.audit_trail import Action, record_action
from clinic_chat.domain.clinics.actors import SYSTEM, Role
from clinic_chat.domain.clinics.clinic import Clinic, check_timezone
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import Conflict, InvalidInput
from clinic_chat.domain.events.log import SubjectKind
from clinic_chat.domain.validation import valid_name
from clinic_chat.storage.base import new_id
from clinic_chat.storage.database import Database

SLUG_LENGTH = 40


@dataclass(frozen=True)
class FirstClinic:
    """What the set-up page asks for."""

    clinic_name: str
    timezone: str
    name: str
    email: str
    password: str
    locale: str


async def has_clinic(database: Database) -> bool:
    """Whether there is a clinic."""
    async with database.read() as session:
        return bool(await session.scalar(select(func.count()).select_from(Clinic)))


async def create_first_clinic(database: Database, wanted: FirstClinic, address: str = "") -> str:
    """Create the first clinic and its administrator. Returns the administrator's email address.

    Raises:
        Conflict: `clinic_exists`: there is one already.
        InvalidInput: `timezone_invalid`, `locale_invalid`, `email_invalid`, a rule of `valid_name`
            or of `check_new_password`.
    """
    clinic_name, name = valid_name(wanted.clinic_name), valid_name(wanted.name)
    email = checked_email(wanted.email)
    check_timezone(wanted.timezone)
    if wanted.locale not in LOCALES:
        raise InvalidInput(f"locale must be one of {', '.join(LOCALES)}", code="locale_invalid")
    check_new_password(wanted.password, (email, name, clinic_name))
    # Before the transaction: it takes long enough to keep other writers waiting.
    password_hash = await hash_password(wanted.password)
    clinic = Clinic(
        id=new_id(),
        slug=slug_of(clinic_name),
        name=clinic_name,
        timezone=wanted.timezone,
    )
    user = User(
        id=new_id(), email=email, name=name, password_hash=password_hash, locale=wanted.locale
    )
    async with database.write() as session:
        if await session.scalar(select(func.count()).select_from(Clinic)):
            raise Conflict("there is a clinic already", code="clinic_exists")
        session.add_all([clinic, user])
        await session.flush()
        session.add(Membership(user_id=user.id, clinic_id=clinic.id, role=Role.ADMIN))
    scope = ClinicScope(database, clinic.id, SYSTEM, address=address)
    async with scope.write() as session:
        await record_action(
            session,
            scope,
            Action.MEMBER_ADDED,
            (SubjectKind.STAFF, user.id, name),
            actor_name=name,
            role=str(Role.ADMIN),
        )
    return email


def slug_of(name: str) -> str:
    """A short name for addresses, made of a clinic's name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:SLUG_LENGTH].strip("-")
    return slug or "clinic"
