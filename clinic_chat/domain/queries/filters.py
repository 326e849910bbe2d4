"""Filters of the conversation list: parsing them, and the conditions they set."""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

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
ME, NOBODY = "me", "none"
"""Whom programs filter by besides a colleague's id."""


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
    assignee: UUID | None = None
    """A colleague whose they are, when `who` is ALL; programs have this filter, and the next."""
    active_since: datetime | None = None
    """The time of the last message, or a later one."""

    def as_dict(self) -> dict[str, Any]:
        """The filter as the browser gets it, with the `terms` to compare rows with."""
        fields = {name: getattr(self, name) for name in ("search", "who", "status", "unread")}
        return {**fields, "terms": asdict(search_terms(self.search))}


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


def program_filter(
    scope: ClinicScope, *, search: str, assignee: str, status: str, active_since: datetime | None
) -> Filter:
    """Check and parse a filter from a program; "" is any search, assignee or status.

    `assignee` is `me`, the person of the program's token, `none`, or a colleague's id.

    Raises:
        InvalidInput: a rule of `parse_filter`, `assignee_invalid` or `activeSince_invalid`.
    """
    who = {ME: AssigneeFilter.MINE, NOBODY: AssigneeFilter.UNASSIGNED}.get(assignee)
    wanted = parse_filter(search, who or AssigneeFilter.ALL, status, False)
    if who is AssigneeFilter.MINE and scope.user_id is None:
        raise InvalidInput("this token is of no person", code="assignee_invalid")
    if assignee and who is None:
        try:
            wanted = replace(wanted, assignee=UUID(assignee))
        except ValueError:
            raise InvalidInput("not a colleague's id", code="assignee_invalid") from None
    if active_since is not None:
        try:
            if active_since.tzinfo is None:
                raise ValueError("no offset")
            wanted = replace(wanted, active_since=active_since.astimezone(UTC))
        except (ValueError, OverflowError):
            raise InvalidInput(
                "a time has its offset from UTC", code="activeSince_invalid"
            ) from None
    return wanted


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
    elif wanted.assignee is not None:
        statement = statement.where(Conversation.assignee_id == wanted.assignee)
    if wanted.active_since is not None:
        statement = statement.where(Conversation.last_activity_at >= wanted.active_since)
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
