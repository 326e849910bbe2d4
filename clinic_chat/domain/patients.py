"""The people who write to a clinic."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import String, UniqueConstraint, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from clinic_chat.domain.text import clean_name
from clinic_chat.folding import search_key
from clinic_chat.storage.base import Base, ClinicOwned, new_id, now
from clinic_chat.storage.scoping import AGAIN

# One character may take up to 18 in its search form; what a search may need is far less.
SEARCH_NAME_LIMIT = 400


class Patient(ClinicOwned, Base):
    """A patient of one clinic, known by phone number or by where they were imported from."""

    __tablename__ = "patients"
    __table_args__ = (
        UniqueConstraint("clinic_id", "phone"),
        UniqueConstraint("clinic_id", "source_key"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120))
    search_name: Mapped[str] = mapped_column(String(SEARCH_NAME_LIMIT))
    phone: Mapped[str | None] = mapped_column(String(16), default=None)
    source_key: Mapped[str | None] = mapped_column(String(200), default=None)
    created_at: Mapped[datetime] = mapped_column(default=now)


def new_patient(name: str, *, phone: str | None = None, source_key: str | None = None) -> Patient:
    """A patient row ready to add; the name is checked and its search form filled in."""
    display_name = clean_name(name)
    return Patient(
        name=display_name,
        search_name=search_key(display_name)[:SEARCH_NAME_LIMIT],
        phone=phone,
        source_key=source_key,
    )


def patient_by_phone(session: Session, phone: str, name: str) -> Patient:
    """The clinic's patient with this phone number, created with `name` when new.

    A known patient keeps the name the clinic has: what a channel calls a person changes
    with their phone's profile and must not rename a record.
    """
    patient = session.scalar(_BY_PHONE, {"phone": phone})
    if patient is None:
        patient = new_patient(name, phone=phone)
        session.add(patient)
        session.flush()
    return patient


_BY_PHONE = (
    select(Patient).where(Patient.phone == bindparam("phone")).execution_options(**{AGAIN: True})
)
