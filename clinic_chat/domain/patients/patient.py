"""Patients: the people who write to a clinic."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, Text, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from clinic_chat.domain.errors import NotFound
from clinic_chat.domain.validation import valid_name
from clinic_chat.folding import search_key
from clinic_chat.storage.base import Base, ClinicOwned, new_id, now
from clinic_chat.storage.statements import ON_EVENT_LOOP

# Folding can turn one character into 18; a search needs far fewer.
SEARCH_NAME_LIMIT = 400


class Patient(ClinicOwned, Base):
    """A patient of one clinic; their identities are in `patient_identities`.

    `name` is "" until one is known. `other_names` are further names that messages from the same
    number had, one per line. `phone_shown` is the number, or other address, that was used last;
    `search_phones` are all numbers, separated by spaces, for searches.
    """

    __tablename__ = "patients"
    __table_args__ = (Index(None, "clinic_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120))
    search_name: Mapped[str] = mapped_column(String(SEARCH_NAME_LIMIT))
    other_names: Mapped[str | None] = mapped_column(Text, default=None)
    phone_shown: Mapped[str | None] = mapped_column(String(64), default=None)
    search_phones: Mapped[str | None] = mapped_column(Text, default=None)
    created_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def also_known_as(self) -> list[str]:
        """The other names, the latest last."""
        return self.other_names.splitlines() if self.other_names else []


def new_patient(name: str) -> Patient:
    """A new patient row with a checked name and its search form, not yet in a session.

    Raises:
        InvalidInput: a rule of `valid_name`.
    """
    display_name = valid_name(name)
    return Patient(name=display_name, search_name=search_name([display_name]))


def parse_patient_id(value: object) -> UUID:
    """Parse a patient's id from an address or a body.

    Raises:
        NotFound: not an id, which must look the same as an unknown one.
    """
    if isinstance(value, UUID):
        return value
    try:
        return UUID(str(value)[:40])
    except ValueError:
        raise NotFound("no such patient") from None


def load_patient(session: Session, value: object) -> Patient:
    """The clinic's patient with this id, to be changed in the session's transaction.

    Raises:
        NotFound: unknown, malformed or another clinic's.
    """
    patient: Patient | None = session.scalar(_ONE, {"patient": parse_patient_id(value)})
    if patient is None:
        raise NotFound("no such patient")
    return patient


def search_name(names: list[str]) -> str:
    """The folded text of these names that searches look in, at most 400 characters."""
    return search_key(" ".join(names))[:SEARCH_NAME_LIMIT]


_ONE = select(Patient).where(Patient.id == bindparam("patient")).execution_options(**ON_EVENT_LOOP)
