"""The clinics, staff and conversations of a run, written before the server starts."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from clinic_chat.domain import tables  # noqa: F401 (the sessions have to know every table)
from clinic_chat.domain.accounts.api_tokens import create_token
from clinic_chat.domain.accounts.users import create_user
from clinic_chat.domain.clinics.actors import SYSTEM
from clinic_chat.domain.clinics.clinic import create_clinic
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import API_CHANNEL, start_conversation
from clinic_chat.domain.messages.appending import append_message
from clinic_chat.domain.messages.message import Direction
from clinic_chat.domain.patients.identities import phone_identity
from clinic_chat.domain.patients.recognition import sending_patient
from clinic_chat.storage.base import new_id
from clinic_chat.storage.database import Database
from clinic_chat.storage.migrate import migrate

PASSWORD = "many-people-at-once"
MESSAGES_EACH = 30


@dataclass(frozen=True)
class ClinicData:
    """A clinic with the addresses of its staff, the ids of its conversations and a token."""

    slug: str
    emails: list[str]
    conversations: list[str]
    token: str
    """A channel's bearer token."""
    tokens: list[str]
    """Of programs, one for each of the staff."""


async def fill(url: str, clinics: int, people: int, each: int) -> list[ClinicData]:
    """Write `clinics` clinics with `people` staff and `each` conversations of 30 messages."""
    await migrate(url)
    database = Database(url)
    try:
        return [await _clinic(database, number, people, each) for number in range(1, clinics + 1)]
    finally:
        await database.close()


async def _clinic(database: Database, number: int, people: int, each: int) -> ClinicData:
    slug = f"load-{number}"
    clinic = await create_clinic(database, slug, f"Clínica {number}")
    emails = [f"pessoa{person}@{slug}.example" for person in range(1, people + 1)]
    for person, email in enumerate(emails, 1):
        await create_user(database, clinic.id, email, f"Pessoa {person} da Silva", PASSWORD)
    scope = ClinicScope(database, clinic.id, SYSTEM)
    patients = range(1, each + 1)
    conversations = [await _conversation(scope, patient) for patient in patients]
    token, *tokens = [
        await create_token(database, clinic.id, name="Quiosque") for _ in range(people + 1)
    ]
    return ClinicData(slug, emails, conversations, token, tokens)


async def _conversation(scope: ClinicScope, number: int) -> str:
    def write(session: Session) -> str:
        identity = phone_identity(f"+55119{number:08}")
        patient, _ = sending_patient(session, [identity], f"Paciente {number}")
        conversation = start_conversation(session, patient.id, API_CHANNEL)
        session.flush()
        for seq in range(1, MESSAGES_EACH + 1):
            append_message(
                session,
                conversation,
                direction=Direction.INBOUND,
                author_name=patient.name,
                body=f"Mensagem {seq}: bom dia, queria saber o horário da consulta de amanhã.",
                origin=API_CHANNEL,
                client_id=str(new_id()),
            )
            session.flush()
        return str(conversation.id)

    return await scope.transact(write)
