"""Candidates of a patient search: the few patients who may match, when there are few.

They are found by the index of words (domain/patients/search_words.py), which leaves some in that
do not match. When there are many, the newest conversations of those who match are found sooner by
reading conversations in the list's order.
"""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.patients.patient import Patient
from clinic_chat.domain.patients.search_words import HOLDERS, PatientWord, beginning_with
from clinic_chat.domain.queries.filters import matches
from clinic_chat.domain.queries.search import Terms, search_terms

MOST = 1_000
"""Of so many patients the conversations are sorted in some milliseconds."""

_FEW = HOLDERS.limit(MOST + 1)


async def candidates(session: AsyncSession, search: str) -> set[UUID] | None:
    """The ids of the clinic's patients who may match, None when they are more than 1,000."""
    terms = search_terms(search)
    alternatives = _alternatives(terms)
    for texts in alternatives:
        found = await _holders(session, texts)
        if found is not None:
            return found
    # Each word alone is common; few may have all of them, such as a first and a last name.
    if len(alternatives) > 1 and terms.words:
        joint = _FEW.join(Patient, Patient.id == PatientWord.patient_id).where(matches(search))
        found = set(await session.scalars(joint, beginning_with(terms.words[0])))
        return found if len(found) <= MOST else None
    return None


async def _holders(session: AsyncSession, texts: list[str]) -> set[UUID] | None:
    """The ids of those who have one of the texts in a word, None when they are too many."""
    found: set[UUID] = set()
    for text in texts:
        rows = (await session.scalars(_FEW, beginning_with(text))).all()
        found.update(rows)
        if len(rows) > MOST or len(found) > MOST:
            return None
    return found


def _alternatives(terms: Terms) -> list[list[str]]:
    """For each word and number the texts of which a match has one, the longest words first."""
    numbers = [[*_longest(number.words), *_shortest(number.phones)] for number in terms.numbers]
    return [*([word] for word in terms.words), *numbers]


def _longest(words: list[str]) -> list[str]:
    return [max(words, key=len)] if words else []


def _shortest(parts: list[str]) -> list[str]:
    """The parts without those that have another one in them, which its holders include."""
    return [part for part in parts if not any(other in part for other in parts if other != part)]
