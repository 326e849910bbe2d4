"""The people who write to a clinic."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from clinic_chat.domain.validation import valid_name
from clinic_chat.folding import search_key
from clinic_chat.storage.base import Base, ClinicOwned, new_id, now

# One character may take up to 18 in its search form; what a search may need is far less.
SEARCH_NAME_LIMIT = 400


class Patient(ClinicOwned, Base):
    """A patient of one clinic; how they are reached is in `patient_identities`.

    `name` is "" while nobody said one; `other_names` are those that others wrote under from the
    same number, one a line. `phone_shown` is the number as it was used last, or where messages
    come from that is no number; `search_phones` are all numbers, for searches.
    """

    __tablename__ = "patients"

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
    """A patient row ready to add; the name is checked and its search form filled in.

    Raises:
        InvalidInput: a rule of `valid_name`.
    """
    display_name = valid_name(name)
    return Patient(name=display_name, search_name=search_name([display_name]))


def search_name(names: list[str]) -> str:
    """What a search for a person of these names is compared with."""
    return search_key(" ".join(names))[:SEARCH_NAME_LIMIT]
