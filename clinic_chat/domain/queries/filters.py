"""Filters of the conversation list: parsing them, and the conditions they set."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, func, or_, select, true
from sqlalchemy.orm import aliased

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import Conversation, Status
from clinic_chat.domain.conversations.read_marker import ReadMarker
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.patients.patient import Patient
from clinic_chat.domain.queries.search import Numeric, search_terms
from clinic_chat.domain.validation import storable

SEARCH_LIMIT = 100


class AssigneeFilter(StrEnum):
    """The filter by assignee."""

    ALL = "all"
    MINE = "mine"
    UNASSIGNED = "unassigned"


@dataclass(frozen=True)
class Filter:
    """The filters of a conversation list; an empty `status` is any."""

    search: str = ""
    who: AssigneeFilter = AssigneeFilter.ALL
    status: str = ""
    unread: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The filter as the browser gets it, with the `terms` to compare rows with."""
        return {**asdict(self), "terms": asdict(search_terms(self.search))}


def parse_filter(search: object, who: object, status: object, unread: object) -> Filter:
    """Check and parse a filter from a client.

    Raises:
        InvalidInput: `search_too_long` or `filter_invalid`.
    """
    if not isinstance(search, str) or len(search) > SEARCH_LIMIT:
        raise InvalidInput(f"search with at most {SEARCH_LIMIT} characters", code="search_too_long")
    if (
        not storable(search)
        or not isinstance(who, str)
        or who not in set(AssigneeFilter)
        or not isinstance(status, str)
        or (status and status not in set(Status))
        or not isinstance(unread, bool)
    ):
        raise InvalidInput("no such filter", code="filter_invalid")
    return Filter(search.strip(), AssigneeFilter(who), status, unread)


def filtered(statement: Any, scope: ClinicScope, wanted: Filter) -> Any:
    """The statement for the conversations in this view of the scope's person."""
    if wanted.search:
        # Asked of each conversation in turn: joined, PostgreSQL would read all patients as soon as
        # it expects few conversations.
        statement = statement.where(
            select(matches(wanted.search, _ITS_PATIENT))
            .where(_ITS_PATIENT.id == Conversation.patient_id)
            .scalar_subquery()
        )
    if wanted.status:
        statement = statement.where(Conversation.status == wanted.status)
    if wanted.who is AssigneeFilter.MINE:
        statement = statement.where(Conversation.assignee_id == scope.user_id)
    elif wanted.who is AssigneeFilter.UNASSIGNED:
        statement = statement.where(Conversation.assignee_id.is_(None))
    if wanted.unread:
        read = (
            select(ReadMarker.inbound_read)
            .where(
                ReadMarker.conversation_id == Conversation.id, ReadMarker.user_id == scope.user_id
            )
            .scalar_subquery()
        )
        statement = statement.where(Conversation.inbound_count > func.coalesce(read, 0))
    return statement


def matches(search: str, patient: type[Patient] = Patient) -> Any:
    """The condition that a patient matches a search (`search_terms`)."""
    terms = search_terms(search)
    names, phones = patient.search_name, patient.search_phones

    def in_name(words: list[str]) -> Any:
        return and_(true(), *(names.contains(word, autoescape=True) for word in words))

    def in_name_or_phone(number: Numeric) -> Any:
        return or_(in_name(number.words), *(phones.contains(part) for part in number.phones))

    return and_(in_name(terms.words), *map(in_name_or_phone, terms.numbers))


_ITS_PATIENT = aliased(Patient)
