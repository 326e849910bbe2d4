"""The people who write to a clinic."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import String, Text, UniqueConstraint, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from clinic_chat.domain.patients.names import same_name, with_other_name
from clinic_chat.domain.patients.phones import Address
from clinic_chat.domain.validation import clean_name
from clinic_chat.folding import search_key
from clinic_chat.storage.base import Base, ClinicOwned, new_id, now
from clinic_chat.storage.scoping import AGAIN

# One character may take up to 18 in its search form; what a search may need is far less.
SEARCH_NAME_LIMIT = 400


class Patient(ClinicOwned, Base):
    """A patient of one clinic, known by phone number or by where they were imported from.

    `phone` is in the form that tells numbers apart (`phone_address`), `phone_shown` is the one
    last seen. `name` is "" while nobody said one; `other_names` are those that others wrote
    under from the same number, one a line.
    """

    __tablename__ = "patients"
    __table_args__ = (
        UniqueConstraint("clinic_id", "phone"),
        UniqueConstraint("clinic_id", "source_key"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120))
    search_name: Mapped[str] = mapped_column(String(SEARCH_NAME_LIMIT))
    other_names: Mapped[str | None] = mapped_column(Text, default=None)
    phone: Mapped[str | None] = mapped_column(String(16), default=None)
    phone_shown: Mapped[str | None] = mapped_column(String(64), default=None)
    source_key: Mapped[str | None] = mapped_column(String(200), default=None)
    created_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def also_known_as(self) -> list[str]:
        """The other names, the latest last."""
        return self.other_names.splitlines() if self.other_names else []

    @property
    def shown_phone(self) -> str:
        """The number as it was used last, "" when there is none."""
        return self.phone_shown or self.phone or ""


def new_patient(name: str, *, phone: str | None = None, source_key: str | None = None) -> Patient:
    """A patient row ready to add; the name is checked and its search form filled in."""
    display_name = clean_name(name)
    return Patient(
        name=display_name,
        search_name=_search_name([display_name]),
        phone=phone,
        source_key=source_key,
    )


def sending_patient(session: Session, address: Address, name: str) -> tuple[Patient, str]:
    """The clinic's patient who writes from this address, and the name they write under.

    The patient is created when new. A real name stays: what a channel calls a person changes
    with their phone's profile and must not rename a record, and one phone may be several
    people's. Without a name yet, the first real one becomes the patient's. `name` is "" when
    the channel gives none.
    """
    patient = _patient_at(session, address)
    if patient is None:
        patient = Patient(
            name=name,
            search_name=_search_name([name]),
            phone=address.number,
            phone_shown=address.shown,
            source_key=address.key,
        )
        session.add(patient)
        session.flush()
        return patient, name
    if patient.phone_shown != address.shown:
        patient.phone_shown = address.shown
    if name and not patient.name:
        patient.name, patient.search_name = name, _search_name([name])
    if not name or same_name(name, patient.name):
        return patient, patient.name
    others = with_other_name(patient.also_known_as, name)
    if patient.also_known_as != others:
        patient.other_names = "\n".join(others)
        patient.search_name = _search_name([patient.name, *others])
    return patient, name


def _patient_at(session: Session, address: Address) -> Patient | None:
    statement = _BY_PHONE if address.number else _BY_KEY
    found: Patient | None = session.scalar(statement, {"at": address.number or address.key})
    return found


def _search_name(names: list[str]) -> str:
    return search_key(" ".join(names))[:SEARCH_NAME_LIMIT]


_BY_PHONE = (
    select(Patient).where(Patient.phone == bindparam("at")).execution_options(**{AGAIN: True})
)
_BY_KEY = (
    select(Patient).where(Patient.source_key == bindparam("at")).execution_options(**{AGAIN: True})
)
