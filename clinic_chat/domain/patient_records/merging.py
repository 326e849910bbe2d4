"""Merging two records of one person: what one has goes to the other, and what went is kept.

Two conversations on one channel are not made one. Their messages would get other numbers, and
screens, read markers, cached pages, addresses and events of the log name messages by number; a
new conversation in their place would be taken from under those who write in one of the two.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, bindparam, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.clinics.actors import Actor, StaffActor, TokenActor
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import conversations_of
from clinic_chat.domain.conversations.events import record_patient_change
from clinic_chat.domain.conversations.views import iso
from clinic_chat.domain.errors import Conflict, InvalidInput, NotFound
from clinic_chat.domain.patient_records.identities import note_identity
from clinic_chat.domain.patient_records.views import (
    PatientRecord,
    identities_of,
    patient_record,
)
from clinic_chat.domain.patients.names import OTHER_NAMES_LIMIT, same_name, with_other_name
from clinic_chat.domain.patients.patient import Patient, parse_patient_id, search_name
from clinic_chat.domain.patients.search_words import forget_words, note_searchable
from clinic_chat.storage.base import Base, ClinicOwned, new_id, now
from clinic_chat.storage.statements import ON_EVENT_LOOP

KEPT = timedelta(days=30)
"""So long a merge can be undone: what it moved is forgotten at the next merge after that."""


class PatientMerge(ClinicOwned, Base):
    """A merge of the patient `patient_id`, who is no more, into another one."""

    __tablename__ = "patient_merges"
    __table_args__ = (
        Index(None, "clinic_id", "patient_id"),
        Index(None, "clinic_id", "merged_at"),
        Index(None, "into_patient_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    patient_id: Mapped[UUID] = mapped_column()
    into_patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"))
    before: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Both patients' own fields before it: `merged` and `into`."""
    moved: Mapped[dict[str, list[str]]] = mapped_column(JSON)
    """The ids of the `identities`, `conversations` and earlier `merges` that moved."""
    actor_kind: Mapped[str] = mapped_column(String(10))
    """`staff`, `token` or `system`."""
    actor_id: Mapped[UUID | None] = mapped_column()
    merged_at: Mapped[datetime] = mapped_column(default=now)


class ConversationsOverlap(Conflict):
    """Both patients have a conversation on the same channel."""

    code = "conversations_overlap"

    def __init__(self, channels: list[str]) -> None:
        super().__init__(f"both have a conversation on {', '.join(channels)}; nothing was merged")
        self.details = {"channels": channels}


async def merge_patients(scope: ClinicScope, patient: object, into: object) -> PatientRecord:
    """Move all that a patient has to another one, and remove them. Returns the other's record.

    The names and the address of the other one stay; what they lack comes from the patient. The
    same again changes nothing.

    Raises:
        NotFound: one of them is unknown, malformed or another clinic's.
        InvalidInput: `same_patient`.
        ConversationsOverlap: both have a conversation on one channel.
    """
    require(scope, Permission.CHANGE_PATIENTS)
    merged_id, into_id = parse_patient_id(patient), parse_patient_id(into)
    if merged_id == into_id:
        raise InvalidInput("a patient cannot be merged into themselves", code="same_patient")

    def merge(session: Session) -> PatientRecord:
        both = {row.id: row for row in session.scalars(_BOTH, {"ids": [merged_id, into_id]})}
        merged, target = both.get(merged_id), both.get(into_id)
        if target is None or (merged is None and not _is_done(session, merged_id, into_id)):
            raise NotFound("no such patient")
        if merged is not None:
            session.execute(delete(PatientMerge).where(PatientMerge.merged_at < now() - KEPT))
            _merge(session, merged, target, scope.actor)
        return patient_record(session, target)

    return await scope.transact(merge)


def _merge(session: Session, merged: Patient, target: Patient, actor: Actor) -> None:
    before = {"merged": _fields(merged), "into": _fields(target)}
    moving = [conversation for conversation, _ in conversations_of(session, merged.id)]
    staying = {conversation.channel for conversation, _ in conversations_of(session, target.id)}
    if shared := sorted(staying.intersection(one.channel for one in moving)):
        raise ConversationsOverlap(shared)
    identities = identities_of(session, merged.id)
    earlier = list(session.scalars(_EARLIER, {"into": merged.id}))
    for identity in identities:
        identity.patient_id = target.id
    for conversation in moving:
        conversation.patient_id = target.id
    for merge in earlier:
        merge.into_patient_id = target.id
    _combine(target, merged)
    for identity in identities:
        note_identity(target, identity)
    kind, actor_id = _actor(actor)
    session.add(
        PatientMerge(
            patient_id=merged.id,
            into_patient_id=target.id,
            before=before,
            moved={
                "identities": [str(row.id) for row in identities],
                "conversations": [str(row.id) for row in moving],
                "merges": [str(row.id) for row in earlier],
            },
            actor_kind=kind,
            actor_id=actor_id,
        )
    )
    session.flush()
    forget_words(session, [merged.id])
    session.execute(delete(Patient).where(Patient.id == merged.id))
    note_searchable(session, target, is_new=False)
    record_patient_change(session, target)


def _combine(target: Patient, merged: Patient) -> None:
    """Add the names and numbers of the merged patient to those of the other one."""
    target.name = target.name or merged.name
    others: list[str] = []
    for name in (merged.name, *merged.also_known_as, *target.also_known_as):
        if name and not same_name(name, target.name):
            others = with_other_name(others, name)
    others = others[-OTHER_NAMES_LIMIT:]
    target.other_names = "\n".join(others) or None
    target.search_name = search_name([target.name, *others])
    target.phone_shown = target.phone_shown or merged.phone_shown
    phones = [*(target.search_phones or "").split(), *(merged.search_phones or "").split()]
    target.search_phones = " ".join(dict.fromkeys(phones)) or None


def _fields(patient: Patient) -> dict[str, str | None]:
    return {
        "name": patient.name,
        "otherNames": patient.other_names,
        "phoneShown": patient.phone_shown,
        "searchPhones": patient.search_phones,
        "createdAt": iso(patient.created_at),
    }


def _actor(actor: Actor) -> tuple[str, UUID | None]:
    match actor:
        case StaffActor(user_id=user_id):
            return "staff", user_id
        case TokenActor(token_id=token_id):
            return "token", token_id
    return "system", None


def _is_done(session: Session, merged_id: UUID, into_id: UUID) -> bool:
    found = session.execute(_DONE, {"merged": merged_id, "into": into_id})
    return found.first() is not None


_BOTH = (
    select(Patient)
    .where(Patient.id.in_(bindparam("ids", expanding=True)))
    .execution_options(**ON_EVENT_LOOP)
)
_EARLIER = (
    select(PatientMerge)
    .where(PatientMerge.into_patient_id == bindparam("into"))
    .execution_options(**ON_EVENT_LOOP)
)
_DONE = (
    select(PatientMerge.id)
    .where(
        PatientMerge.patient_id == bindparam("merged"),
        PatientMerge.into_patient_id == bindparam("into"),
    )
    .execution_options(**ON_EVENT_LOOP)
)
