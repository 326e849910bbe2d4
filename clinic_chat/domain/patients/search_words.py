"""Search words: an index of the parts of patients' names and phone numbers.

A part leads to the words that have it, and a word to the patients. Few words are in many names,
so this takes a fifth of what an index from each part to each patient would.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, bindparam, delete, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from clinic_chat.domain.patients.patient import Patient
from clinic_chat.folding import PART_LIMIT, WORD_LIMIT, indexed_words, word_parts
from clinic_chat.storage.base import Base, ClinicOwned
from clinic_chat.storage.before_commit import before_commit
from clinic_chat.storage.database import AnySession
from clinic_chat.storage.statements import ON_EVENT_LOOP, PREPARED

PATIENTS = "patients_to_index"
# The greatest code point, which no text of ours has.
LAST = "\U0010ffff"
AT_ONCE = 500


def _by_code_point(length: int) -> String:
    """A text column that PostgreSQL orders as SQLite and Python do."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class PatientWord(ClinicOwned, Base):
    """A word of a patient's folded names, or one of their phone numbers in digits."""

    __tablename__ = "patient_words"
    __table_args__ = (Index(None, "patient_id"), {"sqlite_with_rowid": False})

    clinic_id: Mapped[UUID] = mapped_column(
        ForeignKey("clinics.id", ondelete="CASCADE"), primary_key=True
    )
    word: Mapped[str] = mapped_column(_by_code_point(WORD_LIMIT), primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(
        ForeignKey("patients.id", ondelete="CASCADE"), primary_key=True
    )


class WordPart(ClinicOwned, Base):
    """The rest of a word from one of its characters on, at most 16 characters of it."""

    __tablename__ = "word_parts"
    __table_args__ = ({"sqlite_with_rowid": False},)

    clinic_id: Mapped[UUID] = mapped_column(
        ForeignKey("clinics.id", ondelete="CASCADE"), primary_key=True
    )
    part: Mapped[str] = mapped_column(_by_code_point(PART_LIMIT), primary_key=True)
    word: Mapped[str] = mapped_column(_by_code_point(WORD_LIMIT), primary_key=True)


def words_of(search_name: str, search_phones: str | None) -> set[str]:
    """The words under which a patient is found."""
    phones = (search_phones or "").replace("+", "")
    return indexed_words(search_name) | indexed_words(phones)


def note_searchable(session: AnySession, patient: Patient, *, is_new: bool) -> None:
    """Have the words of a new or renamed patient indexed before the commit."""
    if PATIENTS not in session.info:
        session.info[PATIENTS] = {}
        before_commit(session, _index)
    session.info[PATIENTS].setdefault(patient.id, (patient, is_new))


def forget_words(session: Session, patients: Collection[UUID]) -> None:
    """Index patients who are deleted no more, nor the parts of words that nobody else has."""
    ids = list(patients)
    words = set(
        session.scalars(select(PatientWord.word).where(PatientWord.patient_id.in_(ids)).distinct())
    )
    session.execute(delete(PatientWord).where(PatientWord.patient_id.in_(ids)))
    others = session.scalars(select(PatientWord.word).where(PatientWord.word.in_(words)).distinct())
    for word in words.difference(others):
        session.execute(
            delete(WordPart).where(WordPart.word == word, WordPart.part.in_(word_parts(word)))
        )


def _index(session: Session) -> None:
    patients: list[tuple[Patient, bool]] = list(session.info.pop(PATIENTS).values())
    session.flush()
    for start in range(0, len(patients), AT_ONCE):
        some = patients[start : start + AT_ONCE]
        renamed = [patient.id for patient, is_new in some if not is_new]
        _index_some(session, [patient for patient, _ in some], renamed)


def _index_some(session: Session, patients: list[Patient], renamed: list[UUID]) -> None:
    """Index the words of the patients, and no longer those that the renamed among them lost."""
    known: set[tuple[UUID, str]] = set()
    if renamed:
        indexed = session.execute(_INDEXED, {"patients": renamed})
        known = {(row.patient_id, row.word) for row in indexed}
    wanted = {
        (patient.id, word)
        for patient in patients
        for word in words_of(patient.search_name, patient.search_phones)
    }
    for patient_id, word in known - wanted:
        session.execute(
            delete(PatientWord).where(
                PatientWord.patient_id == patient_id, PatientWord.word == word
            )
        )
    added = sorted(wanted - known)
    if not added:
        return
    _add_parts(session, sorted({word for _, word in added}))
    session.execute(insert(PatientWord), [{"patient_id": its, "word": word} for its, word in added])


def _add_parts(session: Session, words: list[str]) -> None:
    """Index the parts of those words that no patient of the clinic has had yet."""
    known: set[str] = set()
    for start in range(0, len(words), AT_ONCE):
        some = words[start : start + AT_ONCE]
        beginnings = list({word[:PART_LIMIT] for word in some})
        known.update(session.scalars(_KNOWN, {"parts": beginnings, "words": some}))
    rows = [
        {"part": part, "word": word}
        for word in words
        if word not in known
        for part in sorted(word_parts(word))
    ]
    if rows:
        session.execute(insert(WordPart), rows)


def beginning_with(text: str) -> dict[str, str]:
    """The parameters of `HOLDERS` for the patients who may have `text` in a word."""
    beginning = text[:PART_LIMIT]
    return {"first": beginning, "last": beginning + LAST}


_INDEXED = (
    select(PatientWord.patient_id, PatientWord.word)
    .where(PatientWord.patient_id.in_(bindparam("patients", expanding=True)))
    .execution_options(**ON_EVENT_LOOP)
)
_KNOWN = (
    select(WordPart.word)
    .where(
        WordPart.part.in_(bindparam("parts", expanding=True)),
        WordPart.word.in_(bindparam("words", expanding=True)),
    )
    .execution_options(**ON_EVENT_LOOP)
)
HOLDERS = (
    select(PatientWord.patient_id)
    .join(WordPart, WordPart.word == PatientWord.word)
    .where(WordPart.part >= bindparam("first"), WordPart.part < bindparam("last"))
    .execution_options(**PREPARED)
)
"""The ids of the patients who have a part of a word that begins as given, some of them twice."""
