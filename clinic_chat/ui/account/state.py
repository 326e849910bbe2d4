"""Account state: the signed-in person, for the screens."""

from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import reflex as rx

from clinic_chat.cache.single_flight import SingleFlightCache
from clinic_chat.domain.accounts.session_records import Identity
from clinic_chat.domain.accounts.users import clinics_of
from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.realtime.connections import Connection, current_connection
from clinic_chat.realtime.gate import exposed
from clinic_chat.storage.database import StorageUnavailable

# A person's tabs often reconnect together, after an outage or a restart.
_CLINICS: SingleFlightCache[list[Clinic]] = SingleFlightCache("clinics", seconds=2.0)


@dataclass(frozen=True)
class ClinicChoice:
    """A clinic the person works in."""

    slug: str
    name: str
    current: bool


class Account(rx.State):
    """The signed-in person and clinic, all from the session and nothing from clients."""

    user_id: str = ""
    user_name: str = ""
    email: str = ""
    role: str = ""
    clinic: str = ""
    clinic_name: str = ""
    time_zone: str = "UTC"
    locale: str = ""
    sound: bool = True
    is_restricted: bool = False
    """Whether the clinic asks for a second factor that the person has not set up yet."""
    by_provider: bool = False
    """Whether the clinic's identity provider says who this is: the session is this clinic's."""
    clinics: list[ClinicChoice] = []  # noqa: RUF012 - Reflex copies the default of a var

    @exposed
    async def load(self) -> None:
        """Fill the vars with the person of this tab's session."""
        connection = current_connection()
        self.fill_in(connection.identity)
        if not self.clinics:
            # The list and the conversation matter more than the other clinics' names, which the
            # next load asks for again.
            with suppress(StorageUnavailable):
                self.clinics = await self._choices(connection)

    def fill_in(self, identity: Identity) -> None:
        """Fill the vars with a person."""
        self.user_id = str(identity.user_id)
        self.user_name = identity.user_name
        self.email = identity.email
        self.role = identity.role
        self.clinic = identity.clinic_slug
        self.clinic_name = identity.clinic_name
        self.time_zone = identity.timezone
        self.locale = identity.locale or ""
        self.sound = identity.sound
        self.is_restricted = identity.is_restricted
        self.by_provider = identity.by_provider

    async def _choices(self, connection: Connection) -> list[ClinicChoice]:
        user_id, current = connection.identity.user_id, connection.identity.clinic_id
        read = partial(clinics_of, connection.scope.database, user_id)
        return [
            ClinicChoice(clinic.slug, clinic.name, clinic.id == current)
            for clinic in await _CLINICS.get(user_id, read)
            # A clinic's provider is not told where else somebody works.
            if clinic.id == current or not connection.identity.by_provider
        ]
