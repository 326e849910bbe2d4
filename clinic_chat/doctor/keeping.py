"""Whether what is kept beside the rows agrees with them: counts, and the words of searches."""

from collections import Counter
from uuid import UUID

from sqlalchemy import Connection, Uuid, case, exists, func, literal, select

from clinic_chat.doctor.finding import Finding, judged
from clinic_chat.domain.accounts.users import Membership
from clinic_chat.domain.conversations.conversation import Conversation
from clinic_chat.domain.conversations.counts import NOBODY, ConversationTotal, read_key
from clinic_chat.domain.conversations.read_marker import ReadMarker
from clinic_chat.domain.patients.patient import Patient
from clinic_chat.domain.patients.search_words import PatientWord, WordPart, words_of
from clinic_chat.folding import PART_LIMIT

# So many problems of a kind are looked for; more would say nothing new.
MOST = 1_000


def check_counts(connection: Connection) -> Finding:
    """Whether conversations are counted as they are, and as each person has read them."""
    problems = [*_wrong_totals(connection), *_wrong_read_counts(connection)]
    return judged("counts", problems[:MOST], "conversations are counted as they are")


def _wrong_totals(connection: Connection) -> list[str]:
    assignee = func.coalesce(Conversation.assignee_id, literal(NOBODY, Uuid()))
    found = connection.execute(
        select(
            Conversation.clinic_id,
            assignee.label("assignee"),
            Conversation.status,
            func.count(),
            func.sum(case((Conversation.inbound_count > 0, 1), else_=0)),
        )
        .where(Conversation.version > 0)
        .group_by(Conversation.clinic_id, "assignee", Conversation.status)
    )
    there = {tuple(row[:3]): (row[3], int(row[4])) for row in found}
    kept = {
        (row.clinic_id, row.assignee_id, row.status): (row.conversations, row.written)
        for row in connection.execute(select(ConversationTotal.__table__))
        if row.conversations or row.written
    }
    return [
        f"clinic {place[0]}: {there.get(place, (0, 0))[0]} conversations are {place[2]} with one "
        f"assignee, and {kept.get(place, (0, 0))[0]} are counted"
        for place in sorted(there.keys() | kept.keys(), key=str)
        if there.get(place) != kept.get(place)
    ]


def _wrong_read_counts(connection: Connection) -> list[str]:
    there: dict[tuple[UUID, UUID], Counter[str]] = {}
    rows = connection.execute(
        select(
            ReadMarker.clinic_id,
            ReadMarker.user_id,
            Conversation.assignee_id,
            Conversation.status,
            func.count().label("number"),
        )
        .join(Conversation, Conversation.id == ReadMarker.conversation_id)
        .where(
            Conversation.inbound_count > 0, ReadMarker.inbound_read >= Conversation.inbound_count
        )
        .group_by(
            ReadMarker.clinic_id,
            ReadMarker.user_id,
            Conversation.assignee_id,
            Conversation.status,
        )
    )
    for row in rows:
        key = read_key(row.assignee_id or NOBODY, row.status, row.user_id)
        there.setdefault((row.clinic_id, row.user_id), Counter())[key] += row.number
    problems = []
    for row in connection.execute(select(Membership.__table__)):
        read = there.get((row.clinic_id, row.user_id), Counter())
        # A Counter compares what is not in it as 0.
        if Counter(row.read_counts or {}) != read:
            counted = sum((row.read_counts or {}).values())
            problems.append(
                f"person {row.user_id}: has read {read.total()} conversations, and {counted} "
                "are counted, or others"
            )
    return problems


def check_search_words(connection: Connection) -> Finding:
    """Whether each patient is found by their names and numbers."""
    kept: dict[UUID, set[str]] = {}
    for patient_id, word in connection.execute(select(PatientWord.patient_id, PatientWord.word)):
        kept.setdefault(patient_id, set()).add(word)
    problems = []
    rows = connection.execute(select(Patient.id, Patient.search_name, Patient.search_phones))
    for row in rows:
        if words_of(row.search_name, row.search_phones) != kept.get(row.id, set()):
            problems.append(f"patient {row.id}: is found by other words than their own")
    beginning = func.substr(PatientWord.word, 1, PART_LIMIT)
    lost = connection.execute(
        select(func.count())
        .select_from(PatientWord)
        .where(
            ~exists()
            .where(
                WordPart.clinic_id == PatientWord.clinic_id,
                WordPart.part == beginning,
                WordPart.word == PatientWord.word,
            )
            .correlate(PatientWord)
        )
    ).scalar()
    if lost:
        problems.append(f"{lost} words are not found by how they begin")
    return judged("search words", problems[:MOST], "every patient is found by their words")


KEEPING = (check_counts, check_search_words)
