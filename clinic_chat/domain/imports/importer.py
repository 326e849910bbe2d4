"""Dialogue import: each row of a file becomes a conversation; importing it again adds nothing."""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import Conversation, start_conversation
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.imports.csv_file import DialogueRow, Problem, read_dialogue_file
from clinic_chat.domain.imports.transcript import Turn, normal_newlines, parse_dialogue
from clinic_chat.domain.messages.appending import append_message
from clinic_chat.domain.messages.message import Direction
from clinic_chat.domain.patients.identities import (
    Identity,
    IdentityKind,
    PatientIdentity,
    identity_row,
)
from clinic_chat.domain.patients.patient import Patient, new_patient
from clinic_chat.domain.patients.search_words import note_searchable
from clinic_chat.storage.base import new_id, now

IMPORT_CHANNEL = "import"
# So many rows are looked up at a time.
BATCH_ROWS = 40
# A transaction ends with the dialogue that has the last of so many messages: it holds up the
# clinic's staff for some 5 ms (docs/decisions/020-import-beside-work.md).
TRANSACTION_MESSAGES = 20
PAUSE = 2.0
"""The pause after a transaction in which a running server can write, in times of its length.

A writer of SQLite that finds it locked tries again after 1, 3, 8 and 18 ms: within the pause.
"""
MOST_PAUSE_SECONDS = 0.5
CONVERSATION_SPACING = timedelta(minutes=10)
TURN_SPACING = timedelta(minutes=1)

Progress = Callable[[int, int], None]
"""Called with the number of processed rows and the number of all rows."""


@dataclass
class ImportResult:
    """The result of an import; `unchanged` counts the rows that were imported before."""

    conversations: int = 0
    messages: int = 0
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class _Dialogue:
    key: str
    patient: Patient
    turns: list[Turn]
    ended_at: datetime


async def import_dialogues(
    scope: ClinicScope, path: Path, progress: Progress | None = None
) -> ImportResult:
    """Import the dialogues of a CSV file (see `read_dialogue_file`) into the clinic.

    A row is identified by its ID and dialogue, so importing it again, from any file, adds
    nothing. A row that breaks a rule is in the result's problems and is not stored. The dialogues
    have no times: they get times in the file's order, and the last one ends now. An interrupted
    import keeps what was committed; running it again adds the rest.

    Raises:
        InvalidInput: the file cannot be read or lacks a column.
        NotFound: the clinic is gone.
        StorageUnavailable: the database is locked, full or gone.
    """
    require(scope, Permission.IMPORT_CONVERSATIONS)
    rows = await asyncio.to_thread(read_dialogue_file, path)
    result = ImportResult()
    moment = now()
    for start in range(0, len(rows), BATCH_ROWS):
        batch = rows[start : start + BATCH_ROWS]
        left = len(rows) - start - 1
        ends = [moment - (left - number) * CONVERSATION_SPACING for number in range(len(batch))]
        await _store(scope, _readable(batch, ends, result.problems), result)
        if progress is not None:
            progress(start + len(batch), len(rows))
    return result


def _readable(
    rows: Sequence[DialogueRow | Problem], ends: list[datetime], problems: list[Problem]
) -> list[_Dialogue]:
    dialogues = []
    for row, ended_at in zip(rows, ends, strict=True):
        if isinstance(row, Problem):
            problems.append(row)
            continue
        try:
            dialogues.append(_dialogue(row, ended_at))
        except InvalidInput as error:
            problems.append(Problem(row.line, str(error)))
    return dialogues


def _dialogue(row: DialogueRow, ended_at: datetime) -> _Dialogue:
    if not row.id:
        raise InvalidInput("the ID is empty", code="id_empty")
    turns = parse_dialogue(row.dialogue)
    content = f"{row.id}\0{normal_newlines(row.dialogue).strip()}"
    key = hashlib.sha256(content.encode()).hexdigest()
    try:
        patient = new_patient(f"MTS {row.id.zfill(4)} {row.section}")
    except InvalidInput as error:
        raise InvalidInput(f"ID and section_header: {error}", code=error.code) from None
    return _Dialogue(key, patient, turns, ended_at)


async def _store(scope: ClinicScope, dialogues: list[_Dialogue], result: ImportResult) -> None:
    """Store the dialogues that the clinic lacks in short transactions, and count them."""
    # The same row twice in one batch is one conversation.
    different = {one.key: one for one in dialogues}
    async with scope.read() as reading:
        seen = await _seen(reading, different)
    missing = [one for key, one in different.items() if key not in seen]
    stored = 0
    for some in _transactions(missing):
        began = monotonic()
        async with scope.write() as session:
            # Another import may have been faster.
            seen = await _seen(session, [one.key for one in some])
            fresh = [one for one in some if one.key not in seen]
            await _add(session, fresh)
        stored += len(fresh)
        result.messages += sum(len(dialogue.turns) for dialogue in fresh)
        await asyncio.sleep(min(MOST_PAUSE_SECONDS, PAUSE * (monotonic() - began)))
    result.conversations += stored
    result.unchanged += len(dialogues) - stored


def _transactions(dialogues: Iterable[_Dialogue]) -> Iterator[list[_Dialogue]]:
    """The dialogues in groups of at least `TRANSACTION_MESSAGES`."""
    some: list[_Dialogue] = []
    for dialogue in dialogues:
        some.append(dialogue)
        if sum(len(one.turns) for one in some) >= TRANSACTION_MESSAGES:
            yield some
            some = []
    if some:
        yield some


async def _seen(session: AsyncSession, keys: Iterable[str]) -> set[str]:
    found = await session.scalars(
        select(PatientIdentity.value).where(
            PatientIdentity.kind == IdentityKind.IMPORT, PatientIdentity.value.in_(keys)
        )
    )
    return set(found)


async def _add(session: AsyncSession, dialogues: list[_Dialogue]) -> None:
    for dialogue in dialogues:
        dialogue.patient.id = new_id()
        dialogue.patient.created_at = _said_at(dialogue, 0)
        session.add(dialogue.patient)
        note_searchable(session, dialogue.patient, is_new=True)
    await session.flush()
    session.add_all(
        identity_row(one.patient, Identity(IdentityKind.IMPORT, one.key, "")) for one in dialogues
    )
    conversations = []
    for dialogue in dialogues:
        conversation = start_conversation(session, dialogue.patient.id, IMPORT_CHANNEL)
        conversation.created_at = dialogue.patient.created_at
        conversations.append(conversation)
    await session.flush()
    for dialogue, conversation in zip(dialogues, conversations, strict=True):
        _append_turns(session, conversation, dialogue)


def _append_turns(session: AsyncSession, conversation: Conversation, dialogue: _Dialogue) -> None:
    for number, turn in enumerate(dialogue.turns):
        append_message(
            session,
            conversation,
            direction=Direction.OUTBOUND if turn.by_doctor else Direction.INBOUND,
            author_name=dialogue.patient.name if turn.by_patient else turn.speaker,
            body=turn.body,
            origin=IMPORT_CHANNEL,
            client_id=f"{dialogue.key}:{number + 1}",
            at=_said_at(dialogue, number),
        )


def _said_at(dialogue: _Dialogue, number: int) -> datetime:
    return dialogue.ended_at - TURN_SPACING * (len(dialogue.turns) - 1 - number)
