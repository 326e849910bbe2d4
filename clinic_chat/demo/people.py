"""Demo clinics and their staff."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from clinic_chat.domain.clinics.actors import Role

DEMO_PASSWORD = "demo-clinic-chat"  # noqa: S105 (published in the README on purpose)


@dataclass(frozen=True)
class DemoClinic:
    """A clinic; its conversations are in `<slug>.txt` beside this module."""

    slug: str
    name: str
    timezone: str

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the clinic's conversations."""
        return ZoneInfo(self.timezone)


@dataclass(frozen=True)
class DemoPerson:
    """A staff member; conversations name a person by the part of the email before the @."""

    email: str
    name: str
    locale: str
    roles: dict[str, Role]
    """The person's role, by the slug of each clinic they work in."""

    @property
    def handle(self) -> str:
        """The person's name in the text of conversations."""
        return self.email.partition("@")[0]


CLINICS = (
    DemoClinic("aurora", "Clínica Aurora", "America/Sao_Paulo"),
    DemoClinic("boreal", "Boreal Family Health", "America/Toronto"),
)

STAFF = (
    DemoPerson("ana@aurora.example", "Ana Beatriz Moura", "pt-BR", {"aurora": Role.ADMIN}),
    DemoPerson("bruno@aurora.example", "Bruno Tavares", "pt-BR", {"aurora": Role.PROFESSIONAL}),
    DemoPerson("renata@aurora.example", "Renata Quintela", "pt-BR", {"aurora": Role.RECEPTIONIST}),
    DemoPerson("carla@boreal.example", "Carla Whitfield", "en", {"boreal": Role.ADMIN}),
    DemoPerson(
        "daniel@boreal.example",
        "Daniel Moreau",
        "en",
        {"boreal": Role.PROFESSIONAL, "aurora": Role.PROFESSIONAL},
    ),
)
